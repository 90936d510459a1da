/** Vectors that were made elsewhere as a source of imports: rows and items belong together, or nothing is taken. */
import { mkdir, realpath, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { LookalikeError } from '../../../src/core/errors.js';
import { type BankSourceOptions, openBankFiles } from '../../../src/engines/bank-source.js';
import { encodeSafetensors } from '../../../src/engines/safetensors.js';
import { unitVectors } from '../../contract/vectors.js';
import { refusal } from '../../fixtures/errors.js';
import { npyBytes } from '../../fixtures/npy.js';
import { eventsOf, openFiles, readAll, refusals, vectors } from '../../fixtures/sources.js';
import { tempFolder } from '../../fixtures/temp-folder.js';

const [ROWS, DIMENSION] = [5, 16];
const bank = unitVectors({ rows: ROWS, dimension: DIMENSION, seed: 1 }).vectors;
const row = (i: number) => bank.slice(i * DIMENSION, (i + 1) * DIMENSION);
const SHAPE = `(${ROWS}, ${DIMENSION})`;
const npy = npyBytes(SHAPE, new Uint8Array(bank.buffer));

let folder: string;
let options: BankSourceOptions;
beforeEach(async () => {
  folder = await realpath(await tempFolder());
  await mkdir(join(folder, 'open'));
  await writeFile(join(folder, 'open', 'a.jpg'), 'a');
  await writeFile(join(folder, 'secret.jpg'), 'secret');
  options = { dimension: DIMENSION, roots: [join(folder, 'open')], checkMetadata: () => undefined };
});

const item = (i: number, given: object = {}) => ({ id: `id ${i}`, ...given });
const ITEMS = Array.from({ length: ROWS }, (_, i) => item(i));
type Lines = readonly (object | string)[];

async function open(bytes: Uint8Array, lines: Lines | null = null, given: Partial<BankSourceOptions> = {}) {
  const files = { vectors: join(folder, 'vectors'), items: lines && join(folder, 'items.ndjson') };
  await writeFile(files.vectors, bytes);
  if (files.items)
    await writeFile(
      files.items,
      lines!.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join(''),
    );
  return openBankFiles(files, { ...options, ...given });
}
const read = async (bytes: Uint8Array, lines: Lines | null = null, given: Partial<BankSourceOptions> = {}) =>
  eventsOf(await open(bytes, lines, given));
const withItem = (i: number, line: object | string): Lines =>
  ITEMS.map((given, at) => (at === i ? line : given));

describe('vectors without items', () => {
  it.each([
    ['npy', npy],
    ['npy of 64 bits', npyBytes(SHAPE, new Uint8Array(Float64Array.from(bank).buffer), { descr: '<f8' })],
    ['safetensors', encodeSafetensors('vectors', bank, [ROWS, DIMENSION])],
    ['safetensors of any name', encodeSafetensors('embeddings', bank, [ROWS, DIMENSION])],
  ])('from %s go by their row numbers', async (_, bytes) => {
    expect(await read(bytes)).toEqual(
      Array.from({ length: ROWS }, (_, i) => ({
        kind: 'vector',
        place: `row ${i}`,
        id: `${i}`,
        label: null,
        metadata: {},
        source: null,
        sha256: null,
        vector: row(i),
      })),
    );
  });

  it('are copies: none of them keeps its page in memory', async () => {
    for (const { vector } of vectors(await read(npy))) expect(vector.buffer.byteLength).toBe(DIMENSION * 4);
  });

  it('tell how many they are and how far they have been read', async () => {
    const source = await open(npy);
    expect([source.total, source.bytesTotal, source.bytesRead()]).toEqual([ROWS, ROWS * DIMENSION * 4, 0]);
    await eventsOf(source);
    expect(source.bytesRead()).toBe(source.bytesTotal);
  });

  it('may be none at all', async () => {
    expect(await read(npyBytes(`(0, ${DIMENSION})`, new Uint8Array(0)), [])).toEqual([]);
  });
});

describe('vectors with items', () => {
  it('take what line i says for row i', async () => {
    const all = { label: 'cat', sha256: 'ab'.repeat(32), metadata: { n: 1 }, source: 'a.jpg' };
    const events = await read(npy, withItem(2, item(2, all)));
    expect(vectors(events).map(({ id }) => id)).toEqual(ITEMS.map(({ id }) => id));
    expect(events[2]).toMatchObject({ ...all, source: join(folder, 'open', 'a.jpg'), vector: row(2) });
    expect(events[1]).toMatchObject({ label: null, sha256: null, metadata: {}, source: null });
  });

  it('do without a picture that is not here, but not with one that must not be read', async () => {
    await symlink(join(folder, 'secret.jpg'), join(folder, 'open', 'link.jpg'));
    const sources = ['a.jpg', 'gone.jpg', 'link.jpg', '../secret.jpg', '/etc/passwd'];
    const events = await read(
      npy,
      sources.map((source, i) => item(i, { source })),
    );
    expect(refusals(events)).toEqual([2, 3, 4].map((i) => `row ${i}: forbidden`));
    expect(vectors(events).map(({ source }) => source)).toEqual([join(folder, 'open', 'a.jpg'), null]);
  });

  it.each([
    ['is no JSON', '{', 'malformed_body'],
    ['is no object', '[]', 'invalid_parameter'],
    ['has no id', { label: 'cat' }, 'invalid_parameter'],
    ['has an empty id', { id: '' }, 'invalid_parameter'],
    ['has an id of 257 bytes', { id: 'x'.repeat(257) }, 'invalid_parameter'],
    ['has a field that is not known', item(2, { name: 'a' }), 'unknown_field'],
    ['has a hash that is none', item(2, { sha256: 'abc' }), 'invalid_parameter'],
    ['is longer than a line may be', item(2, { metadata: { text: 'x'.repeat(1 << 20) } }), 'body_too_large'],
    ['has metadata that the check refuses', item(2, { metadata: { bad: true } }), 'invalid_parameter'],
  ])('lose the row whose line %s, and no other', async (_, line, code) => {
    const checkMetadata = ({ bad }: Record<string, unknown>) => {
      if (bad) throw new LookalikeError('invalid_parameter', 'bad');
    };
    const events = await read(npy, withItem(2, line), { checkMetadata });
    expect(refusals(events)).toEqual([`row 2: ${code}`]);
    expect(vectors(events).map(({ vector }) => vector)).toEqual([0, 1, 3, 4].map(row));
  });

  it('lose the rows that are no unit vectors', async () => {
    const damaged = bank.slice();
    damaged[DIMENSION] = Number.NaN;
    damaged.fill(0, 3 * DIMENSION, 4 * DIMENSION);
    const events = await read(npyBytes(SHAPE, new Uint8Array(damaged.buffer)), ITEMS);
    expect(refusals(events)).toEqual(['row 1: invalid_vector', 'row 3: invalid_vector']);
    expect(events[1]).toMatchObject({ id: 'id 1' });
  });
});

describe('a bank that is refused as a whole', () => {
  it('has vectors of another dimension than the model', async () => {
    const { message } = await refusal('bank_invalid', () => open(npy, null, { dimension: 128 }));
    expect(message).toMatch(/16.*128/);
  });

  it.each([0, 4, 6])('has %i items for 5 rows', async (count) => {
    const lines = Array.from({ length: count }, (_, i) => item(i));
    expect((await refusal('bank_invalid', () => open(npy, lines))).message).toMatch(
      new RegExp(`5 vectors and ${count} items`),
    );
  });

  it('is no bank, or is not there', async () => {
    await refusal('bank_invalid', () => open(Buffer.from('hello, this is a text')));
    await refusal('bank_invalid', () => open(new Uint8Array(0)));
    await refusal('not_found', () =>
      openBankFiles({ vectors: join(folder, 'nowhere'), items: null }, options),
    );
    const items = join(folder, 'nowhere');
    await writeFile(join(folder, 'vectors'), npy);
    await refusal('not_found', () => openBankFiles({ vectors: join(folder, 'vectors'), items }, options));
  });

  it('changes while it is read: what came before stays given', async () => {
    const source = await open(npy, ITEMS);
    await truncate(join(folder, 'items.ndjson'), JSON.stringify(ITEMS[0]).length + 1);
    const { events, failure } = await readAll(source);
    expect(events.map(({ place }) => place)).toEqual(['row 0']);
    expect(failure).toMatchObject({ code: 'bank_invalid' });
  });
});

it('blank lines count for nothing, and a last line needs no end', async () => {
  const text = `\ufeff${ITEMS.map((line) => JSON.stringify(line)).join('\r\n\r\n')}`;
  const files = { vectors: join(folder, 'vectors'), items: join(folder, 'items.ndjson') };
  await writeFile(files.vectors, npy);
  await writeFile(files.items, text);
  expect(vectors(await eventsOf(await openBankFiles(files, options))).map(({ id }) => id)).toEqual(
    ITEMS.map(({ id }) => id),
  );
});

it('can be read twice, left early and stopped', async () => {
  const controller = new AbortController();
  const source = await open(npy, ITEMS, { signal: controller.signal });
  for await (const event of source) {
    expect(event.place).toBe('row 0');
    break;
  }
  for (const name of ['vectors', 'items.ndjson'])
    await expect.poll(() => openFiles(join(folder, name))).toEqual([]);
  expect(await eventsOf(source)).toEqual(await eventsOf(source));
  const reading = source[Symbol.asyncIterator]();
  await reading.next();
  controller.abort(new Error('stopped'));
  await expect(reading.next()).rejects.toThrow('stopped');
});

it('any lines beside the vectors cost at most a row each', async () => {
  const line = fc.oneof(fc.json({ maxDepth: 2 }), fc.stringMatching(/^[^\s]+$/, { size: 'small' }));
  await fc.assert(
    fc.asyncProperty(fc.array(line, { minLength: ROWS, maxLength: ROWS }), async (lines) => {
      const { events, failure } = await readAll(await open(npy, lines));
      expect(failure).toBeNull();
      expect(events).toHaveLength(ROWS);
    }),
  );
});
