import type { Command } from 'commander';
import type { components } from '../../../client/dist/index.js';
import { LookalikeError } from '../../core/errors.js';
import { EXIT, exitCodeOfCode } from '../exit-codes.js';
import { type Connection, collect, given, typed, withCollection, withConnection } from '../options.js';
import { percent, print, table } from '../output.js';
import { pictureFile } from '../picture-file.js';
import { examplesOf, isFile, PICTURE_HELP, queryOf } from '../queries.js';
import { type Session, withClient } from '../with-client.js';

type SearchAnswer = components['schemas']['SearchAnswer'];
type BatchAnswer = components['schemas']['BatchAnswer'];

interface SearchOptions extends Connection {
  like?: string[];
  unlike?: string[];
  collection?: string;
  k?: string;
  voteK?: string;
  temperature?: string;
  minScore?: string;
  label?: string[];
  where?: string;
  mode?: 'auto' | 'hnsw' | 'exact';
  ef?: string;
  beta?: string;
}

const EXAMPLES = `
Examples:
  lookalike search x.jpg -k 5 --data-dir ./data
  lookalike search id:cats/7.jpg --where '{"year":{"gte":2020}}'
  lookalike search --like id:a.jpg --like b.jpg --unlike c.jpg
  lookalike search *.jpg --json --url http://localhost:8080     up to 64, each answered by itself`;

/** `search`: the main job. */
export function searchCommands(program: Command): void {
  withCollection(
    withConnection(program.command('search').description('find the pictures that look like one')),
  )
    .argument('[pictures...]', PICTURE_HELP)
    .option(
      '--like <picture>',
      'an example of what is wanted, named in the same way; may be repeated',
      collect,
    )
    .option('--unlike <picture>', 'an example of what is not wanted; may be repeated', collect)
    .option('-k, --k <number>', 'neighbours to show')
    .option('--vote-k <number>', 'labelled neighbours that vote')
    .option('--temperature <number>', 'of the vote')
    .option('--min-score <number>', 'leave out neighbours below this cosine')
    .option('--label <label>', 'only pictures with this label; may be repeated', collect)
    .option('--where <json>', 'only pictures whose metadata fits, e.g. {"colour":"red"}')
    .option('--mode <mode>', 'index to ask: auto, hnsw or exact')
    .option('--ef <number>', 'breadth of the graph search')
    .option('--beta <number>', 'weight of the examples that are not wanted')
    .addHelpText('after', EXAMPLES)
    .action((pictures: string[], options: SearchOptions) =>
      pictures.length > 1 ? searchMany(pictures, options) : searchOne(pictures[0], options),
    );
}

async function searchOne(picture: string | undefined, options: SearchOptions): Promise<void> {
  const asked = await bodyOf(picture, options);
  await withClient(options, async ({ client }) => {
    const { data } = await client.call('post', '/v1/search', { query: parametersOf(options), ...asked });
    print(options.json, data, inWords(data));
    if (data.neighbours.length === 0) process.exitCode = EXIT.nothing;
  });
}

async function bodyOf(picture: string | undefined, { like = [], unlike = [] }: SearchOptions) {
  const examples = like.length + unlike.length > 0;
  if (examples === (picture !== undefined))
    throw new LookalikeError(
      'missing_image',
      `name either a picture or examples with --like, ${examples ? 'not both' : 'got neither'}`,
    );
  if (picture === undefined) return { json: await examplesOf(like, unlike) };
  return isFile(picture) ? await pictureFile(picture) : { json: await queryOf(picture) };
}

async function searchMany(pictures: readonly string[], options: SearchOptions): Promise<void> {
  if (options.like || options.unlike)
    throw new LookalikeError(
      'invalid_parameter',
      '--like and --unlike make one query: name no pictures beside',
    );
  const queries = await Promise.all(pictures.map(queryOf));
  await withClient(options, async ({ client }: Session) => {
    const query = parametersOf(options);
    const { data } = await client.call('post', '/v1/search/batch', { query, json: { queries } });
    print(
      options.json,
      data,
      data.results.flatMap((one, i) => [`${pictures[i]}:`, ...resultInWords(one), '']),
    );
    process.exitCode = exitOf(data);
  });
}

function parametersOf(options: SearchOptions) {
  const { collection, label, where, mode } = options;
  return given({
    collection,
    k: typed(options.k),
    vote_k: typed(options.voteK),
    temperature: typed(options.temperature),
    min_score: typed(options.minScore),
    label,
    where,
    mode,
    ef: typed(options.ef),
    beta: typed(options.beta),
  });
}

const resultInWords = (one: BatchAnswer['results'][number]): string[] =>
  'error' in one ? [one.error.detail ?? one.error.title] : inWords(one);

/** That of the first query which was refused; nothing found when none found anything. */
function exitOf({ results }: BatchAnswer): number {
  for (const one of results) if ('error' in one) return exitCodeOfCode(one.error.code);
  const found = results.some((one) => 'neighbours' in one && one.neighbours.length > 0);
  return found ? EXIT.done : EXIT.nothing;
}

function inWords({ labels, neighbours, index, abstained }: SearchAnswer): string[] {
  const searched = `${index.rows} pictures searched, ${index.exact ? 'exact' : index.mode}`;
  if (neighbours.length === 0) return [`nothing found: ${searched}`];
  return [
    ...labelsInWords(labels),
    ...(abstained ? ['no label is sure enough'] : []),
    '',
    ...table(
      ['score', 'share', 'label', 'id'],
      neighbours.map(({ id, label, score, share }) => [score.toFixed(4), percent(share), label ?? '-', id]),
    ),
    '',
    searched,
  ];
}

function labelsInWords(labels: SearchAnswer['labels']): string[] {
  const calibrated = labels.some(({ probability }) => probability !== undefined);
  const rows = labels.map(({ label, share, probability }) => [
    label,
    percent(share),
    ...(calibrated ? [percent(probability ?? 0)] : []),
  ]);
  return table(['label', 'share', ...(calibrated ? ['probability'] : [])], rows);
}
