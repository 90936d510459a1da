// The story itself, through one door. Each step says what it saw; what is not as it should be is kept, and the story goes on.
import { rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { draw } from './machine.mjs';
import { judgeDoubts, judgeDuplicates } from './scores.mjs';
import { cli } from './service.mjs';

const COLLECTION = 'story';
const SECOND = 'nearer';
const QUERIES = 20;
/** The default of `on_duplicate`: only what was encoded anew reaches it for sure. */
const NEAR = 0.95;
/** Least that counts as found. Figures stand in the page; these only tell a working report from a broken one. */
const FLOORS = { duplicates: 0.6, precision: 0.9, doubts: 2 };

export async function tell({
  door: make,
  start,
  data,
  folder,
  pictures,
  bad,
  copies,
  wrong,
  encoder,
  random,
}) {
  const scratch = join(data, '..');
  const failures = [];
  const steps = [];
  let service = await start();
  let door = make(service.url, COLLECTION, scratch);
  const check = (holds, what) => {
    if (!holds) failures.push(`${door.name}: ${what}`);
  };
  const step = async (name, work) => {
    const began = performance.now();
    const outcome = await work();
    steps.push({ name, seconds: (performance.now() - began) / 1000, outcome });
    console.error(`${door.name}: ${name}: ${JSON.stringify(outcome)}`);
    return outcome;
  };
  const queries = draw(pictures, QUERIES, random);
  const answers = () => inTurn(queries, ({ path }) => door.search(path, { mode: 'exact' }));

  await door.createCollection();
  await step('import', async () => {
    const { job, errors } = await door.importFolder(folder);
    const { rows } = (await door.info()).bank;
    check(rows === pictures.length, `${rows} pictures were stored, ${pictures.length} are good`);
    const said = JSON.stringify(errors);
    const unsaid = bad.filter((id) => !said.includes(basename(id)));
    check(
      errors.length === bad.length && unsaid.length === 0,
      `${errors.length} errors; not among them: ${unsaid}`,
    );
    return { stored: rows, refused: errors.length, rate: job.rate };
  });

  await step('search', async () => {
    const all = await answers();
    const self = all.filter(({ neighbours }, i) => neighbours[0]?.id === queries[i].id).length;
    check(self === QUERIES, `${self} of ${QUERIES} stored pictures are their own nearest`);
    check(
      all.every(({ labels, neighbours }) => labels.length > 0 && neighbours.length === 10),
      'whole answers',
    );
    return { asked: QUERIES, self };
  });

  await step('edit labels', async () => {
    const { path, id, label } = queries[0];
    await door.setLabel(id, 'edited');
    const found = await door.search(path, { label: 'edited' });
    check(found.neighbours.length === 1 && found.neighbours[0].id === id, 'an edited label is found at once');
    await door.setLabel(id, label);
    return { edited: 1 };
  });

  let before;
  await step('duplicates of its own', async () => {
    before = await door.duplicates(NEAR);
    return { groups: before.groups.length };
  });
  await step('plant', async () => {
    await inTurn(copies, (copy) => door.add(copy));
    await inTurn(wrong, ({ id, label }) => door.setLabel(id, label));
    return { copies: copies.length, wrong: wrong.length };
  });
  await step('find duplicates', async () => {
    const found = judgeDuplicates({ before, after: await door.duplicates(NEAR), copies });
    check(found.recall >= FLOORS.duplicates, `copies found: ${found.found} of ${found.planted}`);
    check(found.precision >= FLOORS.precision, `precision of the new groups is ${found.precision}`);
    return found;
  });
  await step('find wrong labels', async () => {
    const found = judgeDoubts(await door.labelReport(), wrong);
    const [first] = found.at;
    check(
      first.precision >= Math.min(0.3, FLOORS.doubts * found.by_chance),
      `${first.precision} of the first are wrong`,
    );
    return found;
  });
  await step('mend the labels', async () => {
    await inTurn(wrong, ({ id, was }) => door.setLabel(id, was));
    return { mended: wrong.length };
  });

  await step('reindex', async () => {
    const { result } = await door.reindex(); // so that the calibration is of what is stored now
    const rows = pictures.length + copies.length;
    check(result.rows === rows, `the new index has ${result.rows} rows, ${rows} are stored`);
    return { generation: result.generation, rows: result.rows };
  });

  const first = await door.info();
  const asked = await answers();
  await step('bring a second encoder', async () => {
    const { model, inspection } = await door.addModel(encoder, SECOND);
    check(
      model.dimension === first.model.dimension && model.sha256 !== first.model.sha256,
      'it is another model',
    );
    return { milliseconds: inspection.milliseconds };
  });
  await step('prepare and compare', async () => {
    const { result } = await door.prepare(SECOND);
    const { report, awaiting_switch, embedded, missing } = result;
    check(awaiting_switch && missing.count === 0, 'it waits for the switch, with all pictures');
    check(report.overlap_at_10 > 0 && report.overlap_at_10 < 1, `overlap ${report.overlap_at_10}`);
    check(same(await answers(), asked), 'the first model answers as before');
    return { embedded, ...report };
  });
  await step('switch', async () => {
    await door.switchModel();
    check((await door.info()).model.name === SECOND, 'the second model answers');
    check(!same(await answers(), asked), 'its answers are other ones');
    return { model: SECOND };
  });
  await step('roll back', async () => {
    await door.rollback();
    check((await door.info()).model.sha256 === first.model.sha256, 'the first model answers again');
    check(same(await answers(), asked), 'with the answers of before');
    return { model: first.model.name };
  });

  const file = join(scratch, `${basename(data)}.tar`);
  await step('snapshot', () => door.snapshot(file));
  await step('wipe and restore', async () => {
    await service.stop();
    rmSync(data, { recursive: true });
    const { code, stderr } = await cli('restore', file, '--data-dir', data);
    check(code === 0, `restore: ${stderr}`);
    service = await start();
    door = make(service.url, COLLECTION, scratch);
    check(same(await answers(), asked), 'the answers are those of before');
    return { rows: (await door.info()).bank.rows };
  });
  await service.stop();
  return { door: door.name, info: first, steps, failures };
}

/** Two at once, in order. */
async function inTurn(list, work) {
  const results = [];
  let next = 0;
  const one = async () => {
    while (next < list.length) {
      const at = next++;
      results[at] = await work(list[at]);
    }
  };
  await Promise.all([one(), one()]);
  return results;
}

const told = (answers) =>
  JSON.stringify(answers.map(({ labels, neighbours, abstained }) => ({ labels, neighbours, abstained })));
const same = (some, others) => told(some) === told(others);
