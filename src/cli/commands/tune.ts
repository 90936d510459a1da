import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { SETTINGS } from '../../settings.js';
import type { Tuned } from '../../tune.js';
import { settingsOf, wholeNumber } from '../options.js';
import { print, table } from '../output.js';
import { showStages } from '../progress.js';

interface Options {
  pictures: string;
  dataDir?: string;
  model?: string;
  rounds: number;
  json?: boolean;
}

/** `tune`: measures the settings that depend on the machine. */
export function tuneCommands(program: Command): void {
  program
    .command('tune')
    .description('measure how many threads serve best here, and write that into the data folder')
    .requiredOption('--pictures <folder>', 'some pictures to measure with')
    .addOption(
      new Option(SETTINGS.dataDir.option!, 'data folder of the service that is tuned')
        .env(SETTINGS.dataDir.variable)
        .makeOptionMandatory(),
    )
    .option(SETTINGS.model.option!, SETTINGS.model.meaning)
    .option('--rounds <number>', 'how often each way has its turn', wholeNumber, 15)
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nExample:\n  lookalike tune --pictures ./photos --data-dir ./data')
    .action(async ({ json, pictures, rounds, ...given }: Options) => {
      const settings = settingsOf({ ...given }, null);
      const stop = new AbortController();
      const interrupt = () => stop.abort();
      process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
      const stages = showStages();
      const { tune } = await import('../../tune.js');
      const result = await tune({
        settings,
        pictures: resolve(pictures),
        rounds,
        signal: stop.signal,
        onProgress: (done, total) => stages.show('measuring', done, total),
      }).finally(stages.stop);
      print(json, result, inWords(result));
    });
}

const gained = (what: string, gain: number) =>
  gain === 1
    ? `${what}: nothing is faster than the default`
    : `${what}: ${gain.toFixed(2)} times as fast as the default`;

function inWords({ machine, model, trials, gain, exact, exact_gain, file }: Tuned): string[] {
  const rows = trials.map(({ threads, spinning, alone_ms, together_ms, chosen }) => [
    threads,
    spinning ? 'yes' : 'no',
    Number(alone_ms.toFixed(1)),
    Number(together_ms.toFixed(1)),
    chosen ? 'chosen' : '',
  ]);
  const scans = exact.map(({ threads, search_ms, chosen }) => [
    threads,
    Number(search_ms.toFixed(1)),
    chosen ? 'chosen' : '',
  ]);
  return [
    `${machine}; medians`,
    '',
    `the encoder (${model}), milliseconds a picture`,
    ...table(['threads', 'spinning', 'alone', 'four at once', ''], rows),
    gained('the encoder', gain),
    '',
    'the exact index, milliseconds a search',
    ...table(['threads', 'search', ''], scans),
    gained('the exact index', exact_gain),
    '',
    `written to ${file}; it counts from the next start on`,
  ];
}
