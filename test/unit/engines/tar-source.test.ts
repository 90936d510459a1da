/** Tar archives as a source of imports: ids and labels like a folder's, and whatever an archive can hold that is no picture. */
import { execFile } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { type Header, pack } from 'tar-stream';
import { beforeEach, describe, expect, it } from 'vitest';
import type { PictureEntry } from '../../../src/core/import-entry.js';
import { sha256Of } from '../../../src/engines/files.js';
import { listImages } from '../../../src/engines/folder.js';
import { openTar, type TarOptions } from '../../../src/engines/tar-source.js';
import { refusal } from '../../fixtures/errors.js';
import { eventsOf, openFiles, pictures, readAll, refusals } from '../../fixtures/sources.js';
import { tempFolder } from '../../fixtures/temp-folder.js';

const run = promisify(execFile);
const OPTIONS: TarOptions = { maxBytes: 100_000, maxTotalBytes: 10_000_000 };
const text = async (picture: PictureEntry) => Buffer.from(await picture.read()).toString();

let folder: string;
beforeEach(async () => {
  folder = await tempFolder();
});

type Entry = Partial<Header> & { name: string; content?: string | Buffer };

/** An archive with these entries; the content of an entry is its name unless it is given. */
async function archive(entries: readonly (Entry | string)[]): Promise<Buffer> {
  const tar = pack();
  for (const given of entries) {
    const { content, ...header } = typeof given === 'string' ? { name: given, content: given } : given;
    const isFile = header.type === undefined || header.type === 'file';
    if (isFile) tar.entry(header, content ?? header.name);
    else tar.entry(header);
  }
  tar.finalize();
  const pieces: Uint8Array[] = [];
  await pipeline(tar as unknown as AsyncIterable<Uint8Array>, async (chunks) => {
    for await (const chunk of chunks) pieces.push(chunk);
  });
  return Buffer.concat(pieces);
}

async function open(bytes: Uint8Array, given: Partial<TarOptions> = {}) {
  const path = join(folder, 'archive');
  await writeFile(path, bytes);
  return openTar(path, { ...OPTIONS, ...given });
}
const readBytes = async (bytes: Uint8Array, given: Partial<TarOptions> = {}) =>
  readAll(await open(bytes, given));
const read = async (entries: readonly (Entry | string)[], given: Partial<TarOptions> = {}) =>
  eventsOf(await open(await archive(entries), given));

