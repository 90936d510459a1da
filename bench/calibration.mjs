#!/usr/bin/env node
// What the calibration of a collection is worth: its own figures (left one out, cross-validated) and the same on pictures that
// it has never seen, asked over HTTP.
//   node bench/calibration.mjs <labelled folder> --held-out <labelled folder> [--limit n] [--ask n] [--model folder]
//                              [--precision 0.95] [--write docs/story.md] [--name Imagenette] [--json file]
// Needs the build (`npm run build`). docs/decisions/0013-calibration.md has the figures that chose the method.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createClient } from '../client/dist/index.js';
import { expectedCalibrationError } from '../dist/core/reliability.js';
import { randomFrom } from './kit.mjs';
import { picturesOf, prepareFolder } from './story/data.mjs';
import { circumstances, percent, table, writeSection } from './story/machine.mjs';
import { root, serve } from './story/service.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'held-out': { type: 'string' },
    limit: { type: 'string', default: '1000000' },
    ask: { type: 'string', default: '1000000' },
    model: { type: 'string', default: join(root, 'model') },
    precision: { type: 'string', default: '0.95' },
    name: { type: 'string', default: 'Imagenette' },
    write: { type: 'string' },
    json: { type: 'string' },
  },
});
const [folder] = positionals;
const heldOut = values['held-out'];
if (!folder || !heldOut)
  throw new Error('usage: node bench/calibration.mjs <labelled folder> --held-out <labelled folder>');
/** As in core/fit-calibration.ts. */
const BINS = 10;

const home = mkdtempSync(join(tmpdir(), 'lookalike-calibration-'));
try {
  const stored = picturesOf(folder, Number(values.limit));
  await prepareFolder(join(home, 'pictures'), stored, { bad: 0, random: randomFrom(1) });
  const service = await serve(
    [
      join(home, 'pictures'),
      '--data-dir',
      join(home, 'data'),
      '--model',
      values.model,
      '--exact-provider',
      'cpu',
    ],
    { LOOKALIKE_PRECISION: values.precision },
  );
  const client = createClient({ url: service.url });
  const info = (await client.call('get', '/v1/info')).data;
  if (info.calibration === null) throw new Error('the collection was not calibrated');
  const unseen = await askAll(client, picturesOf(heldOut, Number(values.ask)));
  await service.stop();
  const result = { rows: stored.length, own: info.calibration, unseen: judge(unseen) };
  const lines = pageOf(result, info);
  if (values.json) writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`);
  if (values.write) writeSection(values.write, `calibration ${values.name}`, lines);
  console.log(lines.join('\n'));
  process.exitCode = result.own.reason === null ? 0 : 1;
} finally {
  rmSync(home, { recursive: true, force: true });
}

/** `{ share, probability, abstained, correct }` of the best label of each picture. */
async function askAll(client, pictures) {
  const asked = [];
  let next = 0;
  const one = async () => {
    while (next < pictures.length) {
      const { path, label } = pictures[next++];
      const headers = { 'Content-Type': 'application/octet-stream' };
      const query = { k: 1, mode: 'exact' };
      const { data } = await client.call('post', '/v1/search', { query, headers, body: readFileSync(path) });
      const [best] = data.labels;
      asked.push({ ...best, abstained: data.abstained, correct: best?.label === label });
    }
  };
  await Promise.all([one(), one()]);
  return asked;
}

function judge(asked) {
  const share = (list) =>
    list.length === 0 ? null : list.filter(({ correct }) => correct).length / list.length;
  const error = (of) =>
    expectedCalibrationError(
      asked.map((one) => ({ probability: of(one), correct: one.correct })),
      BINS,
    );
  const answered = asked.filter(({ abstained }) => abstained === false);
  return {
    samples: asked.length,
    accuracy: share(asked),
    calibration_error: {
      before: error((one) => one.share ?? 0),
      after: error((one) => one.probability ?? 0),
    },
    precision: share(answered),
    coverage: answered.length / asked.length,
  };
}

function pageOf({ rows, own, unseen }, info) {
  const error = (value) => value?.toFixed(3) ?? 'none';
  const row = (what, pick) => [what, pick(own), pick(unseen)];
  return [
    `## What a probability is worth: ${values.name}`,
    '',
    `\`node bench/calibration.mjs <${values.name} folder> --held-out <folder> --name ${values.name} --write docs/story.md\`: ${rows} pictures stored,`,
    `asked precision ${values.precision}, threshold ${own.threshold?.toFixed(3) ?? 'none: every answer abstains'}. The encoder is ${info.model.name}. ${circumstances(info)}`,
    '',
    ...table(
      ['', 'the collection itself, left one out', 'held-out pictures, over HTTP'],
      [
        row('pictures', ({ samples }) => samples),
        row('best label right', ({ accuracy }) => percent(accuracy)),
        row('expected calibration error of the share (before)', ({ calibration_error: e }) =>
          error(e?.before),
        ),
        row('of the probability (after)', ({ calibration_error: e }) => error(e?.after)),
        row('precision of the answers that do not abstain', ({ precision }) => percent(precision)),
        row('share of them', ({ coverage }) => percent(coverage)),
      ],
    ),
  ];
}
