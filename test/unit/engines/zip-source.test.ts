/** Zip archives as a source of imports: ids and labels like a folder's, and whatever an archive can hold that is no picture. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { openZip, type ZipOptions } from '../../../src/engines/zip-source.js';
import { type ZipEntry, zipBytes } from '../../fixtures/archives.js';
import { refusal } from '../../fixtures/errors.js';
import { eventsOf, heldAtMost, openFiles, pictures, readAll, refusals } from '../../fixtures/sources.js';
import { tempFolder } from '../../fixtures/temp-folder.js';

const run = promisify(execFile);
const OPTIONS: ZipOptions = { maxBytes: 100_000, maxTotalBytes: 10_000_000, maxEntries: 100_000 };
const MIB = 2 ** 20;

let path: string;
beforeEach(async () => {
  path = join(await tempFolder(), 'archive.zip');
});

async function open(bytes: Uint8Array, given: Partial<ZipOptions> = {}) {
  await writeFile(path, bytes);
  return openZip(path, { ...OPTIONS, ...given });
}
const read = async (entries: readonly (ZipEntry | string)[], given: Partial<ZipOptions> = {}) =>
  readAll(await open(zipBytes(entries), given));

describe('an archive', () => {
  it('gives its pictures the ids and labels that a folder gives, and passes over the rest', async () => {
    const names = [
      'top.jpg',
      'cat/1.JPG',
      'big dog/é/2.png',
      'notes.txt',
      '.hidden.jpg',
      'cat/.x/y.jpg',
      'cat/',
    ];
    const source = await open(zipBytes(names));
    expect(source.total).toBe(names.length);
    const events = await eventsOf(source);
    expect(pictures(events).map(({ id, label }) => [id, label])).toEqual([
      ['top.jpg', null],
      ['cat/1.JPG', 'cat'],
      ['big dog/é/2.png', 'big dog'],
    ]);
    for (const picture of pictures(events))
      expect(Buffer.from(await picture.read()).toString()).toBe(picture.id);
    expect(source.ignored()).toBe(3);
  });

  it('that another program made reads the same, zip64 too', async () => {
    const script = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED, allowZip64=True) as z:
    for name in ['cat/1.jpg', 'dog/2.jpg']:
        with z.open(name, 'w', force_zip64=True) as f: f.write(name.encode() * 100)
    z.writestr(zipfile.ZipInfo('stored/3.jpg'), b'3')`;
    const python = await run('python3', ['-c', script, path]).then(
      () => true,
      () => false,
    );
    if (!python) return expect(python).toBe(false); // no Python on this machine
    const events = await eventsOf(await openZip(path, OPTIONS));
    expect(pictures(events).map(({ id }) => id)).toEqual(['cat/1.jpg', 'dog/2.jpg', 'stored/3.jpg']);
    expect(Buffer.from(await pictures(events)[0]!.read()).toString()).toBe('cat/1.jpg'.repeat(100));
  });

  it('can be read twice, and is closed when it is left early', async () => {
    const source = await open(zipBytes(['a.jpg', 'b.jpg']));
    for await (const event of source) {
      expect(event.place).toBe('a.jpg');
      break;
    }
    await expect.poll(() => openFiles(path)).toEqual([]);
    for (let time = 0; time < 2; time++)
      expect((await eventsOf(source)).map(({ place }) => place)).toEqual(['a.jpg', 'b.jpg']);
  });

  it('is read no further when it is told to stop', async () => {
    const controller = new AbortController();
    const source = await open(zipBytes(['a.jpg', 'b.jpg']), { signal: controller.signal });
    const entries = source[Symbol.asyncIterator]();
    await entries.next();
    controller.abort(new Error('stopped'));
    await expect(entries.next()).rejects.toThrow('stopped');
    await expect.poll(() => openFiles(path)).toEqual([]);
  });

  it('of as many entries as a plain zip can have is held by one of them at a time', {
    timeout: 120_000,
  }, async () => {
    const count = 60_000;
    const source = await open(
      zipBytes(
        Array.from({ length: count }, (_, i) => ({
          name: `${i % 100}/${i}.jpg`,
          content: 'x',
          stored: true,
        })),
      ),
    );
    const { read, most } = await heldAtMost(source, count);
    expect(read).toBe(count);
    expect(most).toBeLessThan(4 * MIB);
  });
});

describe('an entry costs itself', () => {
  it('when its path leads out of the archive', async () => {
    const names = ['../a.jpg', '/etc/a.jpg', 'x/../../a.jpg', '..\\a.jpg', 'good.jpg'];
    const { events, failure } = await read(names);
    expect(failure).toBeNull();
    expect(refusals(events)).toEqual([
      '../a.jpg: invalid_parameter',
      '/etc/a.jpg: invalid_parameter',
      'x/../../a.jpg: invalid_parameter',
      '../a.jpg: invalid_parameter', // a backslash is read as a slash
    ]);
    expect(pictures(events).map(({ id }) => id)).toEqual(['good.jpg']);
  });

  it('when it is encrypted, a link, packed in another way, too large or damaged', async () => {
    const { events, failure } = await read([
      { name: 'encrypted.jpg', flags: 1 },
      { name: 'link.jpg', mode: 0o120777 },
      { name: 'lzma.jpg', method: 14 },
      { name: 'large.jpg', content: Buffer.alloc(OPTIONS.maxBytes + 1) },
      { name: 'crc.jpg', crc: 1 },
      { name: 'longer.jpg', content: 'x'.repeat(100), size: 50 },
      { name: 'shorter.jpg', content: 'x'.repeat(100), size: 150 },
      'good.jpg',
    ]);
    expect(failure).toBeNull();
    expect(refusals(events)).toEqual([
      'encrypted.jpg: invalid_parameter',
      'link.jpg: invalid_parameter',
      'lzma.jpg: invalid_parameter',
      'large.jpg: image_too_large',
      'crc.jpg: malformed_body',
      'longer.jpg: malformed_body',
      'shorter.jpg: malformed_body',
    ]);
    expect(pictures(events).map(({ id }) => id)).toEqual(['good.jpg']);
  });
});

describe('an archive is refused', () => {
  it('that is none, or has more entries than are allowed', async () => {
    await refusal('malformed_body', () => open(Buffer.from('no zip at all')));
    await refusal('malformed_body', () => open(Buffer.alloc(0)));
    await refusal('not_found', () => openZip(`${path}.none`, OPTIONS));
    const error = await refusal('body_too_large', () =>
      open(zipBytes(['a.jpg', 'b.jpg']), { maxEntries: 1 }),
    );
    expect(error.message).toBe('the archive has 2 entries, 1 are allowed');
  });

  it('that unpacks to more than is allowed, after what came before', async () => {
    const entry = (name: string) => ({ name, content: Buffer.alloc(1000) });
    const { events, failure } = await read([entry('a.jpg'), entry('b.jpg'), entry('c.jpg')], {
      maxTotalBytes: 2500,
    });
    expect(pictures(events).map(({ id }) => id)).toEqual(['a.jpg', 'b.jpg']);
    expect(failure).toMatchObject({ code: 'body_too_large' });
  });

  it('whose entries are all the same bytes again and again', async () => {
    const kernel = { name: 'a.jpg', content: Buffer.alloc(MIB) };
    const overlapping = Array.from({ length: 70 }, (_, i) => ({ ...kernel, name: `${i}.jpg`, offset: 0 }));
    const first = zipBytes([kernel]);
    // Central headers that all lead to one local header: what is packed once unpacks 70 times.
    const many = zipBytes(overlapping);
    const central = many.subarray(many.indexOf(Buffer.from('PK\x01\x02', 'latin1')));
    const end = Buffer.from(central.subarray(central.length - 22));
    const local = first.subarray(0, first.indexOf(Buffer.from('PK\x01\x02', 'latin1')));
    end.writeUInt32LE(local.length, 16);
    const bomb = Buffer.concat([local, central.subarray(0, central.length - 22), end]);
    const limits = { maxBytes: 2 * MIB, maxTotalBytes: 2 ** 40 };
    const { events, failure } = await readAll(await open(bomb, limits));
    expect(failure).toMatchObject({ code: 'body_too_large' });
    expect(failure!.message).toMatch(/200 times/);
    expect(events.length).toBeLessThan(70);
  });

  it('that is cut or changed anywhere ends in entries and refusals, never otherwise', async () => {
    const whole = zipBytes(['a/1.jpg', { name: 'b/2.jpg', stored: true }, 'c.txt', 'd.png']);
    const check = async (bytes: Buffer) => {
      await writeFile(path, bytes);
      const opened = await openZip(path, OPTIONS).catch((error) => {
        expect(error).toMatchObject({ name: 'LookalikeError' });
        return null;
      });
      if (opened) await readAll(opened); // throws for what is no refusal
    };
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.nat(255), fc.boolean(), async (at, byte, cut) => {
        if (cut) return check(whole.subarray(0, at));
        const changed = Buffer.from(whole);
        changed[at] = byte;
        await check(changed);
      }),
      { numRuns: 300 },
    );
  });
});
