/** Entries into a collection with the real parts: what is there afterwards, found and kept, whenever the job ended. */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LookalikeError } from '../../../src/core/errors.js';
import { badEntry, type ImportEvent, type ImportSource } from '../../../src/core/import-entry.js';
import { openErrorReport } from '../../../src/engines/error-report.js';
import { sha256Of } from '../../../src/engines/files.js';
import { type EntriesOptions, importEntries } from '../../../src/flow/import-entries.js';
import type { Progress } from '../../../src/flow/jobs.js';
import { sweep } from '../../../src/flow/sweep.js';
import { unitVectors } from '../../contract/vectors.js';
import { paintedPng } from '../../fixtures/painted.js';
import { tempFolder } from '../../fixtures/temp-folder.js';
import { openParts, type Parts, unwatched } from './parts.js';

let home: string;
let parts: Parts;
beforeEach(async () => {
  home = await tempFolder();
  parts = await openParts(home);
});
afterEach(() => parts.close());

const named = (id: string) => ({ place: id, id, label: null, metadata: {}, source: null });
const pictureEntry = (id: string, bytes: Uint8Array, more: object = {}): ImportEvent => ({
  ...named(id),
  kind: 'picture',
  read: async () => bytes,
  ...more,
});
const vectorEntry = (id: string, vector: Float32Array, more: object = {}): ImportEvent => ({
  ...named(id),
  kind: 'vector',
  vector,
  sha256: null,
  ...more,
});

/** A source of these events, thrown ones among them. */
function sourceOf(events: Iterable<ImportEvent | Error>): ImportSource {
  return {
    total: null,
    bytesTotal: 0,
    bytesRead: () => 0,
    ignored: () => 0,
    async *[Symbol.asyncIterator]() {
      for (const event of events) {
        if (event instanceof Error) throw event;
        yield event;
      }
    },
  };
}

async function run(
  events: Iterable<ImportEvent | Error>,
  { progress = unwatched(), ...options }: Partial<EntriesOptions> & { progress?: Progress } = {},
) {
  const errors = await openErrorReport(join(home, 'errors.ndjson'));
  try {
    const all = {
      on_duplicate: 'allow' as const,
      update: false,
      source: sourceOf(events),
      errors,
      ...options,
    };
    return await importEntries(parts, all, progress);
  } finally {
    await errors.close();
  }
}

const ids = () => parts.store.list({ order: 'id', limit: 1000 }).map(({ id }) => id);
const png = (n: number) => Promise.all(Array.from({ length: n }, (_, seed) => paintedPng(seed + 1)));

