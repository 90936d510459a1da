/** NDJSON as a source of imports: what each line becomes, and that a bad one costs itself only. */
import { mkdir, realpath, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { LookalikeError } from '../../../src/core/errors.js';
import { sha256Of } from '../../../src/engines/files.js';
import { type NdjsonOptions, openNdjson } from '../../../src/engines/ndjson-source.js';
import { unitVectors } from '../../contract/vectors.js';
import { refusal } from '../../fixtures/errors.js';
import { eventsOf, openFiles, pictures, readAll, refusals, vectors } from '../../fixtures/sources.js';
import { tempFolder } from '../../fixtures/temp-folder.js';

const DIMENSION = 16;
const unit = [...unitVectors({ rows: 1, dimension: DIMENSION, seed: 1 }).vectors];
const BYTES = Buffer.from('a picture');
const image = BYTES.toString('base64');
const HASH = sha256Of(BYTES);

let folder: string;
let options: NdjsonOptions;
beforeEach(async () => {
  folder = await realpath(await tempFolder());
  await mkdir(join(folder, 'open', 'cats'), { recursive: true });
  await writeFile(join(folder, 'open', 'cats', 'a.jpg'), BYTES);
  await writeFile(join(folder, 'secret.jpg'), 'secret');
  options = {
    dimension: DIMENSION,
    maxBytes: 1000,
    roots: [join(folder, 'open')],
    checkMetadata: () => undefined,
  };
});

/** A file of these lines; objects as JSON. */
async function open(lines: readonly (object | string | Uint8Array)[], given: Partial<NdjsonOptions> = {}) {
  const path = join(folder, 'lines.ndjson');
  const parts = lines.map((line) =>
    line instanceof Uint8Array ? line : Buffer.from(typeof line === 'string' ? line : JSON.stringify(line)),
  );
  await writeFile(path, Buffer.concat(parts.flatMap((part) => [part, Buffer.from('\n')])));
  return openNdjson(path, { ...options, ...given });
}
const read = async (lines: readonly (object | string | Uint8Array)[], given: Partial<NdjsonOptions> = {}) =>
  eventsOf(await open(lines, given));
/** The error of the only line. */
async function refused(
  line: object | string | Uint8Array,
  given: Partial<NdjsonOptions> = {},
): Promise<LookalikeError> {
  const [event, ...rest] = await read([line], given);
  expect(rest).toEqual([]);
  if (event?.kind !== 'bad') throw new Error(`taken: ${JSON.stringify(event)}`);
  return event.error;
}

describe('a line with a picture in base64', () => {
  it('is the picture, named by its id or its hash', async () => {
    const events = await read([
      { id: 'one', image, label: 'cat', metadata: { n: 1 } },
      { image, sha256: HASH },
    ]);
    expect(events).toMatchObject([
      { kind: 'picture', place: 'line 1', id: 'one', label: 'cat', metadata: { n: 1 }, source: null },
      { kind: 'picture', place: 'line 2', id: `sha256:${HASH}`, label: null, metadata: {}, source: null },
    ]);
    for (const picture of pictures(events)) expect(Buffer.from(await picture.read())).toEqual(BYTES);
  });

  it.each(['', '====', 'a picture', 'aGVsbG8', 'aG=sbG8=', 'data:image/png;base64,aGVsbG8='])(
    'that is not the base64 of a file is refused: %j',
    async (text) => {
      expect(await refused({ image: text })).toMatchObject({ code: 'malformed_body', field: 'image' });
    },
  );

  it('may use either alphabet of base64', async () => {
    const bytes = Buffer.of(0xfb, 0xef, 0xff, 0xfe);
    for (const text of ['++///g==', '--___g=='])
      expect(await pictures(await read([{ image: text }]))[0]!.read()).toEqual(bytes);
  });

  it('with the hash of another picture is refused', async () => {
    expect((await refused({ image, sha256: 'ab'.repeat(32) })).message).toContain(HASH);
  });

  it('of more bytes than allowed is refused, of as many taken', async () => {
    const of = (bytes: number) => ({ id: 'a', image: Buffer.alloc(bytes, 7).toString('base64') });
    for (const bytes of [998, 999, 1000]) expect(pictures(await read([of(bytes)]))).toHaveLength(1);
    const { code, message } = await refused(of(1001));
    expect(code).toBe('image_too_large');
    expect(message).toMatch(/1001.*1000/);
  });
});

describe('a line with a path', () => {
  it('is read when asked for, named by its id or its path', async () => {
    const events = await read([
      { path: 'cats/a.jpg' },
      { path: './cats//a.jpg', id: 'one', label: null },
      { path: join(folder, 'open/cats/a.jpg'), sha256: HASH },
    ]);
    const source = join(folder, 'open/cats/a.jpg');
    expect(events).toMatchObject([
      { kind: 'picture', id: 'cats/a.jpg', source },
      { kind: 'picture', id: 'one', source, label: null },
      { kind: 'picture', id: source, source },
    ]);
    for (const picture of pictures(events)) expect(Buffer.from(await picture.read())).toEqual(BYTES);
  });

  it('goes by one id however the path is written, by its hash when it is too long', async () => {
    const deep = `${'é'.repeat(100)}/${'b'.repeat(100)}`;
    await mkdir(join(folder, 'open', deep), { recursive: true });
    await writeFile(join(folder, 'open', deep, 'a.jpg'), BYTES);
    const events = await read([{ path: './cats/../cats//a.jpg' }, { path: `${deep}/a.jpg` }]);
    expect(pictures(events).map(({ id }) => id)).toEqual([
      'cats/a.jpg',
      sha256Of(Buffer.from(`${deep}/a.jpg`)),
    ]);
  });

  it('outside the open folders is refused, by a link too', async () => {
    await symlink(join(folder, 'secret.jpg'), join(folder, 'open', 'link.jpg'));
    const paths = ['../secret.jpg', join(folder, 'secret.jpg'), 'link.jpg', '/etc/passwd'];
    expect(refusals(await read(paths.map((path) => ({ path }))))).toEqual(
      paths.map((_, i) => `line ${i + 1}: forbidden`),
    );
    expect((await refused({ path: 'cats/a.jpg' }, { roots: [] })).message).toContain(
      'LOOKALIKE_IMPORT_ROOTS',
    );
  });

  it('that is gone, too large, a folder or of another hash costs that line', async () => {
    expect((await refused({ path: 'cats/b.jpg' })).code).toBe('not_found');
    await writeFile(join(folder, 'open', 'large.jpg'), Buffer.alloc(1001));
    const events = pictures(
      await read([{ path: 'large.jpg' }, { path: 'cats' }, { path: 'cats/a.jpg', sha256: 'ab'.repeat(32) }]),
    );
    await refusal('image_too_large', () => events[0]!.read());
    await refusal('invalid_parameter', () => events[1]!.read());
    await refusal('invalid_parameter', () => events[2]!.read());
  });

  it('that became a link after it was checked is not followed', async () => {
    const [picture] = pictures(await read([{ path: 'cats/a.jpg' }]));
    const path = join(folder, 'open/cats/a.jpg');
    await rm(path);
    await symlink(join(folder, 'secret.jpg'), path);
    expect((await refusal('not_found', () => picture!.read())).message).toContain('ELOOP');
  });
});

describe('a line with a vector', () => {
  it('is the vector, named by its id or the hash of its picture', async () => {
    const events = await read([
      { id: 'one', vector: unit, label: 'cat', metadata: { n: 1 } },
      { vector: unit, sha256: HASH },
    ]);
    expect(events).toMatchObject([
      { kind: 'vector', id: 'one', label: 'cat', metadata: { n: 1 }, sha256: null, source: null },
      { kind: 'vector', id: `sha256:${HASH}`, sha256: HASH },
    ]);
    for (const { vector } of vectors(events)) expect(vector).toEqual(Float32Array.from(unit));
  });

  it('needs a name', async () => {
    expect(await refused({ vector: unit })).toMatchObject({ code: 'invalid_parameter', field: 'id' });
  });

  it('of another dimension, of another length or without a length is refused', async () => {
    const wrong = [unit.slice(1), [...unit, 0], [], unit.map((v) => v * 1.001), unit.map(() => 0)];
    for (const vector of wrong) expect((await refused({ id: 'a', vector })).code).toBe('invalid_vector');
    expect(vectors(await read([{ id: 'a', vector: unit.map((v) => v * 1.000005) }]))).toHaveLength(1);
  });

  it.each(['1e999', '-1e39', 'null', '"1"', 'NaN', '[1]'])(
    'with %s among its numbers is refused',
    async (number) => {
      const { code } = await refused(`{"id":"a","vector":[${number},${unit.slice(1).join(',')}]}`);
      expect(code).toBe(
        number === 'NaN' ? 'malformed_body' : number === '-1e39' ? 'invalid_vector' : 'invalid_parameter',
      );
    },
  );
});

describe('a line', () => {
  it('has exactly one of image, path and vector', async () => {
    for (const line of [
      { id: 'a' },
      { id: 'a', image, path: 'cats/a.jpg' },
      { id: 'a', image, vector: unit },
    ])
      expect((await refused(line)).message).toContain('exactly one of image, path and vector');
  });

  it('with a field that is not known is refused by its name', async () => {
    expect(await refused({ id: 'a', image, lable: 'cat' })).toMatchObject({
      code: 'unknown_field',
      field: 'lable',
    });
  });

  it.each([
    ['an empty id', { id: '', image }],
    ['an id of 257 bytes', { id: `${'é'.repeat(128)}a`, image }],
    ['an id that is a number', { id: 7, image }],
    ['an empty label', { label: '', image }],
    ['a label of 257 characters', { label: 'x'.repeat(257), image }],
    ['a label that is a list', { label: ['a'], image }],
    ['metadata that are a list', { metadata: [], image }],
    ['metadata that are null', { metadata: null, image }],
    ['a hash that is none', { sha256: 'abc', image }],
    ['an empty path', { path: '' }],
  ])('with %s is refused', async (_, line) => {
    expect((await refused(line)).code).toBe('invalid_parameter');
  });

  it.each(['{', 'null', '[]', '7', '"text"', '{"image":', "{'image': ''}", '['.repeat(100_000)])(
    'that is no object is refused: %s',
    async (text) => {
      expect(['malformed_body', 'invalid_parameter']).toContain(
        (await refused(text, { maxBytes: 1e6 })).code,
      );
    },
  );

  it('has its metadata checked by the check it was given', async () => {
    const checkMetadata = ({ n }: Record<string, unknown>) => {
      if (n === 2) throw new LookalikeError('invalid_parameter', 'two is too many', { field: 'metadata' });
    };
    const lines = [1, 2, 3].map((n) => ({ id: `${n}`, image, metadata: { n } }));
    const events = await read(lines, { checkMetadata });
    expect(refusals(events)).toEqual(['line 2: invalid_parameter']);
    expect(events[1]).toMatchObject({ id: '2' });
  });

  it('may nest its metadata deeper than a program can go: that costs the line', async () => {
    const deep = `{"id":"a","image":"${image}","metadata":{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}}`;
    const checkMetadata = (metadata: object) => void JSON.stringify(metadata);
    const events = await read([deep, { id: 'b', image }], { checkMetadata, maxBytes: 1e6 });
    expect(events.map(({ kind }) => kind)).toEqual(['bad', 'picture']);
  });
});

describe('a file of lines', () => {
  it('is read on past every bad line', async () => {
    const long = { id: 'long', image: Buffer.alloc(200_000).toString('base64') };
    const lines = [
      '\ufeff',
      { image },
      'no JSON',
      '',
      Buffer.of(0xff),
      long,
      { path: '/etc/passwd' },
      { id: 'z', image },
    ];
    const events = await read(lines);
    expect(refusals(events)).toEqual([
      'line 3: malformed_body',
      'line 5: malformed_body',
      'line 6: body_too_large',
      'line 7: forbidden',
    ]);
    expect(pictures(events).map(({ place }) => place)).toEqual(['line 2', 'line 8']);
  });

  it('tells how far it has been read, and can be read again', async () => {
    const source = await open([
      { id: 'a', image },
      { id: 'b', image },
    ]);
    expect(source.total).toBeNull();
    expect(source.bytesRead()).toBe(0);
    const events = await eventsOf(source);
    expect(source.bytesRead()).toBe(source.bytesTotal);
    expect((await eventsOf(source)).map(({ place }) => place)).toEqual(events.map(({ place }) => place));
  });

  it('can be left early, and stops when it is told to', async () => {
    const controller = new AbortController();
    const source = await open(
      [
        { id: 'a', image },
        { id: 'b', image },
      ],
      { signal: controller.signal },
    );
    for await (const event of source) {
      expect(event.place).toBe('line 1');
      break;
    }
    await expect.poll(() => openFiles(join(folder, 'lines.ndjson'))).toEqual([]);
    const reading = source[Symbol.asyncIterator]();
    await reading.next();
    controller.abort(new Error('stopped'));
    await expect(reading.next()).rejects.toThrow('stopped');
    await expect(source[Symbol.asyncIterator]().next()).rejects.toThrow('stopped');
  });

  it('that is not there is refused', async () => {
    await refusal('not_found', () => openNdjson(join(folder, 'nowhere'), options));
  });
});

describe('of random input', () => {
  it('any bytes cost at most an error a line', async () => {
    const bytes = fc.uint8Array({ maxLength: 400 });
    const json = fc.json({ maxDepth: 3 }).map((text) => Buffer.from(text));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(bytes, json), { maxLength: 5 }), async (lines) => {
        const events = await read(lines);
        expect(events.every(({ kind }) => kind === 'bad')).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('a file cut anywhere gives its whole lines, then at most one error', async () => {
    const lines = [{ id: 'a', image }, { path: 'cats/a.jpg' }, { id: 'é', vector: unit }];
    const whole = (await read(lines)).map(({ place, kind }) => `${place} ${kind}`);
    const ends = lines.map((line) => Buffer.byteLength(JSON.stringify(line)) + 1);
    const size = ends.reduce((sum, length) => sum + length);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: size }), async (length) => {
        const source = await open(lines);
        await truncate(join(folder, 'lines.ndjson'), length);
        const { events, failure } = await readAll(source);
        expect(failure).toBeNull();
        const good = events.filter(({ kind }) => kind !== 'bad').map(({ place, kind }) => `${place} ${kind}`);
        expect(good).toEqual(whole.slice(0, good.length));
        expect(events.length - good.length).toBeLessThanOrEqual(1);
        let full = 0;
        for (let left = length; full < ends.length && left >= ends[full]! - 1; full++) left -= ends[full]!;
        expect(good.length).toBe(full);
      }),
      { numRuns: 150 },
    );
  });
});