describe('an archive', () => {
  it('gives its pictures the ids and labels that a folder gives', async () => {
    const names = [
      'top.jpg',
      'cat/1.jpg',
      'cat/young/2.png',
      'big dog/é.webp',
      'c.Jpeg',
      'notes.txt',
      '.hidden.jpg',
      'cat/.x/y.jpg',
    ];
    for (const name of names) {
      await mkdir(dirname(join(folder, 'in', name)), { recursive: true });
      await writeFile(join(folder, 'in', name), name);
    }
    for (const [flags, name] of [
      ['-cf', 'a.tar'],
      ['-czf', 'a.tar.gz'],
    ] as const) {
      await run('tar', [flags, join(folder, name), '-C', join(folder, 'in'), '.']);
      const source = await openTar(join(folder, name), OPTIONS);
      const found = pictures(await eventsOf(source)).sort((a, b) => (a.id < b.id ? -1 : 1));
      const listed = await listImages(join(folder, 'in'));
      expect(found.map(({ id, label }) => ({ id, label }))).toEqual(
        listed.map(({ id, label }) => ({ id, label })),
      );
      for (const picture of found) {
        expect(picture).toMatchObject({ place: picture.id, source: null, metadata: {} });
        expect(await text(picture)).toBe(picture.id);
      }
      expect(source.ignored()).toBe(3);
      expect(source.bytesRead()).toBe(source.bytesTotal);
      expect(source.total).toBeNull();
    }
  });

  it('writes a name with dots and double slashes the plain way', async () => {
    const events = await read(['./a.jpg', 'cat//./b.jpg', '././c.jpg']);
    expect(pictures(events).map(({ id, label }) => [id, label])).toEqual([
      ['a.jpg', null],
      ['cat/b.jpg', 'cat'],
      ['c.jpg', null],
    ]);
  });

  it('may have names longer than an id: they go by their hash', async () => {
    const name = `${'é'.repeat(60)}/${'x'.repeat(200)}.jpg`;
    const [picture] = pictures(await read([name]));
    expect(picture).toMatchObject({ id: sha256Of(Buffer.from(name)), label: 'é'.repeat(60), place: name });
  });

  it('may be empty, of an empty picture, or of no picture', async () => {
    expect(await read([])).toEqual([]);
    const [picture] = pictures(await read([{ name: 'a.jpg', content: Buffer.alloc(0) }]));
    expect(await text(picture!)).toBe('');
    const source = await open(await archive(['a.txt', 'b', 'c.svg']));
    expect(await eventsOf(source)).toEqual([]);
    expect(source.ignored()).toBe(3);
  });

  it('can be read twice, and left early', async () => {
    const source = await open(await archive(['a.jpg', 'b.txt', 'c.jpg']));
    for await (const event of source) {
      expect(event.place).toBe('a.jpg');
      break;
    }
    await expect.poll(() => openFiles(join(folder, 'archive'))).toEqual([]);
    for (let time = 0; time < 2; time++) {
      expect((await eventsOf(source)).map(({ place }) => place)).toEqual(['a.jpg', 'c.jpg']);
      expect(source.ignored()).toBe(1);
    }
  });

  it('is read no further when it is told to stop, also while nothing comes out of it', async () => {
    const controller = new AbortController();
    const bytes = await archive(['a.jpg', ...Array.from({ length: 5000 }, (_, i) => `${i}.txt`), 'z.jpg']);
    const reading = (await open(bytes, { signal: controller.signal }))[Symbol.asyncIterator]();
    await reading.next();
    const next = reading.next();
    controller.abort(new Error('stopped'));
    await expect(next).rejects.toThrow('stopped');
    expect(await reading.next()).toEqual({ done: true, value: undefined });
  });
});

describe('an entry that is refused costs itself', () => {
  it('when it leads out of the archive', async () => {
    const events = await read([
      '../a.jpg',
      'b.jpg',
      '/etc/c.jpg',
      'cat/../../d.jpg',
      'cat/../e.jpg',
      '../f.txt',
      'g.jpg',
    ]);
    expect(refusals(events)).toEqual(
      ['../a.jpg', '/etc/c.jpg', 'cat/../../d.jpg', 'cat/../e.jpg', '../f.txt'].map(
        (name) => `${name}: invalid_parameter`,
      ),
    );
    expect(pictures(events).map(({ id }) => id)).toEqual(['b.jpg', 'g.jpg']);
  });

  it('when it is a link or a device, and says so', async () => {
    const types = ['symlink', 'link', 'character-device', 'block-device', 'fifo'] as const;
    const entries = types.map((type) => ({ name: `${type}.jpg`, type, linkname: '/etc/passwd' }));
    const events = await read(['a.jpg', ...entries, { name: 'folder.jpg/', type: 'directory' }, 'z.jpg']);
    expect(refusals(events)).toEqual(types.map((type) => `${type}.jpg: invalid_parameter`));
    for (const [i, type] of types.entries()) {
      const event = events[i + 1]!;
      expect(event.kind === 'bad' && event.error.message).toContain(type);
    }
    expect(pictures(events).map(({ id }) => id)).toEqual(['a.jpg', 'z.jpg']);
  });

  it('when links were archived by tar itself', async () => {
    const pictures_ = join(folder, 'in');
    await mkdir(pictures_);
    await writeFile(join(pictures_, 'a.jpg'), 'a');
    await symlink('/etc/passwd', join(pictures_, 'b.jpg'));
    await run('tar', ['-cf', join(folder, 'a.tar'), '-C', pictures_, 'a.jpg', 'b.jpg']);
    const events = await eventsOf(await openTar(join(folder, 'a.tar'), OPTIONS));
    expect(refusals(events)).toEqual(['b.jpg: invalid_parameter']);
    expect(pictures(events)).toHaveLength(1);
  });

  it('when it has more bytes than allowed', async () => {
    const [large, just] = [100_001, 100_000].map((bytes) => Buffer.alloc(bytes, 7));
    const events = await read([
      { name: 'a.jpg', content: large! },
      { name: 'b.jpg', content: just! },
      'c.jpg',
    ]);
    expect(refusals(events)).toEqual(['a.jpg: image_too_large']);
    expect(pictures(events).map(({ id }) => id)).toEqual(['b.jpg', 'c.jpg']);
    expect(await read([{ name: 'notes.txt', content: large! }])).toEqual([]);
  });

  it('when its name or its first folder is longer than any file system has them', async () => {
    const [deep, wide] = [`${'d/'.repeat(3000)}a.jpg`, `${'w'.repeat(257)}/a.jpg`];
    const events = await read([deep, wide, 'z.jpg']);
    expect(events.map(({ kind }) => kind)).toEqual(['bad', 'bad', 'picture']);
    expect(events[0]!.place.length).toBeLessThan(400);
  });
});

