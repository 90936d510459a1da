/** `lookalike train <folder>`: its arguments, and what is asked for with them. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { LookalikeError } from '../../dist/offline.js';
import {
  parseSetting,
  readRecipe,
  resolveSettings,
  SETTINGS,
  type SettingName,
  type Settings,
} from './config.js';
import { chooseEngine, ENGINES, findTensorflow, notInstalled } from './tensorflow-path.js';

/** 0 done; 3 the time limit came; 130 Ctrl-C. The last two left a checkpoint. */
const EXIT = { done: 0, 'time-limit': 3, interrupted: 130 } as const;

const OPTIONS = {
  out: { type: 'string', default: 'trained', help: 'where everything is written' },
  recipe: {
    type: 'string',
    default: 'two-view',
    help: 'a name of trainer/recipes, or a JSON file with settings',
  },
  'held-out': {
    type: 'string',
    help: 'labelled pictures to measure with; otherwise a tenth of the labelled ones',
  },
  'time-limit': { type: 'string', help: 'minutes; then a checkpoint is written and the exit code is 3' },
  resume: {
    type: 'boolean',
    default: false,
    help: 'go on from the checkpoint in --out (only --epochs may differ)',
  },
  'start-from': {
    type: 'string',
    help: "begin with the weights of another run's --out, e.g. for fine-tuning with --objective supervised",
  },
  'export-only': { type: 'boolean', default: false, help: 'no training: export the checkpoint in --out' },
  engine: { type: 'string', help: `what computes: ${ENGINES.join(', ')}; doctor tells which work here` },
  gpu: { type: 'boolean', default: false, help: 'the same as --engine gpu' },
  name: { type: 'string', help: "of the model, for its manifest; otherwise the folder's" },
  'trained-on': { type: 'string', help: 'for the manifest: what the pictures are' },
  terms: { type: 'string', help: 'for the manifest: under which terms the weights may be used' },
  help: { type: 'boolean', short: 'h', default: false, help: 'this text' },
} as const;

const optionName = (setting: string) => setting.replaceAll('_', '-');

function usage(): string {
  const line = (name: string, help: string, fallback: unknown) =>
    `  ${`--${name}`.padEnd(20)} ${help}${fallback === undefined || fallback === false ? '' : ` [${fallback}]`}`;
  const own = Object.entries(OPTIONS).map(([name, o]) =>
    line(name, o.help, 'default' in o ? o.default : undefined),
  );
  const settings = Object.entries(SETTINGS).map(([name, s]) => line(optionName(name), s.help, s.default));
  return [
    'Learns an encoder from a folder of pictures, without labels.',
    '',
    'usage: npm run train -- <folder> [options]',
    '',
    ...own,
    '',
    'Settings (the recipe overrides these defaults, options override the recipe):',
    ...settings,
    '',
    'examples:',
    '  npm run train -- ./photos',
    '  npm run train -- ./photos --out ./trained --epochs 30 --time-limit 60',
    '  npm run train -- ./photos --out ./trained --resume',
    '  npm run train -- ./train --held-out ./val --recipe memory-bank',
    '  npm run train -- ./labelled --recipe supervised --start-from ./trained --out ./tuned',
    '',
    'Other commands, each with --help:',
    '  npm run train -- doctor                     which engines work here, and what mends the others',
    '  npm run train -- study table-1 --data DIR   several trainings, compared',
    '  npm run train -- evaluate ./trained …       kNN accuracy by neighbours and temperature',
    '  npm run train -- curve ./trained            loss beside accuracy',
    '  npm run train -- sheet ./trained …          queries and their neighbours as a picture',
  ].join('\n');
}

function readArguments(argv: readonly string[]) {
  const settings = Object.keys(SETTINGS).map((name) => [optionName(name), { type: 'string' as const }]);
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: { ...OPTIONS, ...(Object.fromEntries(settings) as Record<string, { type: 'string' }>) },
  });
  const overrides: Record<string, unknown> = {};
  for (const name of Object.keys(SETTINGS) as SettingName[]) {
    const text = (values as Record<string, unknown>)[optionName(name)];
    if (typeof text === 'string') overrides[name] = parseSetting(name, text);
  }
  return { values, positionals, overrides };
}

/** The checkpoint in a folder; `purpose` completes "there is nothing to ...". */
function checkpointIn(folder: string, purpose: string): string {
  const path = join(resolve(folder), 'checkpoint.safetensors');
  if (existsSync(path)) return path;
  throw new LookalikeError('invalid_parameter', `there is nothing to ${purpose}: ${path} does not exist`);
}

/** A resumed run keeps its settings; only the number of epochs may be given anew. */
async function settingsFor(values: { recipe: string; resume: boolean; out: string }, overrides: object) {
  if (!values.resume) return resolveSettings(readRecipe(values.recipe), { ...overrides });
  const path = checkpointIn(values.out, 'resume or export');
  const { readState } = await import('./checkpoint.js');
  const saved = readState<{ settings: Settings }>(path).settings;
  const changed = Object.keys(overrides).filter((name) => name !== 'epochs');
  if (changed.length > 0)
    throw new LookalikeError(
      'invalid_parameter',
      `a resumed run keeps its settings; ${changed} cannot be changed`,
    );
  return resolveSettings(saved, { ...overrides });
}

/** Trains; resolves to the exit code. */
export async function trainCommand(argv: readonly string[], interrupted: () => boolean): Promise<number> {
  const { values, positionals, overrides } = readArguments(argv);
  if (values.help) {
    console.log(usage());
    return 0;
  }
  if (positionals.length !== 1)
    throw new LookalikeError('invalid_setting', 'name one folder of pictures; --help shows how');
  if (values.gpu || values.engine !== undefined) chooseEngine(values.engine ?? 'gpu');
  if (findTensorflow() === null) throw notInstalled();
  const keeps = { recipe: values.recipe, resume: values.resume || values['export-only'], out: values.out };
  const settings = await settingsFor(keeps, overrides);
  const { name, 'trained-on': trainedOn, terms, 'held-out': heldOut, 'start-from': start } = values;
  const { engine } = await import('./tensorflow.js');
  if (engine.name !== 'cpu' && !engine.onGpu)
    console.log(`no GPU is used: this trains on ${engine.device}; npm run train -- doctor says why`);
  const { build } = await import('./build.js');
  const outcome = await build({
    folder: resolve(positionals[0]!),
    out: resolve(values.out),
    heldOut: heldOut === undefined ? null : resolve(heldOut),
    settings,
    resume: values.resume,
    startFrom: start === undefined ? null : checkpointIn(start, 'start from'),
    exportOnly: values['export-only'],
    timeLimitMinutes: minutes(values['time-limit']),
    words: {
      ...(name === undefined ? {} : { name }),
      ...(trainedOn === undefined ? {} : { trained_on: trainedOn }),
      ...(terms === undefined ? {} : { terms }),
    },
    interrupted,
  });
  return EXIT[outcome];
}

function minutes(text: string | undefined): number | null {
  if (text === undefined) return null;
  if (Number(text) > 0) return Number(text);
  throw new LookalikeError('invalid_parameter', `--time-limit is ${text}, minutes above 0 are allowed`);
}
