import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { components } from '../../../client/dist/index.js';
import { jsonOf } from '../json-text.js';
import { type Connection, given, typed, withCollection, withConnection } from '../options.js';
import { print, table } from '../output.js';
import { pictureFile } from '../picture-file.js';
import { saveBody } from '../save-body.js';
import { withClient } from '../with-client.js';
import { imageListCommands } from './image-list.js';

type Image = components['schemas']['Image'];

interface ImageOptions extends Connection {
  collection?: string;
  label?: string | false;
  metadata?: string;
  ifMatch?: string;
}

interface AddOptions extends ImageOptions {
  label?: string;
  id?: string;
  onDuplicate?: 'allow' | 'reject' | 'link';
  near?: string;
  orientations?: boolean;
  idempotencyKey?: string;
}

/** `images`: the pictures of a collection, one by one; `import` is for many. */
export function imageCommands(program: Command): void {
  const images = program.command('images').description('add, list, show, replace, edit and remove pictures');
  imageListCommands(images);
  const verb = (name: string, what: string) =>
    withCollection(withConnection(images.command(name).description(what)));

  verb('add', 'store a picture; the very next search finds it')
    .argument('<file>', 'its file')
    .option('--id <id>', 'its id (default: one is made)')
    .option('--label <label>', 'its label')
    .option('--metadata <json>', 'an object such as {"colour":"red"}')
    .option('--on-duplicate <what>', 'with one that is there already: allow, reject or link')
    .option('--near <number>', 'cosine from which a picture counts as the same')
    .option('--orientations', 'a mirrored or turned one counts too')
    .option('--idempotency-key <key>', 'a repeated call with the same key stores nothing twice')
    .addHelpText('after', '\nExample:\n  lookalike images add x.jpg --label cat --on-duplicate reject')
    .action(add);

  verb('get', 'show one')
    .argument('<id>', 'its id')
    .addHelpText('after', '\nExample:\n  lookalike images get cats/7.jpg --json')
    .action((id: string, { collection, ...options }: ImageOptions) =>
      withClient(options, async ({ client }) => {
        const query = given({ collection });
        const { data } = await client.call('get', '/v1/images/{id}', { path: { id }, query });
        print(options.json, data, inWords(data));
      }),
    );

  verb('put', 'store a picture in place of another one, or as a new one')
    .argument('<id>', 'its id')
    .argument('<file>', 'its file')
    .option('--label <label>', 'its label; without it, it has none')
    .option('--metadata <json>', 'an object; without it, there is none')
    .option('--if-match <etag>', 'only when it is still the one with this ETag')
    .addHelpText('after', '\nExample:\n  lookalike images put cats/7.jpg better.jpg --label cat')
    .action((id: string, file: string, options: AddOptions) => put(id, file, options));

  verb('edit', 'change label and metadata')
    .argument('<id>', 'its id')
    .option('--label <label>', 'its label from now on')
    .option('--no-label', 'take its label away')
    .option('--metadata <json>', 'a merge patch: what is named changes, null removes')
    .option('--if-match <etag>', 'only when it is still the one with this ETag')
    .addHelpText(
      'after',
      '\nExample:\n  lookalike images edit cats/7.jpg --label dog --metadata \'{"seen":null}\'',
    )
    .action(edit);

  verb('remove', 'delete one; no search finds it from then on')
    .argument('<id>', 'its id')
    .option('--if-match <etag>', 'only when it is still the one with this ETag')
    .addHelpText('after', '\nExample:\n  lookalike images remove cats/7.jpg')
    .action((id: string, { collection, ...options }: ImageOptions) =>
      withClient(options, async ({ client }) => {
        const request = { path: { id }, query: given({ collection }), headers: ifMatch(options) };
        await client.call('delete', '/v1/images/{id}', request);
        print(options.json, { removed: id }, [`removed ${id}`]);
      }),
    );

  verb('thumbnail', 'fetch the small picture of one')
    .argument('<id>', 'its id')
    .requiredOption('--out <file>', 'where it goes: a WebP')
    .addHelpText('after', '\nExample:\n  lookalike images thumbnail cats/7.jpg --out 7.webp')
    .action((id: string, { collection, out, ...options }: ImageOptions & { out: string }) =>
      withClient(options, async ({ client }) => {
        const query = given({ collection });
        const { data } = await client.call('get', '/v1/images/{id}/thumbnail', { path: { id }, query });
        const path = resolve(out);
        await saveBody(data, path);
        print(options.json, { id, path }, [path]);
      }),
    );
}

async function add(file: string, options: AddOptions): Promise<void> {
  const { collection, id, label, metadata, onDuplicate, orientations, idempotencyKey } = options;
  const picture = await pictureFile(file);
  await withClient(options, async ({ client }) => {
    const near = typed(options.near);
    const query = given({ collection, id, label, metadata, on_duplicate: onDuplicate, near, orientations });
    const headers = { ...picture.headers, ...(idempotencyKey && { 'Idempotency-Key': idempotencyKey }) };
    const { data, status } = await client.call('post', '/v1/images', { query, body: picture.body, headers });
    const verdict = status === 201 ? 'added' : 'there already, nothing was stored';
    print(options.json, data, [`${verdict}: ${data.id}`, ...inWords(data)]);
  });
}

async function put(id: string, file: string, options: AddOptions): Promise<void> {
  const { collection, label, metadata } = options;
  const picture = await pictureFile(file);
  await withClient(options, async ({ client }) => {
    const request = {
      path: { id },
      query: given({ collection, label, metadata }),
      headers: { ...picture.headers, ...ifMatch(options) },
      body: picture.body,
    };
    const { data, status } = await client.call('put', '/v1/images/{id}', request);
    print(options.json, data, [status === 201 ? `added: ${id}` : `replaced: ${id}`, ...inWords(data)]);
  });
}

async function edit(id: string, options: ImageOptions): Promise<void> {
  const { collection, label, metadata } = options;
  const patch = given({
    label: label === false ? null : label,
    metadata: metadata === undefined ? undefined : jsonOf(metadata, '--metadata'),
  }) as components['schemas']['ImagePatch'];
  await withClient(options, async ({ client }) => {
    const request = { path: { id }, query: given({ collection }), headers: ifMatch(options), json: patch };
    const { data } = await client.call('patch', '/v1/images/{id}', request);
    print(options.json, data, inWords(data));
  });
}

const ifMatch = ({ ifMatch: etag }: ImageOptions): Record<string, string> =>
  etag === undefined ? {} : { 'If-Match': etag };

function inWords({ id, label, metadata, picture, sha256, created_at, updated_at }: Image): string[] {
  const facts = picture && `${picture.format}, ${picture.width} x ${picture.height}, ${picture.bytes} bytes`;
  return table(
    ['id', id],
    [
      ['label', label ?? '-'],
      ['metadata', JSON.stringify(metadata)],
      ['file', facts ?? 'only a vector came'],
      ['sha256', sha256],
      ['created', created_at],
      ['updated', updated_at],
    ],
  );
}
