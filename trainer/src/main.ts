/** The door of the trainer: arguments in, exit code out. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { LookalikeError, messageOf } from '../../dist/offline.js';
import {
  parseSetting,
  readRecipe,
  resolveSettings,
  SETTINGS,
  type SettingName,
  type Settings,
} from './config.js';
import { findTensorflow } from './tensorflow-path.js';

/** 0 done; 1 failed; 2 wrong arguments; 3 the time limit came; 130 Ctrl-C. The last two left a checkpoint. */
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
  'export-only': { type: 'boolean', default: false, help: 'no training: export the checkpoint in --out' },
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
    '  npm run train -- ./train --held-out ./val --recipe memory-bank --size 32',
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

/** A resumed run keeps its settings; only the number of epochs may be given anew. */
async function settingsFor(values: { recipe: string; resume: boolean; out: string }, overrides: object) {
  if (!values.resume) return resolveSettings(readRecipe(values.recipe), { ...overrides });
  const path = join(values.out, 'checkpoint.safetensors');
  if (!existsSync(path))
    throw new LookalikeError(
      'invalid_parameter',
      `there is nothing to resume or export: ${path} does not exist`,
    );
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

async function main(): Promise<number> {
  const { values, positionals, overrides } = readArguments(process.argv.slice(2));
  if (values.help) {
    console.log(usage());
    return 0;
  }
  if (positionals.length !== 1)
    throw new LookalikeError('invalid_setting', 'name one folder of pictures; --help shows how');
  if (findTensorflow() === null)
    throw new LookalikeError(
      'provider_unavailable',
      'TensorFlow is not installed: run npm run trainer:setup',
    );
  const keeps = { recipe: values.recipe, resume: values.resume || values['export-only'], out: values.out };
  const settings = await settingsFor(keeps, overrides);
  const limit = values['time-limit'] === undefined ? null : Number(values['time-limit']);
  if (limit !== null && !(limit > 0))
    throw new LookalikeError(
      'invalid_parameter',
      `--time-limit is ${values['time-limit']}, minutes above 0 are allowed`,
    );
  const interrupted = onInterrupt();
  const { build } = await import('./build.js');
  const outcome = await build({
    folder: resolve(positionals[0]!),
    out: resolve(values.out),
    heldOut: values['held-out'] === undefined ? null : resolve(values['held-out']),
    settings,
    resume: values.resume,
    exportOnly: values['export-only'],
    timeLimitMinutes: limit,
    words: {
      ...(values.name === undefined ? {} : { name: values.name }),
      ...(values['trained-on'] === undefined ? {} : { trained_on: values['trained-on'] }),
      ...(values.terms === undefined ? {} : { terms: values.terms }),
    },
    interrupted,
  });
  return EXIT[outcome];
}

/**
 * Ctrl-C ends the training after the step, with a checkpoint; a second one, at least a second later, at once.
 * The pause is there because a terminal and a parent process both send the first one.
 */
function onInterrupt(): () => boolean {
  let first = Number.POSITIVE_INFINITY;
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      if (performance.now() - first > 1000) process.exit(130);
      if (first < Number.POSITIVE_INFINITY) return;
      first = performance.now();
      console.log('\nfinishing the step and writing a checkpoint');
    });
  return () => first < Number.POSITIVE_INFINITY;
}

function isUsageError(error: unknown): boolean {
  if (error instanceof LookalikeError) return error.code === 'invalid_setting';
  return error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    console.error(messageOf(error));
    process.exitCode = isUsageError(error) ? 2 : 1;
  },
);
