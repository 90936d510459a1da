/** The command `study`: runs the variants of a study that are missing, then collects what is there. */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { LookalikeError } from '../../../dist/offline.js';
import { parseSetting } from '../config.js';
import { writeWhole } from '../disk.js';
import { thisMachine } from '../machine.js';
import { percent } from '../report.js';
import { findTensorflow } from '../tensorflow-path.js';
import { collect } from './collect.js';
import { figureOf } from './figure.js';
import { floorsOf } from './floors.js';
import { findPictures, linkPart, type Pictures } from './pictures.js';
import { EXIT, runVariants } from './run.js';
import { readStudy, type Study } from './study.js';

const OPTIONS = {
  data: { type: 'string' },
  out: { type: 'string', default: 'studies' },
  only: { type: 'string' },
  collect: { type: 'boolean', default: false },
  epochs: { type: 'string' },
  'time-limit': { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

const USAGE = `Trains the variants of a study one after another and compares them.

usage: npm run train -- study <name> --data <folder> [options]

  <name>               of trainer/studies, or a JSON file
  --data               a folder with "train" and "test" or "val", each with a sub-folder for each label
  --out                where the runs are kept, in a folder of the study [studies]
  --only               variants to run, e.g. nce-1,nce-10
  --collect            runs nothing: result.json and plot.svg from what is there
  --epochs             instead of the study's, for a quick try in another --out
  --time-limit         minutes; then a checkpoint is written and the exit code is 3
  --help               this text

Run again, it passes over what is finished and goes on with what was cut.`;

const say = (line: string) => console.log(line);

/** `argv`: what stands after the word "study". Resolves to the exit code. Throws `invalid_setting`. */
export async function runStudy(argv: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args: [...argv], allowPositionals: true, options: OPTIONS });
  if (values.help) {
    say(USAGE);
    return EXIT.done;
  }
  if (positionals.length !== 1) throw wrongUse('name one study');
  const overrides = values.epochs === undefined ? {} : { epochs: parseSetting('epochs', values.epochs) };
  const study = readStudy(positionals[0]!, overrides);
  const root = resolve(values.out, study.name);
  const limit = minutesOf(values['time-limit']);
  const started = performance.now();
  if (values.data === undefined && !values.collect) throw wrongUse('name the pictures with --data');
  const run = { study: chosen(study, values.only), root, say };
  mkdirSync(root, { recursive: true });
  const pictures = values.data === undefined ? null : await picturesOf(study, values.data, root);
  let code: number = EXIT.done;
  if (!values.collect) {
    needTensorflow();
    code = await runVariants({ ...run, pictures: pictures!, deadline: started + limit * 60_000 });
  }
  const stopped = code === EXIT.timeLimit || code === EXIT.interrupted;
  await collectInto(root, study, stopped ? null : pictures);
  return code;
}

function wrongUse(what: string): LookalikeError {
  return new LookalikeError('invalid_setting', `${what}; study --help shows how`);
}

function minutesOf(text: string | undefined): number {
  const minutes = text === undefined ? Number.POSITIVE_INFINITY : Number(text);
  if (minutes > 0) return minutes;
  throw new LookalikeError('invalid_setting', `--time-limit is ${text}, minutes above 0 are allowed`);
}

function needTensorflow(): void {
  if (findTensorflow() !== null) return;
  throw new LookalikeError('provider_unavailable', 'TensorFlow is not installed: run npm run trainer:setup');
}

function chosen(study: Study, only: string | undefined): Study {
  if (only === undefined) return study;
  const wanted = only.split(',').map((key) => key.trim());
  const keys = study.variants.map(({ key }) => key);
  const unknown = wanted.filter((key) => !keys.includes(key));
  if (unknown.length > 0) throw wrongUse(`the study has no variant ${unknown}; there are ${keys.join(', ')}`);
  return { ...study, variants: study.variants.filter(({ key }) => wanted.includes(key)) };
}

async function picturesOf({ pictures }: Study, data: string, root: string): Promise<Pictures> {
  const found = findPictures(data);
  if (pictures === null) return found;
  return { ...found, training: await linkPart(found.training, pictures, join(root, 'data')) };
}

/** Writes `result.json` and `plot.svg` of everything that is there, whatever was run this time. */
async function collectInto(root: string, study: Study, pictures: Pictures | null): Promise<void> {
  const measurable = findTensorflow() === null ? null : pictures;
  const floors = await floorsOf(study, { root, pictures: measurable, say });
  const { result, notes } = collect(study, root, { floors, machine: await thisMachine() });
  for (const note of notes) say(`note: ${note}`);
  for (const { key, epochs, knn } of result.variants)
    say(`${key}: ${knn === null ? 'not measured' : percent(knn.value)} after ${epochs} epochs`);
  for (const { name, knn } of result.baselines) say(`${name}: ${percent(knn)}`);
  const path = join(root, 'result.json');
  writeWhole({ what: 'the result', path, out: root }, [`${JSON.stringify(result, null, 2)}\n`]);
  const plot = join(root, 'plot.svg');
  writeWhole({ what: 'the plot', path: plot, out: root }, [figureOf(result)]);
  say(`wrote ${path} and plot.svg`);
}
