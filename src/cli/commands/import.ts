import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ReadableStream } from 'node:stream/web';
import type { Command } from 'commander';
import {
  type Client,
  type ImportOptions,
  type ImportSource,
  importTypeOf,
  startImport,
} from '../../../client/dist/index.js';
import { LookalikeError, messageOf } from '../../core/errors.js';
import { listImages } from '../../engines/folder.js';
import { type PackedFile, packFiles } from '../../engines/tar-folder.js';
import { finishJob } from '../finish-job.js';
import { type Connection, given, withCollection, withConnection, withWait } from '../options.js';
import { withClient } from '../with-client.js';

type Query = NonNullable<ImportOptions['query']>;

interface ImportCommand extends Connection {
  collection?: string;
  items?: string;
  onDuplicate?: string;
  update?: true;
  inPlace?: true;
  prune?: true;
  errors?: string;
}

const HELP = `
A folder is packed and sent: sub-folder names are labels. Archives and lines are sent as they are, a bank with its items.
The same import again changes nothing; one that was cut off goes on where it stopped.

Examples:
  lookalike import ./photos --data-dir ./data
  lookalike import pictures.zip --url http://localhost:8080 --no-wait
  lookalike import items.ndjson --collection catalogue --errors refused.ndjson
  lookalike import bank.npy --items items.ndjson --data-dir ./data
  lookalike import /srv/photos --in-place --prune --url http://localhost:8080`;

/** `import`: many pictures, or ready vectors. */
export function importCommands(program: Command): void {
  withWait(
    withCollection(
      withConnection(program.command('import').description('take in a folder, an archive, lines or a bank')),
    ),
  )
    .argument('<path>', 'folder, .tar, .tar.gz, .tgz, .zip, .ndjson, .jsonl, .npy or .safetensors')
    .option('--items <file>', 'of a bank: lines with id, label and metadata, line i for row i')
    .option('--on-duplicate <what>', 'with the same file under another id: allow, reject or link')
    .option('--update', 'give pictures that are there the labels and metadata of the import')
    .option('--in-place', 'let the service read it where it lies; with --url, a path on its machine')
    .option('--prune', 'with --in-place: take out pictures whose files are gone from the folder')
    .option('--errors <file>', 'save what was refused, as lines of JSON')
    .addHelpText('after', HELP)
    .action(importPath);
}

async function importPath(path: string, options: ImportCommand): Promise<void> {
  const { items, errors, inPlace, collection, onDuplicate, update, prune, ...connection } = options;
  const query = given({ collection, on_duplicate: onDuplicate, update, prune }) as Query;
  const here = connection.url === undefined;
  const roots = inPlace && here ? [path, ...(items === undefined ? [] : [items])].map(rootOf) : [];
  await withClient(
    connection,
    async (session) => {
      const { source, holds } = inPlace ? there({ path, items, here }) : await packed(path, items);
      const job = await startImport(session.client, source, { query: { ...query, ...(holds && { holds }) } });
      await finishJob(session, job, connection);
      if (errors !== undefined && connection.wait !== false) await save(session.client, job.id, errors);
      else if (connection.wait !== false && !connection.json) await showRefused(session.client, job.id);
    },
    { create: true, importRoots: await Promise.all(roots) },
  );
}

/** A folder itself, or the folder that a file lies in. */
async function rootOf(path: string): Promise<string> {
  const absolute = resolve(path);
  return (await statOf(path)).isDirectory() ? absolute : dirname(absolute);
}

const statOf = (path: string) =>
  stat(path).catch((cause) => {
    throw unreadable(path, cause);
  });

const unreadable = (path: string, cause: unknown) =>
  new LookalikeError('invalid_parameter', `${path} cannot be read: ${messageOf(cause)}`, { cause });

interface Packed {
  source: ImportSource;
  holds?: 'bank';
}

/** A path of this machine is meant from here; one of another machine is handed on as it was typed. */
function there({ path, items, here }: { path: string; items: string | undefined; here: boolean }): Packed {
  const meant = (one: string) => (here ? resolve(one) : one);
  return { source: { path: meant(path), ...(items !== undefined && { items: meant(items) }) } };
}

/** What is sent. Throws `invalid_parameter` for what cannot be read, and for a file that is nothing known. */
async function packed(path: string, items: string | undefined): Promise<Packed> {
  const isFolder = (await statOf(path)).isDirectory();
  const isBank = !isFolder && /\.(npy|safetensors)$/i.test(path);
  if (items !== undefined && !isBank)
    throw new LookalikeError('invalid_parameter', `--items belongs to a .npy or .safetensors, got ${path}`);
  if (isBank) {
    const files = [path, ...(items === undefined ? [] : [items])];
    for (const file of files) await statOf(file);
    const named = [
      { path, name: basename(path) },
      ...files.slice(1).map((one) => ({ path: one, name: 'items.ndjson' })),
    ];
    return { source: tarOf(packFiles(named)), holds: 'bank' };
  }
  if (isFolder) return { source: tarOf(packFiles(await picturesIn(path), sayUnreadable)) };
  const type = importTypeOf(path);
  if (!type)
    throw new LookalikeError(
      'invalid_parameter',
      `${path}: a folder, .tar, .tar.gz, .tgz, .zip, .ndjson, .jsonl, .npy or .safetensors is wanted`,
    );
  return { source: { body: bodyOf(createReadStream(path)), type } };
}

const tarOf = (chunks: AsyncIterable<Uint8Array>): ImportSource => ({ body: bodyOf(chunks), type: 'tar' });

type Body = Extract<ImportSource, { body: unknown }>['body'];
/** Node's own stream is that of the client's types. */
const bodyOf = (chunks: AsyncIterable<Uint8Array>) => ReadableStream.from(chunks) as unknown as Body;

async function picturesIn(folder: string): Promise<PackedFile[]> {
  const found = await listImages(resolve(folder));
  if (found.length > 0) return found.map(({ path, id }) => ({ path, name: id }));
  throw new LookalikeError(
    'nothing_to_index',
    `${folder} holds no JPEG, PNG or WebP file, in no sub-folder either`,
  );
}

const sayUnreadable = ({ path }: PackedFile, cause: unknown): void =>
  console.error(`lookalike: ${path} is left out: ${messageOf(cause)}`);

const reportOf = async (client: Client, job: string): Promise<Response> =>
  (await client.call('get', '/v1/imports/{id}/errors', { path: { id: job } })).data;

async function save(client: Client, job: string, file: string): Promise<void> {
  const report = await reportOf(client, job);
  await pipeline(report.body ? Readable.from(report.body) : Readable.from([]), createWriteStream(file)).catch(
    (cause) => {
      throw new LookalikeError('internal', `${file} could not be written: ${messageOf(cause)}`, { cause });
    },
  );
}

const SHOWN = 20;

/** The first of what was refused, for a person. */
async function showRefused(client: Client, job: string): Promise<void> {
  const lines = (await (await reportOf(client, job)).text()).split('\n').filter((line) => line !== '');
  for (const line of lines.slice(0, SHOWN)) {
    const { place, message } = JSON.parse(line) as { place: string; message: string };
    console.log(`  ${place}: ${message}`);
  }
  if (lines.length > SHOWN)
    console.log(`  … and ${lines.length - SHOWN} more; --errors <file> saves all of them`);
}
