/** What every `Store` must do, run by each implementation: items, vectors, files and jobs, durable and ordered. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '../../src/core/ports.js';
import { compareIds, normaliseRows } from '../../src/core/vector.js';
import { refusal } from '../fixtures/errors.js';
import { IDENTITY, newItem, newJob, seenFile } from '../fixtures/items.js';
import { tempFolder } from '../fixtures/temp-folder.js';
import { random, unitVectors } from './vectors.js';

export interface StoreCase {
  name: string;
  /** Opens the store that lives in `folder`, or makes it. */
  open(folder: string): Store;
}

export const bits = (vector: Float32Array) => [...new Uint32Array(vector.slice().buffer)];

export function describeStore({ name, open }: StoreCase): void {
  describe(`${name} as a Store`, () => {
    let folder: string;
    let store: Store;
    beforeEach(async () => {
      folder = await tempFolder();
      store = open(folder);
    });
    afterEach(() => store.close());
    const reopen = () => {
      store.close();
      store = open(folder);
    };

    it('gives an item back as it was put, by row, by id and by hash', () => {
      const metadata = { nested: { list: [1, null, 'é𝄞'] }, empty: '' };
      const item = newItem('a/é 1.jpg', { label: 'cat', source: '/x/a', sha256: 'ef'.repeat(32), metadata });
      const { rows, replaced } = store.put([item]);
      const { vector: _, ...rest } = item;
      expect([rows.length, replaced]).toEqual([1, []]);
      expect(store.itemByRow(rows[0]!)).toEqual({ ...rest, row: rows[0] });
      expect(store.itemById(item.id)).toEqual(store.itemByRow(rows[0]!));
      expect(store.itemsBySha256(item.sha256)).toEqual([store.itemByRow(rows[0]!)]);
      expect([store.itemById('other'), store.itemByRow(99), store.vector(99)]).toEqual([
        undefined,
        undefined,
        undefined,
      ]);
    });

    it('replaces an item of the same id under a new row', () => {
      const [first] = store.put([newItem('a', { label: 'old' })]).rows;
      const again = store.put([newItem('b'), newItem('a', { label: 'new' })]);
      expect(again.replaced).toEqual([first]);
      expect(store.itemById('a')).toMatchObject({ row: again.rows[1], label: 'new' });
      expect([store.itemByRow(first!), store.vector(first!), store.count()]).toEqual([
        undefined,
        undefined,
        2,
      ]);
    });

    it('removes by id, tells the rows and ignores ids that it does not know', () => {
      const { rows } = store.put(['a', 'b', 'c'].map((id) => newItem(id)));
      expect(store.remove(['c', 'nobody', 'a', 'a'])).toEqual([rows[2], rows[0]]);
      expect([store.count(), store.itemById('a'), store.vector(rows[0]!)]).toEqual([1, undefined, undefined]);
    });

    it('never gives a row out twice, even the newest after its removal and a restart', () => {
      const { rows } = store.put(['a', 'b', 'c'].map((id) => newItem(id)));
      store.remove(['c', 'b']);
      expect(store.highWaterMark()).toBe(rows[2]);
      reopen();
      expect(store.highWaterMark()).toBe(rows[2]);
      expect(store.put([newItem('c')]).rows[0]).toBeGreaterThan(rows[2]!);
      store.remove(['a', 'c']);
      reopen();
      expect(store.count()).toBe(0);
      expect(store.put([newItem('d')]).rows[0]).toBeGreaterThan(rows[2]! + 1);
    });

    it('has the mark 0 before anything is in it', () => {
      expect([store.highWaterMark(), store.count(), store.vectorsInIdOrder(null, 5)]).toEqual([0, 0, []]);
    });

    it('keeps every bit of a vector, also of one that is a part of a larger array', () => {
      const larger = unitVectors({ rows: 3, dimension: IDENTITY.dimension, seed: 3 }).vectors;
      const vector = larger.subarray(IDENTITY.dimension, 2 * IDENTITY.dimension);
      const odd = new Float32Array(IDENTITY.dimension);
      odd.set([1, -0, 1e-40, 1.4e-45]); // a negative zero and two denormals
      const { rows } = store.put([newItem('part', { vector }), newItem('odd', { vector: odd })]);
      reopen();
      expect(bits(store.vector(rows[0]!)!)).toEqual(bits(vector));
      expect(bits(store.vector(rows[1]!)!)).toEqual(bits(odd));
    });

    it('keeps everything over a restart', () => {
      const file = seenFile('/f/a.jpg', { modified_ms: 1_700_000_000_123.456, error: 'broken' });
      const { rows } = store.put([newItem('a', { label: 'cat' })], [file]);
      store.saveJob(newJob('j', { result: { x: 1 } }));
      reopen();
      expect(store.itemById('a')).toMatchObject({ row: rows[0], label: 'cat' });
      expect(store.files('/f').get('/f/a.jpg')).toEqual(file);
      expect(store.job('j')).toEqual(newJob('j', { result: { x: 1 } }));
    });

    describe('ids', () => {
      const long = 'é'.repeat(128); // 256 bytes
      const ids = ['a', '\uffff', '𝄞', 'é', 'z', '~', 'a/b', 'a b', 'A', '0', '\u{10ffff}', '\ue000', long];

      it('are ordered by their bytes, pages joining without a gap', () => {
        store.put(ids.map((id) => newItem(id)));
        for (const size of [1, 2, 5, 100]) {
          const found: string[] = [];
          for (let page = store.vectorsInIdOrder(null, size); page.length > 0; ) {
            expect(page.length).toBeLessThanOrEqual(size);
            found.push(...page.map(({ id }) => id));
            page = store.vectorsInIdOrder(found.at(-1)!, size);
          }
          expect(found).toEqual(ids.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
        }
      });

      it('come back with the row and the vector that belong to them', () => {
        store.put(ids.map((id) => newItem(id)));
        for (const { row, id, vector } of store.vectorsInIdOrder(null, 100)) {
          expect(store.itemById(id)!.row).toBe(row);
          expect(bits(vector)).toEqual(bits(newItem(id).vector));
        }
      });

      it('are in the order of compareIds, whatever they are', () => {
        const id = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
        fc.assert(
          fc.property(fc.uniqueArray(id, { minLength: 1, maxLength: 20 }), (some) => {
            store.remove(store.vectorsInIdOrder(null, 1000).map((stored) => stored.id));
            store.put(some.map((one) => newItem(one)));
            expect(store.vectorsInIdOrder(null, 1000).map((stored) => stored.id)).toEqual(
              some.toSorted(compareIds),
            );
          }),
          { numRuns: 25 }, // every run is two durable transactions
        );
      });

      it('of no byte or more than 256 are refused', async () => {
        for (const id of ['', `${long}x`, 'x'.repeat(257)]) {
          const { message } = await refusal('invalid_parameter', () => store.put([newItem(id)]));
          expect(message).toMatch(/1 to 256 bytes/);
        }
        expect(store.put([newItem('x'.repeat(256))]).rows.length).toBe(1);
      });
    });

    it('lists labels in the order of the rows, pages joining without a gap', () => {
      const labels = ['x', null, 'y', null, 'x', ''];
      const { rows } = store.put(labels.map((label, i) => newItem(`${9 - i}`, { label })));
      store.remove(['8']);
      const expected = rows.map((row, i) => ({ row, label: labels[i]! })).filter((_, i) => i !== 1);
      expect(store.labelsInRowOrder(0, 100)).toEqual(expected);
      expect(store.labelsInRowOrder(0, 2)).toEqual(expected.slice(0, 2));
      expect(store.labelsInRowOrder(expected[1]!.row, 2)).toEqual(expected.slice(2, 4));
      expect(store.labelsInRowOrder(rows.at(-1)!, 2)).toEqual([]);
    });

    it('lists items of the same bytes by id', () => {
      store.put(['b', '𝄞', 'a', '\uffff'].map((id) => newItem(id)));
      expect(store.itemsBySha256('cd'.repeat(32)).map(({ id }) => id)).toEqual(['a', 'b', '\uffff', '𝄞']);
      expect(store.itemsBySha256('00'.repeat(32))).toEqual([]);
    });

    describe('a batch', () => {
      const next = random(5);
      const scaled = (factor: number) => newItem('x').vector.map((value) => value * factor);
      const wrong: [string, Float32Array][] = [
        ['a vector that is too long', scaled(1.0001)],
        ['a zero vector', scaled(0)],
        ['not a number', scaled(Number.NaN)],
        ['another dimension', normaliseRows(Float32Array.from({ length: 8 }, next), 1, 8)],
      ];

      it.each(wrong)('with %s stores nothing of it', async (_, vector) => {
        const [kept] = store.put([newItem('kept', { label: 'before' })]).rows;
        await refusal('invalid_vector', () =>
          store.put(
            [newItem('a'), newItem('kept', { label: 'after' }), newItem('b', { vector })],
            [seenFile('/f/a')],
          ),
        );
        expect([store.count(), store.itemById('a'), store.files('/f').size]).toEqual([1, undefined, 0]);
        expect(store.itemById('kept')).toMatchObject({ row: kept, label: 'before' });
        reopen();
        expect(store.count()).toBe(1);
      });

      it('of nothing stores nothing', () => {
        expect(store.put([])).toEqual({ rows: [], replaced: [] });
      });
    });

    describe('files', () => {
      it('are found below their folder and in no other', () => {
        const inside = ['/f/a', '/f/sub/b', '/f/~', '/f/ü'];
        const outside = ['/f', '/f.jpg', '/f0/a', '/ff/a', '/g/a', '/F/a', '/f-old/a'];
        store.recordFiles([...inside, ...outside].map((path) => seenFile(path)));
        expect([...store.files('/f').keys()].sort()).toEqual(inside.toSorted());
        expect([...store.files('/f/').keys()].sort()).toEqual(inside.toSorted());
        expect([...store.files('/').keys()].length).toBe(inside.length + outside.length);
      });

      it('are replaced by what was seen last, and forgotten', () => {
        store.recordFiles([seenFile('/f/a', { bytes: 1 }), seenFile('/f/b')]);
        store.recordFiles([seenFile('/f/a', { bytes: 2, error: 'x' })]);
        expect(store.files('/f').get('/f/a')).toEqual(seenFile('/f/a', { bytes: 2, error: 'x' }));
        store.forgetFiles(['/f/a', '/f/nobody']);
        expect([...store.files('/f').keys()]).toEqual(['/f/b']);
      });
    });

    describe('jobs', () => {
      it('are listed newest first, in the order they came and not of their last change', () => {
        for (const id of ['one', 'two', 'three']) store.saveJob(newJob(id));
        store.saveJob(newJob('one', { state: 'succeeded', done: 3, result: { found: 3 } }));
        reopen();
        expect(store.jobs(10).map(({ id }) => id)).toEqual(['three', 'two', 'one']);
        expect(store.jobs(2).map(({ id }) => id)).toEqual(['three', 'two']);
        expect(store.job('one')).toMatchObject({ state: 'succeeded', result: { found: 3 } });
        expect(store.job('four')).toBeUndefined();
      });
    });

    it('may be closed twice', () => {
      store.close();
      store.close();
      store = open(folder);
    });
  });
}