describe('an archive that is refused', () => {
  it('is a zip, or is not there', async () => {
    const zip = await refusal('unsupported_media_type', () => open(Buffer.from('PK\x03\x04 and so on')));
    expect(zip.message).toMatch(/zip.*tar/);
    await refusal('not_found', () => openTar(join(folder, 'nowhere'), OPTIONS));
  });

  it('is no archive at all', async () => {
    for (const bytes of [
      Buffer.from('hello'),
      Buffer.alloc(0),
      Buffer.alloc(5000, 'text '),
      gzipSync('hello'),
    ]) {
      const { events, failure } = await readBytes(bytes);
      expect(events).toEqual([]);
      expect(failure).toMatchObject({ code: 'malformed_body' });
    }
  });

  it('was cut short: what stands before the cut is given, then its place is named', async () => {
    const whole = await archive(['a.jpg', { name: 'b.jpg', content: Buffer.alloc(50_000, 1) }, 'c.jpg']);
    const { events, failure } = await readBytes(whole.subarray(0, 20_000));
    expect(events.map(({ place }) => place)).toEqual(['a.jpg']);
    expect(failure).toMatchObject({ code: 'malformed_body' });
    expect(failure!.message).toContain('b.jpg');
  });

  it('was cut short between two entries', async () => {
    const { events, failure } = await readBytes((await archive(['a.jpg', 'b.jpg'])).subarray(0, 1024));
    expect(events.map(({ place }) => place)).toEqual(['a.jpg']);
    expect(failure!.message).toMatch(/cut short/);
  });

  it('is damaged in the middle', async () => {
    const whole = await archive(['a.jpg', 'b.jpg', 'c.jpg']);
    whole[1024 + 10]! ^= 1; // in the header of b.jpg
    const { events, failure } = await readBytes(whole);
    expect(events.map(({ place }) => place)).toEqual(['a.jpg']);
    expect(failure).toMatchObject({ code: 'malformed_body' });
    expect(failure!.message).toContain('past a.jpg');
  });

  it('is a gzip that was cut short or damaged', async () => {
    const content = Buffer.from(Array.from({ length: 60_000 }, (_, i) => (i * i * 31) >> 7));
    const names = Array.from({ length: 10 }, (_, i) => `${i}.jpg`);
    const whole = gzipSync(await archive(names.map((name) => ({ name, content }))));
    const damaged = Buffer.from(whole);
    damaged.fill(0xff, whole.length - 200, whole.length - 100);
    for (const bytes of [whole.subarray(0, whole.length - 100), damaged]) {
      const { events, failure } = await readBytes(bytes);
      expect(events.map(({ place }) => place)).toEqual(names.slice(0, events.length));
      expect(failure).toMatchObject({ code: 'malformed_body' });
    }
    expect((await readBytes(whole)).events).toHaveLength(10);
  });

  it('unpacks to more than is allowed', async () => {
    const bomb = gzipSync(
      await archive(['a.jpg', { name: 'b.txt', content: Buffer.alloc(20_000_000) }, 'c.jpg']),
    );
    expect(bomb.length).toBeLessThan(50_000);
    const { events, failure } = await readBytes(bomb);
    expect(events.map(({ place }) => place)).toEqual(['a.jpg']);
    expect(failure).toMatchObject({ code: 'body_too_large' });
    expect(failure!.message).toContain('10000000');
  });

  it('has an attribute header that no memory should hold, or one that repeats for every entry', async () => {
    const header = await archive([
      { name: 'a.jpg', pax: { comment: 'x'.repeat(5_000_000) } } as Entry,
      'b.jpg',
    ]);
    expect((await readBytes(header)).failure).toMatchObject({ code: 'malformed_body' });
    const pax = Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`k${i}`, 'v']));
    expect((await readBytes(await archive([{ name: 'a.jpg', pax } as Entry]))).failure!.message).toContain(
      '1000',
    );
  });

  it('announces a size that is negative or beyond all numbers', async () => {
    for (const size of [-2, -1e15, 2 ** 60]) {
      const bytes = withSize(await archive(['a.jpg', 'b.jpg']), size);
      const { events, failure } = await readBytes(bytes);
      expect(pictures(events)).toEqual([]);
      expect(failure).not.toBeNull();
    }
  });
});

