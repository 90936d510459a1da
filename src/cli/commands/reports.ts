import type { Command } from 'commander';
import type { Answer, components, Job } from '../../../client/dist/index.js';
import { LookalikeError } from '../../core/errors.js';
import { EXIT } from '../exit-codes.js';
import { endOf } from '../finish-job.js';
import { type Connection, given, typed, withCollection, withConnection, withWait } from '../options.js';
import { percent, print, table } from '../output.js';
import { type Session, withClient } from '../with-client.js';

type Duplicates = components['schemas']['Duplicates'];
type LabelReport = components['schemas']['LabelReport'];

interface ReportOptions extends Connection {
  collection?: string;
  limit?: string;
  cursor?: string;
  minScore?: string;
  fresh?: boolean;
}

/** `duplicates` and `reports labels`: what is doubtful in a collection. The first call makes the report. */
export function reportCommands(program: Command): void {
  withReport(program.command('duplicates').description('groups of pictures that are the same'))
    .option('--min-score <number>', 'cosine from which two count as the same')
    .addHelpText(
      'after',
      '\nExample:\n  lookalike duplicates --min-score 0.95 --json --url http://localhost:8080',
    )
    .action((options: ReportOptions) =>
      withClient(options, (session) => {
        const query = { ...pageOf(options), ...given({ min_score: typed(options.minScore) }) };
        const ask = () => session.client.call('get', '/v1/duplicates', { query });
        return tell(session, options, {
          ask,
          inWords: duplicatesInWords,
          isEmpty: (r) => r.groups_found === 0,
        });
      }),
    );

  const reports = program.command('reports').description('what the neighbours disagree with');
  withReport(
    reports.command('labels').description('labels that the neighbours disagree with, the surest first'),
  )
    .addHelpText('after', '\nExample:\n  lookalike reports labels --limit 50 --data-dir ./data')
    .action((options: ReportOptions) =>
      withClient(options, (session) => {
        const query = pageOf(options);
        const ask = () => session.client.call('get', '/v1/reports/labels', { query });
        return tell(session, options, { ask, inWords: labelsInWords, isEmpty: (r) => r.doubts_found === 0 });
      }),
    );
}

const withReport = (command: Command): Command =>
  withWait(withCollection(withConnection(command)))
    .option('--limit <number>', 'entries on a page')
    .option('--cursor <cursor>', 'go on where a page ended')
    .option('--fresh', 'where the report is stale, wait for the new one');

const pageOf = ({ collection, limit, cursor }: ReportOptions) =>
  given({ collection, limit: typed(limit), cursor });

interface Reporting<T> {
  ask: () => Promise<Answer<T | Job>>;
  inWords: (report: T) => string[];
  isEmpty: (report: T) => boolean;
}

async function tell<T extends components['schemas']['Report']>(
  session: Session,
  options: ReportOptions,
  { ask, inWords, isEmpty }: Reporting<T>,
): Promise<void> {
  const first = await ask();
  const making =
    first.status === 202 ? (first.data as Job) : await renewing(session, first.data as T, options);
  if (making && options.wait === false) return print(options.json, making, [making.id]);
  if (making) await madeBy(session, making);
  const report = (making ? (await ask()).data : first.data) as T;
  print(options.json, report, [...inWords(report), '', ageOf(report)]);
  if (!options.json && report.next_cursor !== null) console.error(`more: --cursor ${report.next_cursor}`);
  if (isEmpty(report)) process.exitCode = EXIT.nothing;
}

/** The job that makes a stale report anew, when it shall be waited for. */
async function renewing(
  { client }: Session,
  { stale, job }: components['schemas']['Report'],
  { fresh }: ReportOptions,
): Promise<Job | null> {
  if (!fresh || !stale || job === null) return null;
  return (await client.call('get', '/v1/jobs/{id}', { path: { id: job } })).data;
}

async function madeBy(session: Session, making: Job): Promise<void> {
  const { state, error } = await endOf(session, making);
  if (state === 'succeeded') return;
  throw new LookalikeError(
    'internal',
    `the report was not made, its job ${making.id} is ${state}: ${error ?? 'no reason given'}`,
  );
}

const ageOf = ({ computed_at, stale }: components['schemas']['Report']): string =>
  stale
    ? `of ${computed_at}, the collection has changed since; --fresh waits for the new one`
    : `of ${computed_at}`;

function duplicatesInWords({ groups, groups_found, pictures_found, min_score }: Duplicates): string[] {
  const rows = groups.flatMap(({ keep, members }, i) =>
    members.map(({ id, label, score, exact }) => [
      `${i + 1}`,
      id === keep ? 'keep' : '',
      exact ? 'same file' : score.toFixed(4),
      label ?? '-',
      id,
    ]),
  );
  const found = `${groups_found} groups, ${pictures_found} pictures in them, cosine ${min_score} and more`;
  return rows.length === 0 ? [found] : [...table(['group', '', 'score', 'label', 'id'], rows), '', found];
}

function labelsInWords({ doubts, doubts_found, judged, labels }: LabelReport): string[] {
  const doubted = doubts.map(({ id, label, suggested, share, suggested_share }) => [
    label ?? '-',
    percent(share),
    suggested,
    percent(suggested_share),
    id,
  ]);
  const summary = labels.map(({ label, count, agreement, similarity }) => [
    label,
    count,
    percent(agreement),
    similarity === null ? '-' : similarity.toFixed(3),
  ]);
  return [
    ...(doubted.length === 0 ? [] : [...table(['label', 'share', 'suggested', 'share', 'id'], doubted), '']),
    ...table(['label', 'pictures', 'agreement', 'similarity'], summary),
    '',
    `${doubts_found} of ${judged} labels in doubt`,
  ];
}
