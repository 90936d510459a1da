import type { Command } from 'commander';
import type { components } from '../../../client/dist/index.js';
import { EXIT } from '../exit-codes.js';
import { type Connection, collect, given, typed, withCollection, withConnection } from '../options.js';
import { percent, print, table } from '../output.js';
import { pictureFile } from '../picture-file.js';
import { withClient } from '../with-client.js';

type SearchAnswer = components['schemas']['SearchAnswer'];

interface SearchOptions extends Connection {
  collection?: string;
  k?: string;
  voteK?: string;
  temperature?: string;
  minScore?: string;
  label?: string[];
  mode?: 'auto' | 'hnsw' | 'exact';
  ef?: string;
}

/** `search`: the main job. */
export function searchCommands(program: Command): void {
  withCollection(
    withConnection(program.command('search').description('find the pictures that look like one')),
  )
    .argument('<image>', 'file of the picture')
    .option('-k, --k <number>', 'neighbours to show')
    .option('--vote-k <number>', 'labelled neighbours that vote')
    .option('--temperature <number>', 'of the vote')
    .option('--min-score <number>', 'leave out neighbours below this cosine')
    .option('--label <label>', 'only pictures with this label; may be repeated', collect)
    .option('--mode <mode>', 'index to ask: auto, hnsw or exact')
    .option('--ef <number>', 'breadth of the graph search')
    .addHelpText('after', '\nExample:\n  lookalike search x.jpg -k 5 --data-dir ./data')
    .action((image: string, options: SearchOptions) => search(image, options));
}

async function search(image: string, options: SearchOptions): Promise<void> {
  const { collection, label, mode } = options;
  const query = given({
    collection,
    k: typed(options.k),
    vote_k: typed(options.voteK),
    temperature: typed(options.temperature),
    min_score: typed(options.minScore),
    label,
    mode,
    ef: typed(options.ef),
  });
  const picture = await pictureFile(image);
  await withClient(options, async ({ client }) => {
    const { data } = await client.call('post', '/v1/search', { query, ...picture });
    print(options.json, data, inWords(data));
    if (data.neighbours.length === 0) process.exitCode = EXIT.nothing;
  });
}

function inWords({ labels, neighbours, index }: SearchAnswer): string[] {
  const searched = `${index.rows} pictures searched, ${index.exact ? 'exact' : index.mode}`;
  if (neighbours.length === 0) return [`nothing found: ${searched}`];
  return [
    ...table(
      ['label', 'share'],
      labels.map(({ label, share }) => [label, percent(share)]),
    ),
    '',
    ...table(
      ['score', 'share', 'label', 'id'],
      neighbours.map(({ id, label, score, share }) => [score.toFixed(4), percent(share), label ?? '-', id]),
    ),
    '',
    searched,
  ];
}
