import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { DEFAULT_VOTE_K, DEFAULT_VOTE_TEMPERATURE } from '../../core/vote.js';
import { type EvaluateOptions, type Evaluation, evaluate } from '../evaluate.js';
import {
  type Connection,
  given,
  positive,
  saysFolder,
  wholeNumber,
  withCollection,
  withConnection,
} from '../options.js';
import { print } from '../output.js';
import { train } from '../train.js';
import { withClient } from '../with-client.js';

type Evaluating = Connection & Omit<EvaluateOptions, 'client' | 'folder' | 'onProgress'>;

/** Where "npm start" serves. */
const USUAL_ADDRESS = 'http://localhost:8080';

/** `train` and `evaluate`: make an encoder, and judge one. */
export function trainCommands(program: Command): void {
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

  const evaluating = program
    .command('evaluate')
    .description('weighted-kNN accuracy and times of a service, over a labelled folder');
  withCollection(withConnection(evaluating))
    .argument('<folder>', 'pictures to ask for; sub-folder names are the right answers')
    .addOption(
      new Option('--mode <mode>', 'index to ask').choices(['auto', 'hnsw', 'exact']).default('exact'),
    )
    .option('--vote-k <number>', 'labelled neighbours that vote', wholeNumber, DEFAULT_VOTE_K)
    .option('--temperature <number>', 'of the vote', positive, DEFAULT_VOTE_TEMPERATURE)
    .option('--concurrency <number>', 'requests at once', wholeNumber, 2)
    .option('--limit <number>', 'ask for at most this many pictures, taken evenly', wholeNumber, Infinity)
    .addHelpText(
      'after',
      `
Without --url and --data-dir it asks ${USUAL_ADDRESS}.

Examples:
  lookalike evaluate ./held-out --url http://localhost:9000
  lookalike evaluate ./held-out --data-dir ./data --limit 500`,
    )
    .action(async (folder: string, options: Evaluating) => {
      const tty = process.stderr.isTTY;
      const onProgress = (done: number, total: number) => {
        if (tty && (done % 20 === 0 || done === total)) process.stderr.write(`\r${done} of ${total} `);
      };
      const url = options.url ?? (saysFolder(options) ? undefined : USUAL_ADDRESS);
      const result = await withClient({ ...options, ...given({ url }) }, ({ client }) =>
        evaluate({ ...options, client, folder: resolve(folder), onProgress }),
      );
      if (tty) process.stderr.write('\r');
      print(options.json, result, inWords(result));
    });
}

function inWords(result: Evaluation): string[] {
  const ms = (value: number) => `${value.toFixed(2)} ms`;
  const row = (name: string, { p50, p99, max }: Evaluation['answer_ms']) =>
    `${name.padEnd(10)} p50 ${ms(p50).padStart(10)}   p99 ${ms(p99).padStart(10)}   max ${ms(max).padStart(10)}`;
  return [
    `accuracy ${result.accuracy.toFixed(2)} % (${result.correct} of ${result.pictures - result.refused}, ${result.refused} refused)`,
    `mode ${result.mode}, vote_k ${result.vote_k}, temperature ${result.temperature}, ${result.concurrency} at once`,
    row('answer', result.answer_ms),
    ...Object.entries(result.stages_ms).map(([stage, spread]) => row(`  ${stage}`, spread)),
  ];
}
