// The story as a page.
import { circumstances, percent, table } from './machine.mjs';

export function pageOf({ seed, name, pictures, counts }, told) {
  const outcome = (story, step) => story.steps.find((one) => one.name === step).outcome;
  const [one] = told;
  const row = (what, pick) => [what, ...told.map(pick)];
  const duplicates = (story) => outcome(story, 'find duplicates');
  const doubts = (story) => outcome(story, 'find wrong labels');
  const report = outcome(one, 'prepare and compare');
  const failures = told.flatMap((story) => story.failures);
  return [
    `## A day with ${pictures} pictures`,
    '',
    `\`node bench/story.mjs <${name} folder> --limit ${pictures} --seed ${seed} --write docs/story.md\` imports the pictures with ${counts.bad} bad files`,
    `among them, searches, edits labels, plants ${counts.copies} changed copies and ${counts.wrong} wrong labels and looks for them, brings a second`,
    'encoder and goes back, makes a snapshot, wipes the data folder and restores it. Every step is checked, over HTTP and again over',
    `the command line (a process a call). ${circumstances(one.info)}`,
    '',
    failures.length === 0 ? 'All was as it should be.' : `**Not as it should be:** ${failures.join('; ')}.`,
    '',
    ...table(
      ['seconds', ...told.map(({ door }) => door)],
      one.steps.map(({ name: step }, i) => row(step, (story) => story.steps[i].seconds.toFixed(1))),
    ),
    '',
    ...table(
      ['found', ...told.map(({ door }) => door)],
      [
        row('bad files named in the error report', (s) => `${outcome(s, 'import').refused} of ${counts.bad}`),
        row(
          'planted copies found (recall)',
          (s) => `${duplicates(s).found} of ${duplicates(s).planted} (${percent(duplicates(s).recall)})`,
        ),
        row(
          'new groups that are a copy and its original (precision)',
          (s) => `${percent(duplicates(s).precision)} of ${duplicates(s).groups}`,
        ),
        row('groups that were there before', (s) => duplicates(s).own),
        ...doubts(one).at.map(({ first }, i) =>
          row(`planted labels among the first ${first} doubts: precision / recall`, (s) => {
            const { precision, recall } = doubts(s).at[i];
            return `${percent(precision)} / ${percent(recall)}`;
          }),
        ),
        row('the same by chance: precision', (s) => percent(doubts(s).by_chance)),
        row(
          'of the found ones, right label suggested',
          (s) => `${doubts(s).named} of ${Math.round(doubts(s).at.at(-1).recall * doubts(s).planted)}`,
        ),
      ],
    ),
    '',
    'Copies by what was done to them: ' +
      Object.entries(duplicates(one).by_change)
        .map(([change, { found, planted }]) => `${change} ${found} of ${planted}`)
        .join(', ') +
      '.',
    '',
    `Agreement of the two encoders, told before the switch (${report.pictures} pictures): ${percent(report.overlap_at_10)} of the ten nearest the same,`,
    `another label for ${percent(report.label_changes.share)}, scores ${report.score_drift.mean.toFixed(3)} on average, own label found for`,
    `${percent(report.knn_accuracy.before)} before and ${percent(report.knn_accuracy.after)} after.`,
  ];
}
