import { resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Bench, type BenchOptions, bench } from '../bench.js';
import { type Connection, wholeNumber, withCollection, withConnection } from '../options.js';
import { print, table } from '../output.js';
import { showStages } from '../progress.js';
import { withClient } from '../with-client.js';

type Benching = Connection & Pick<BenchOptions, 'collection' | 'mode' | 'requests' | 'clients'>;

/** `bench`: how fast a service answers. */
export function benchCommands(program: Command): void {
  withCollection(
    withConnection(
      program.command('bench').description('how fast pictures are answered, and which stage takes how long'),
    ),
  )
    .argument('<folder>', 'pictures to ask with, in turn')
    .addOption(new Option('--mode <mode>', 'index to ask').choices(['auto', 'hnsw', 'exact']).default('auto'))
    .option('--requests <number>', 'searches to measure at each number of clients', wholeNumber, 200)
    .option('--clients <numbers>', 'clients at once, one measurement each', numbers, [1, 4])
    .addHelpText(
      'after',
      `
Times are those of this machine at this moment: compare what was measured side by side. A running service limits how
often one caller may ask (LOOKALIKE_RATE_LIMIT); what it refuses is counted.

Examples:
  lookalike bench ./photos --data-dir ./data
  lookalike bench ./photos --url http://localhost:8080 --clients 1,2,4,8 --mode exact`,
    )
    .action(async (folder: string, options: Benching) => {
      const stages = showStages();
      const onProgress = (done: number, total: number) => stages.show('asking', done, total);
      const result = await withClient(options, ({ client, signal }) =>
        bench({ ...options, client, signal, folder: resolve(folder), onProgress }),
      ).finally(stages.stop);
      print(options.json, result, inWords(result));
    });
}

/** `1,2,4` as numbers. */
function numbers(text: string): number[] {
  const parts = text.split(',');
  if (parts.every((part) => /^[1-9]\d{0,2}$/.test(part))) return parts.map(Number);
  throw new InvalidArgumentError('Whole numbers from 1 to 999 are wanted, as in 1,2,4.');
}

function inWords({ pictures, requests, rows, used, levels }: Bench): string[] {
  const ms = (value: number) => Number(value.toFixed(2));
  return [
    `${requests} searches at each number of clients, ${pictures} pictures in turn; ${rows} rows, ${used.join(' and ') || 'nothing answered'}`,
    '',
    ...table(
      ['clients', 'answers/s', 'p50 ms', 'p99 ms', 'longest', 'refused'],
      levels.map(({ clients, answers_per_second, answer_ms: { p50, p99, max }, refused }) => [
        clients,
        Number(answers_per_second.toFixed(1)),
        ms(p50),
        ms(p99),
        ms(max),
        refused,
      ]),
    ),
    '',
    ...table(
      ['median ms of', ...levels.map(({ clients }) => `${clients} at once`)],
      Object.keys(levels[0]?.stages_ms ?? {}).map((stage) => [
        stage,
        ...levels.map(({ stages_ms }) => ms(stages_ms[stage]?.p50 ?? 0)),
      ]),
    ),
  ];
}