/** The size of the first entry rewritten, in base 256, with a checksum that fits. */
function withSize(tar: Buffer, size: number): Buffer {
  const field = Buffer.alloc(12, size < 0 ? 0xff : 0);
  field.writeBigInt64BE(BigInt(size), 4);
  field[0] = size < 0 ? 0xff : 0x80;
  field.copy(tar, 124);
  tar.fill(' ', 148, 156);
  const sum = tar.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  tar.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return tar;
}

describe('of random input', () => {
  it('any bytes end in a refusal, with and without the marks of a tar or a gzip', async () => {
    const bytes = fc.uint8Array({ maxLength: 2000, size: 'max' });
    const start = fc.constantFrom(Buffer.alloc(0), Buffer.of(0x1f, 0x8b, 8, 0), Buffer.from('PK'));
    await fc.assert(
      fc.asyncProperty(start, bytes, async (head, tail) => {
        const source = await open(Buffer.concat([head, tail])).catch((error) => error.code);
        if (source === 'unsupported_media_type') return;
        const { events, failure } = await readAll(source);
        expect(events).toEqual([]);
        expect(failure !== null || [...head, ...tail].every((byte) => byte === 0)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('an archive cut anywhere gives the entries before the cut, then a refusal', async () => {
    const contents = [10, 512, 3000, 0, 700];
    const whole = await archive(
      contents.map((bytes, i) => ({ name: `${i}.jpg`, content: Buffer.alloc(bytes, i + 1) })),
    );
    const end = whole.length - 512; // the second block of the end may be missing
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: whole.length }), fc.boolean(), async (length, zipped) => {
        const cut = whole.subarray(0, length);
        const { events, failure } = await readBytes(zipped ? gzipSync(cut, { level: 1 }) : cut);
        let [full, at] = [0, 0];
        for (const bytes of contents) {
          at += 512 + bytes;
          if (length >= at) full++;
          at = Math.ceil(at / 512) * 512;
        }
        expect(events.map(({ place }) => place)).toEqual(contents.slice(0, full).map((_, i) => `${i}.jpg`));
        expect(failure === null).toBe(length >= end && length % 512 === 0);
      }),
      { numRuns: 200 },
    );
  });

  it('an archive with any byte changed neither hangs nor gives a picture of another size', async () => {
    const whole = await archive([
      'a.jpg',
      'cat/b.jpg',
      { name: `${'x'.repeat(150)}/é.jpg`, content: 'c' },
      'z.jpg',
    ]);
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const bytes = Buffer.from(whole);
        bytes[at]! ^= change;
        const { events } = await readBytes(bytes);
        expect(events.length).toBeLessThanOrEqual(4);
        for (const picture of pictures(events)) expect((await picture.read()).length).toBeLessThan(200);
      }),
      { numRuns: 300 },
    );
  });
});