describe('entries', () => {
  it('get the vectors that each has by itself, and what came as a file is kept', async () => {
    const pictures = await png(70); // more than a batch
    const result = await run(pictures.map((bytes, i) => pictureEntry(`${i}.png`, bytes)));
    expect(result).toMatchObject({ found: 70, embedded: 70, refused: 0 });
    expect(parts.collection.size).toBe(70);
    for (const i of [0, 33, 69]) {
      const item = parts.store.itemById(`${i}.png`)!;
      const alone = await parts.vectorOf(pictures[i]!);
      expect(parts.store.vector(item.row)!.every((value, at) => Math.abs(value - alone[at]!) < 1e-5)).toBe(
        true,
      );
      expect(Buffer.from((await parts.pictures.get(item.sha256))!)).toEqual(pictures[i]);
    }
    expect(parts.database.trash(10)).toEqual([]);
  });

  it('whose last one of an id stays, in one batch or in two', async () => {
    const pictures = await png(70);
    const twice = [
      ...pictures.map((bytes, i) => pictureEntry(`${i % 69}.png`, bytes)),
      pictureEntry('1.png', pictures[5]!),
    ];
    await run(twice);
    expect(parts.store.itemById('0.png')!.sha256).toBe(sha256Of(pictures[69]!));
    expect(parts.store.itemById('1.png')!.sha256).toBe(sha256Of(pictures[5]!));
    expect(parts.collection.size).toBe(69);
    expect(ids()).toHaveLength(69);
    await sweep(parts);
    expect(await parts.pictures.get(sha256Of(pictures[0]!))).toBeNull(); // nobody's any more
  });

  it('of vectors are found at once; the same vector again is unchanged, another takes its place', async () => {
    const { vectors } = unitVectors({ rows: 300, dimension: 32, seed: 4 });
    const row = (i: number) => vectors.slice(i * 32, (i + 1) * 32);
    const all = Array.from({ length: 300 }, (_, i) => vectorEntry(`v${i}`, row(i)));
    expect(await run(all)).toMatchObject({ imported: 300 });
    const [hit] = (await parts.collection.search(row(7), { k: 1, mode: 'exact' })).hits;
    expect(parts.store.itemByRow(hit!.row)).toMatchObject({ id: 'v7', picture: null });
    expect(await run(all)).toMatchObject({ imported: 0, unchanged: 300 });
    expect(await run([vectorEntry('v7', row(8))])).toMatchObject({ imported: 1, replaced: 1 });
    expect(parts.collection.size).toBe(300);
  });

  it('that are refused cost a line each, one without a direction too', async () => {
    const [good] = await png(1);
    const events = [
      badEntry('line 1', new LookalikeError('malformed_body', 'not JSON')),
      pictureEntry('text.jpg', Buffer.from('no picture')),
      pictureEntry('gone.jpg', good!, { read: () => Promise.reject(new Error('EIO: i/o error')) }),
      pictureEntry('..', good!),
      pictureEntry('\ud800', good!),
      pictureEntry('good.png', good!),
    ];
    expect(await run(events)).toMatchObject({ found: 6, refused: 5, embedded: 1 });
    expect(ids()).toEqual(['good.png']);
  });

  it('keep label and metadata of what is there unless an update is asked for', async () => {
    const [one, other] = await png(2);
    const entry = (label: string, bytes = one!) =>
      pictureEntry('a', bytes, { label, metadata: { by: label } });
    await run([entry('cat')]);
    expect(await run([entry('fox')])).toMatchObject({ unchanged: 1, updated: 0 });
    expect(parts.store.itemById('a')).toMatchObject({ label: 'cat', metadata: { by: 'cat' } });
    expect(await run([entry('fox')], { update: true })).toMatchObject({ unchanged: 1, updated: 1 });
    expect(parts.store.itemById('a')).toMatchObject({ label: 'fox', metadata: { by: 'fox' } });
    expect(parts.collection.labels.get(parts.store.itemById('a')!.row)).toBe('fox');
    await run([pictureEntry('a', other!)]); // says nothing of them
    expect(parts.store.itemById('a')).toMatchObject({ label: 'fox', metadata: { by: 'fox' } });
    expect(await run([pictureEntry('a', other!)], { update: true })).toMatchObject({ updated: 0 });
  });
});

describe('an import that ends early', () => {
  it('keeps what came before a fault of its source, and says what there was', async () => {
    const pictures = await png(3);
    const seen: unknown[] = [];
    const progress = { ...unwatched(), report: (update: object) => void seen.push(update) };
    const events = [
      ...pictures.map((bytes, i) => pictureEntry(`${i}`, bytes)),
      new LookalikeError('malformed_body', 'cut'),
    ];
    await expect(run(events, { progress })).rejects.toThrow('cut');
    expect(ids()).toEqual(['0', '1', '2']);
    expect(seen.at(-1)).toMatchObject({ result: { embedded: 3 } });
  });

  it('is cancelled between two batches, and does only the rest when it is asked for again', async () => {
    const pictures = await png(200);
    const events = pictures.map((bytes, i) => pictureEntry(`${i}`, bytes));
    const controller = new AbortController();
    const report: Progress['report'] = ({ done }) => {
      if (done) controller.abort(new LookalikeError('aborted', 'stopped'));
    };
    await expect(run(events, { progress: { signal: controller.signal, report } })).rejects.toThrow('stopped');
    const kept = parts.collection.size;
    expect(kept).toBeGreaterThan(0);
    expect(kept).toBeLessThan(200);
    expect(await run(events)).toMatchObject({ unchanged: kept, embedded: 200 - kept });
    expect(parts.collection.size).toBe(200);
  });

  it('with nothing that can be taken is a failure', async () => {
    await expect(run([])).rejects.toMatchObject({ code: 'nothing_to_index' });
    await expect(run([pictureEntry('a', Buffer.from('x'))])).rejects.toThrow(/none of its 1 entries .*a: /);
  });
});
