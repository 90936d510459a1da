#!/usr/bin/env node
import { resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { createApp } from './app.js';
import { type Evaluation, evaluate } from './cli/evaluate.js';
import { train } from './cli/train.js';
import { type ErrorCode, LookalikeError, messageOf } from './core/errors.js';
import { DEFAULT_VOTE_K, DEFAULT_VOTE_TEMPERATURE } from './core/vote.js';
import { bringUpWithProgress, serve } from './main.js';
import { restoreSnapshot } from './restore.js';
import { type Overrides, readSettings, SETTINGS, type Settings } from './settings.js';
import { version } from './versions.js';

/** Door 2: a table from command to function. Errors become one sentence and an exit code. */

/** 2: the command line or a setting is wrong; 3: model, bank or database is unusable; 4: nothing to do; 1: anything else. */
const EXIT_CODES: Partial<Record<ErrorCode, number>> = {
  invalid_setting: 2,
  invalid_parameter: 2,
  model_missing: 3,
  model_invalid: 3,
  bank_invalid: 3,
  bank_mismatch: 3,
  generation_invalid: 3,
  database_invalid: 3,
  snapshot_invalid: 3,
  already_exists: 2,
  database_mismatch: 3,
  data_dir_busy: 3,
  provider_unavailable: 3,
  nothing_to_index: 4,
};

const program = new Command('lookalike')
  .description('Finds pictures that look alike, and says what a picture is')
  .version(version)
  .showHelpAfterError('(lookalike --help lists the commands)')
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
  .addHelpText(
    'after',
    `
Exit codes: 0 done, 1 failed, 2 wrong arguments or settings, 3 model or data unusable, 4 nothing to index

Examples:
  lookalike serve                          the demo
  lookalike serve ./photos --port 9000     your own folder; sub-folders are labels
  lookalike train ./photos --out ./trained an encoder of your own
  lookalike serve ./photos --model ./trained
  curl -F image=@x.jpg localhost:8080/v1/search`,
  );

withSettings(
  program.command('serve', { isDefault: true }).description('serve a folder of pictures, or the demo'),
)
  .argument('[folder]', 'pictures to index; sub-folder names become labels')
  .action((folder, options) => serve(settingsOf(options, folder)));

withSettings(program.command('index').description('index a folder and stop, without serving'))
  .argument('<folder>', 'pictures to index; sub-folder names become labels')
  .option('--json', 'print the jobs as JSON')
  .action(async (folder, options) => indexOnly(settingsOf(options, folder), options.json === true));

program
  .command('restore')
  .description('put a snapshot back into a data folder; what is there is moved aside, never deleted')
  .argument('<file>', 'a snapshot, as POST /v1/snapshots writes it')
  .option('--data-dir <folder>', 'where it goes (default: that of the demo)')
  .option('--replace', 'also when a database is there: its folder is moved aside first')
  .action(async (file: string, options: { dataDir?: string; replace?: boolean }) => {
    const { dataDir } = readSettings(options.dataDir === undefined ? {} : { dataDir: options.dataDir });
    const now = new Date().toISOString();
    const { manifest, kept } = await restoreSnapshot(resolve(file), {
      dataDir,
      replace: options.replace === true,
      now,
    });
    for (const { name, rows } of manifest.collections) console.log(`${name}: ${rows} pictures`);
    console.log(`restored into ${dataDir}, the state of ${manifest.created_at}`);
    if (kept) console.log(`what was there before lies in ${kept}`);
  });

program
  .command('train')
  .description('train an encoder on a folder, without labels')
  .helpOption(false)
  .allowUnknownOption()
  .allowExcessArguments()
  .argument('[args...]', 'lookalike train --help lists them')
  .action(async (args: string[]) => {
    process.exitCode = await train(args);
  });

program
  .command('evaluate')
  .description('weighted-kNN accuracy and times of a running service, over a labelled folder')
  .argument('<folder>', 'pictures to ask for; sub-folder names are the right answers')
  .option('--url <address>', 'address of the service', httpAddress, 'http://localhost:8080')
  .option('--key <key>', 'API key')
  .addOption(new Option('--mode <mode>', 'index to ask').choices(['auto', 'hnsw', 'exact']).default('exact'))
  .option('--vote-k <number>', 'labelled neighbours that vote', wholeNumber, DEFAULT_VOTE_K)
  .option('--temperature <number>', 'of the vote', positive, DEFAULT_VOTE_TEMPERATURE)
  .option('--concurrency <number>', 'requests at once', wholeNumber, 2)
  .option('--limit <number>', 'ask for at most this many pictures, taken evenly', wholeNumber, Infinity)
  .option('--json', 'print the result as JSON')
  .action(async (folder: string, { json, ...options }) => {
    const tty = process.stderr.isTTY;
    const onProgress = (done: number, total: number) => {
      if (tty && (done % 20 === 0 || done === total)) process.stderr.write(`\r${done} of ${total} `);
    };
    const result = await evaluate({ ...options, folder: resolve(folder), onProgress });
    if (tty) process.stderr.write('\r');
    console.log(json ? JSON.stringify(result) : inWords(result));
  });

async function indexOnly(settings: Settings, json: boolean): Promise<void> {
  const app = await createApp(settings);
  try {
    const jobs = await bringUpWithProgress(app);
    console.log(
      json ? JSON.stringify(jobs) : `${app.service.info().bank.rows} pictures in ${settings.dataDir}`,
    );
    if (jobs.some(({ state }) => state !== 'succeeded')) process.exitCode = 1;
  } finally {
    await app.close();
  }
}

function positive(text: string): number {
  if (Number(text) > 0) return Number(text);
  throw new InvalidArgumentError('A number above 0 is wanted.');
}

function wholeNumber(text: string): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new InvalidArgumentError('A whole number from 1 is wanted.');
}

