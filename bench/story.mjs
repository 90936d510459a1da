#!/usr/bin/env node
// A day with the service, told over HTTP and again over the command line, and checked at every step: import with bad files
// among the pictures; search; edit labels; plant near-duplicates and wrong labels and find them; bring a second encoder,
// compare, switch, go back; snapshot, wipe, restore.
//   node bench/story.mjs <folder of labelled pictures> [--limit 9469] [--seed 1] [--door http|cli|both] [--model folder]
//                        [--write docs/story.md] [--json file]
// Needs the build (`npm run build`). Exit code 1 when something is not as it should be. The same seed draws the same pictures.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { randomFrom } from './kit.mjs';
import { cliDoor } from './story/cli-door.mjs';
import { makeCopies, makeSecondEncoder, picturesOf, prepareFolder, wrongLabels } from './story/data.mjs';
import { httpDoor } from './story/http-door.mjs';
import { writeSection } from './story/machine.mjs';
import { pageOf } from './story/page.mjs';
import { root, serve } from './story/service.mjs';
import { tell } from './story/tell.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    limit: { type: 'string', default: '9469' },
    seed: { type: 'string', default: '1' },
    door: { type: 'string', default: 'both' },
    model: { type: 'string', default: join(root, 'model') },
    name: { type: 'string', default: 'Imagenette' },
    write: { type: 'string' },
    json: { type: 'string' },
  },
});
const DOORS = { http: [httpDoor], cli: [cliDoor], both: [httpDoor, cliDoor] };
const doors = DOORS[values.door];
const [folder] = positionals;
if (!folder || !doors)
  throw new Error(
    'usage: node bench/story.mjs <folder of labelled pictures> [--door http|cli|both] [--limit n]',
  );

const home = mkdtempSync(join(tmpdir(), 'lookalike-story-'));
try {
  const random = randomFrom(Number(values.seed));
  const pictures = picturesOf(folder, Number(values.limit));
  // A small collection gets fewer, so that it is still one of pictures with their own labels.
  const counts = {
    bad: 20,
    copies: Math.min(50, Math.round(pictures.length / 10)),
    wrong: Math.min(100, Math.round(pictures.length / 20)),
  };
  const import_ = join(home, 'pictures');
  const bad = await prepareFolder(import_, pictures, { bad: counts.bad, random });
  const copies = await makeCopies(join(home, 'copies'), pictures, { count: counts.copies, random });
  const wrong = wrongLabels(pictures, { count: counts.wrong, random });
  const encoder = await makeSecondEncoder(values.model, join(home, 'nearer'));
  const told = [];
  for (const door of doors) {
    const data = join(home, door.name);
    const start = () => serve(['--data-dir', data, '--model', values.model, '--exact-provider', 'cpu']);
    told.push(
      await tell({
        door,
        start,
        data,
        folder: import_,
        pictures,
        bad,
        copies,
        wrong,
        encoder,
        random: randomFrom(2),
      }),
    );
  }
  const failed = told.flatMap(({ failures }) => failures);
  if (values.json) writeFileSync(values.json, `${JSON.stringify(told, null, 2)}\n`);
  const run = { seed: values.seed, name: values.name, pictures: pictures.length, counts };
  const page = pageOf(run, told);
  if (values.write) writeSection(values.write, 'story', page);
  else console.log(page.join('\n'));
  console.error(failed.length === 0 ? 'all as it should be' : `not as it should be:\n${failed.join('\n')}`);
  process.exitCode = failed.length === 0 ? 0 : 1;
} finally {
  rmSync(home, { recursive: true, force: true });
}
