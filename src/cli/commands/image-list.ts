import type { Command } from 'commander';
import { type components, pagesOf } from '../../../client/dist/index.js';
import { EXIT } from '../exit-codes.js';
import { type Connection, collect, given, typed, withCollection, withConnection } from '../options.js';
import { print, table } from '../output.js';
import { type Session, withClient } from '../with-client.js';

type ImageList = components['schemas']['ImageList'];

interface ListOptions extends Connection {
  collection?: string;
  label?: string[];
  order?: 'id' | 'created' | '-created';
  sha256?: string;
  limit?: string;
  cursor?: string;
  all?: boolean;
}

/** `images list`: page by page, or all of them. */
export function imageListCommands(images: Command): void {
  withCollection(withConnection(images.command('list').description('list them, page by page')))
    .option('--label <label>', 'only those with this label; may be repeated', collect)
    .option('--order <order>', 'id, created (the oldest first) or -created')
    .option('--sha256 <hex>', 'only those of this very file')
    .option('--limit <number>', 'at most this many on a page')
    .option('--cursor <cursor>', 'go on where a page ended')
    .option('--all', 'all pages; with --json, one picture a line')
    .addHelpText('after', '\nExample:\n  lookalike images list --label cat --all --json | jq -r .id')
    .action(list);
}

async function list(options: ListOptions): Promise<void> {
  await withClient(options, async (session) => {
    if (options.all) return await listAll(session, options);
    const { data } = await session.client.call('get', '/v1/images', { query: parametersOf(options) });
    print(options.json, data, inWords(data));
    if (!options.json && data.next_cursor !== null) console.error(`more: --cursor ${data.next_cursor}`);
    if (data.images.length === 0) process.exitCode = EXIT.nothing;
  });
}

async function listAll({ client }: Session, options: ListOptions): Promise<void> {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parametersOf(options)))
    for (const one of [value].flat()) query.append(name, String(one));
  let found = 0;
  for await (const page of pagesOf<ImageList>(client, `/v1/images?${query}`)) {
    const lines = options.json ? page.images.map((image) => JSON.stringify(image)) : inWords(page);
    // The heading stands once.
    print(false, null, options.json || found === 0 ? lines : lines.slice(1));
    found += page.images.length;
  }
  if (found === 0) process.exitCode = EXIT.nothing;
}

function parametersOf({ collection, label, order, sha256, limit, cursor }: ListOptions) {
  return given({ collection, label, order, sha256, limit: typed(limit), cursor });
}

const inWords = ({ images }: ImageList): string[] =>
  table(
    ['id', 'label', 'created'],
    images.map(({ id, label, created_at }) => [id, label ?? '-', created_at]),
  );