function httpAddress(text: string): string {
  if (URL.canParse(text) && /^https?:/.test(text)) return text;
  throw new InvalidArgumentError('An address like http://localhost:8080 is wanted.');
}

function inWords(result: Evaluation): string {
  const ms = (value: number) => `${value.toFixed(2)} ms`;
  const row = (name: string, { p50, p99, max }: Evaluation['answer_ms']) =>
    `${name.padEnd(10)} p50 ${ms(p50).padStart(10)}   p99 ${ms(p99).padStart(10)}   max ${ms(max).padStart(10)}`;
  return [
    `accuracy ${result.accuracy.toFixed(2)} % (${result.correct} of ${result.pictures - result.refused}, ${result.refused} refused)`,
    `mode ${result.mode}, vote_k ${result.vote_k}, temperature ${result.temperature}, ${result.concurrency} at once`,
    row('answer', result.answer_ms),
    ...Object.entries(result.stages_ms).map(([stage, spread]) => row(`  ${stage}`, spread)),
  ].join('\n');
}

/** Every setting that has an option, with its meaning, default and variable. */
function withSettings(command: Command): Command {
  for (const { option, meaning, fallback, variable } of Object.values(SETTINGS)) {
    if (option === undefined) continue;
    const shown = fallback === undefined || fallback === 'false' ? '' : `, default ${fallback}`;
    command.option(option, `${meaning} (${variable}${shown})`);
  }
  return command;
}

function settingsOf(options: Record<string, unknown>, folder: unknown): Settings {
  const { auth, ...given } = options;
  // commander turns --no-auth into auth: false
  const overrides = { ...given, ...(auth === false && { noAuth: true }) } as Overrides;
  return readSettings(overrides, { folder: typeof folder === 'string' ? folder : null });
}

program.parseAsync().catch((error: unknown) => {
  console.error(`lookalike: ${messageOf(error)}`);
  const ours = error instanceof LookalikeError;
  if (!ours && error instanceof Error) console.error(error.stack);
  process.exit(ours ? (EXIT_CODES[error.code] ?? 1) : 1);
});
