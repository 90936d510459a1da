/** What every `Store` must do, run by each implementation: items, vectors, files and jobs, durable and ordered. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Database, ItemPlace, JobFilter, Store } from '../../src/core/ports.js';
import type { Item } from '../../src/core/types.js';
import { compareIds, normaliseRows } from '../../src/core/vector.js';
import { matches, parseWhere } from '../../src/core/where.js';
import type { OpenDatabase } from '../fixtures/database.js';
import { refusal } from '../fixtures/errors.js';
import { arbitrary } from '../fixtures/filters.js';
import { IDENTITY, newItem, newJob, seenFile } from '../fixtures/items.js';
import { tempFolder } from '../fixtures/temp-folder.js';
import { random, unitVectors } from './vectors.js';

export interface StoreCase {
  name: string;
  /** Opens the database that lives in `folder`, or makes it. */
  open(folder: string): OpenDatabase;
}

export const bits = (vector: Float32Array) => [...new Uint32Array(vector.slice().buffer)];

export function describeStore({ name, open }: StoreCase): void {
  describe(`${name} as a Store`, () => {
    let folder: string;
    let database: Database;
    let store: Store;
    beforeEach(async () => {
      folder = await tempFolder();
      ({ database, store } = open(folder));
    });
    afterEach(() => database.close());
    const reopen = () => {
      database.close();
      ({ database, store } = open(folder));
    };

    it('gives an item back as it was put, by row, by id and by hash', () => {
      const metadata = { nested: { list: [1, null, 'é𝄞'] }, empty: '' };
      const item = newItem('a/é 1.jpg', { label: 'cat', source: '/x/a', sha256: 'ef'.repeat(32), metadata });
      const { rows, replaced } = store.put([item]);
      const { vector: _, ...rest } = item;
      expect([rows.length, replaced]).toEqual([1, []]);
      const now = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]{12}Z$/);
      const dated = { created_at: now, updated_at: now };
      expect(store.itemByRow(rows[0]!)).toEqual({ ...rest, row: rows[0], picture: null, ...dated });
      expect(store.itemById(item.id)).toEqual(store.itemByRow(rows[0]!));
      expect(store.itemsBySha256(item.sha256)).toEqual([store.itemByRow(rows[0]!)]);
      expect([store.itemById('other'), store.itemByRow(99), store.vector(99)]).toEqual([
        undefined,
        undefined,
        undefined,
      ]);
    });

    it('lists rows by the hash of their file, page by page', () => {
      const hashes = ['ee', 'aa', 'ee', 'bb', 'aa'].map((two) => two.repeat(32));
      const { rows } = store.put(hashes.map((sha256, i) => newItem(`${i}`, { sha256 })));
      const seen = [];
      for (
        let page = store.hashesInOrder(null, 2);
        page.length > 0;
        page = store.hashesInOrder(page.at(-1)!, 2)
      )
        seen.push(...page);
      expect(seen).toEqual([1, 4, 3, 0, 2].map((i) => ({ row: rows[i], sha256: hashes[i] })));
    });

    it('counts what comes, goes or gets another label, over a restart too', () => {
      const counts = [store.changes()];
      const counted = (step: () => unknown) => {
        step();
        counts.push(store.changes());
      };
      counted(() => store.put([newItem('a'), newItem('b')]));
      counted(() => store.update('a', { label: 'cat' }));
      counted(() => store.update('a', { label: 'cat', metadata: { x: 1 } })); // the label is as it was
      counted(() => store.remove(['b', 'nobody']));
      counted(reopen);
      expect(counts).toEqual([0, 2, 3, 3, 4, 4]);
    });

    it('keeps records and their entries, replaces them as a whole, and loses them with the space', () => {
      expect([store.record('x'), store.recordEntries('x', 0, 9)]).toEqual([undefined, []]);
      store.saveRecord('x', { a: 1 }, ['one', 'two', 'three']);
      store.saveRecord('y', null);
      reopen();
      expect([store.record('x'), store.record('y')]).toEqual([{ a: 1 }, null]);
      expect(store.recordEntries('x', 1, 1)).toEqual([{ place: 2, value: 'two' }]);
      store.saveRecord('x', 2, ['four']);
      expect([store.record('x'), store.recordEntries('x', 0, 9)]).toEqual([2, [{ place: 1, value: 'four' }]]);
      const other = database.addSpace('default', { model_sha256: 'ef'.repeat(32), dimension: 16 });
      other.saveRecord('x', 3);
      database.removeSpace('default', 'ef'.repeat(32));
      expect([other.record('x'), store.record('x')]).toEqual([undefined, 2]);
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
      database.saveJob(newJob('j', { result: { x: 1 } }));
      reopen();
      expect(store.itemById('a')).toMatchObject({ row: rows[0], label: 'cat' });
      expect(store.files('/f').get('/f/a.jpg')).toEqual(file);
      expect(database.job('j')).toEqual(newJob('j', { result: { x: 1 } }));
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

    it('lists all rows label by label, those without one under null', () => {
      const labels = ['x', null, 'y', null, 'x', '', 'x', 'x\u0000', '\uffff', '𝄞'];
      const { rows } = store.put(labels.map((label, i) => newItem(`${9 - i}`, { label })));
      store.remove(['8', '3']);
      const wanted = new Map<string | null, number[]>();
      labels.forEach((label, i) => {
        if (i !== 1 && i !== 6) wanted.set(label, [...(wanted.get(label) ?? []), rows[i]!]);
      });
      const listed = [...store.rowsByLabel()];
      expect(listed.length).toBe(wanted.size);
      expect(new Map(listed.map(({ label, rows }) => [label, rows.sort((a, b) => a - b)]))).toEqual(wanted);
      store.remove(['9', '7', '6', '5', '4', '2', '1', '0']);
      expect([...store.rowsByLabel()]).toEqual([]);
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

    it('changes label and metadata in place', () => {
      const picture = { width: 3, height: 2, format: 'png', bytes: 9 };
      const { rows } = store.put([newItem('a', { label: 'old', metadata: { x: 1 }, picture })]);
      expect(store.update('a', { label: null })).toMatchObject({
        row: rows[0],
        label: null,
        metadata: { x: 1 },
        picture,
      });
      expect(store.update('a', { metadata: { y: [2] } })).toMatchObject({
        label: null,
        metadata: { y: [2] },
      });
      reopen();
      expect(store.itemById('a')).toMatchObject({ row: rows[0], label: null, metadata: { y: [2] } });
      expect(store.update('nobody', { label: 'x' })).toBeUndefined();
    });

    describe('a second collection', () => {
      it('shares no item, file or row with the first', () => {
        const other = database.createCollection('other', { ...IDENTITY, dimension: 16 });
        const mine = store.put([newItem('same', { label: 'mine' })], [seenFile('/f/a')]).rows[0]!;
        const theirs = other.put([newItem('same', { label: 'theirs' }), newItem('more')]).rows[0]!;
        expect([store.count(), other.count(), mine === theirs]).toEqual([1, 2, false]);
        expect([store.itemById('same')?.label, other.itemById('same')?.label]).toEqual(['mine', 'theirs']);
        expect([store.itemByRow(theirs), store.vector(mine) && true]).toEqual([undefined, true]);
        expect([other.files('/f').size, other.itemsBySha256('cd'.repeat(32)).length]).toEqual([0, 2]);
        expect(store.remove(['more'])).toEqual([]);
        database.removeCollection('other');
        expect(database.collections().map(({ name }) => name)).toEqual(['default']);
        expect([store.count(), store.put([newItem('next')]).rows[0]! > theirs]).toEqual([1, true]);
      });

      it('has a name of its own, of letters that are safe everywhere', async () => {
        database.createCollection('other', IDENTITY);
        await refusal('already_exists', () => database.createCollection('other', IDENTITY));
        for (const name of ['', 'A', 'a b', '../x', '-a', 'x'.repeat(65)])
          await refusal('invalid_parameter', () => database.createCollection(name, IDENTITY));
        const { message } = await refusal('unknown_collection', () => database.store('nobody'));
        expect(message).toMatch(/"nobody".*"default", "other"/);
      });
    });

    describe('a second space', () => {
      const NEXT = { model_sha256: 'ee'.repeat(32), dimension: 24 };
      const wide = (seed: number) => unitVectors({ rows: 1, dimension: 24, seed }).vectors;

      it('shares the items and keeps its own vectors; switching goes there and back', () => {
        const rows = store.put(['a', 'b', 'c'].map((id) => newItem(id))).rows;
        const next = database.addSpace('default', NEXT);
        expect(next.withoutVector(0, 2).map(({ id }) => id)).toEqual(['a', 'b']);
        expect(next.withoutVector(rows[1]!, 5).map(({ id }) => id)).toEqual(['c']);
        expect(next.withoutVector(rows[0]!, 5, rows[1]!).map(({ id }) => id)).toEqual(['b']);
        store.remove(['c']);
        next.addVectors(
          [rows[0]!, rows[1]!, rows[2]!],
          Float32Array.from([...wide(1), ...wide(2), ...wide(3)]),
        );
        expect([next.withoutVector(0, 5), next.vector(rows[2]!)]).toEqual([[], undefined]);
        expect([bits(next.vector(rows[1]!)!), store.vector(rows[1]!)!.length]).toEqual([bits(wide(2)), 16]);
        database.switchSpace('default', NEXT.model_sha256);
        expect(database.collections()[0]).toMatchObject({ ...NEXT, previous_model: IDENTITY.model_sha256 });
        reopen();
        expect([store.identity, store.vectorsInIdOrder(null, 9).length]).toEqual([NEXT, 2]);
        database.switchSpace('default', IDENTITY.model_sha256);
        expect(database.store('default').vector(rows[0]!)!.length).toBe(16);
        database.removeSpace('default', NEXT.model_sha256);
        expect(database.collections()[0]).toMatchObject({ ...IDENTITY, previous_model: null });
        expect(database.addSpace('default', NEXT).withoutVector(0, 9).length).toBe(2);
      });

      it('is listed, and loses its vectors page by page', () => {
        const rows = store.put(['a', 'b', 'c'].map((id) => newItem(id))).rows;
        const next = database.addSpace('default', NEXT);
        next.addVectors(rows, Float32Array.from([...wide(1), ...wide(2), ...wide(3)]));
        expect(database.spaces('default')).toEqual([
          { space: store.space, ...IDENTITY },
          { space: next.space, ...NEXT },
        ]);
        database.removeVectors('default', NEXT.model_sha256, { above: rows[0]!, upTo: rows[1]! });
        expect(next.withoutVector(0, 9).map(({ id }) => id)).toEqual(['b']);
        expect(store.withoutVector(0, 9)).toEqual([]);
        expect(() =>
          database.removeVectors('default', IDENTITY.model_sha256, { above: 0, upTo: rows[2]! }),
        ).toThrow(/answers/);
      });

      it('that answers is never removed, and one that is not there is not switched to', async () => {
        await refusal('internal', () => database.removeSpace('default', IDENTITY.model_sha256));
        await refusal('not_found', () => database.switchSpace('default', NEXT.model_sha256));
      });
    });

    describe('a filter on metadata', () => {
      const rowsOf = async (filter: unknown) =>
        [...(await store.rowsWhere(parseWhere(filter)))].sort((a, b) => a - b);

      it('sees what was put, changed, replaced and removed', async () => {
        const [a, b, c] = store.put([
          newItem('a', { metadata: { colour: 'red' } }),
          newItem('b', { metadata: { colour: 'blue' } }),
          newItem('c', { metadata: { colour: 'red' } }),
        ]).rows;
        expect(await rowsOf({ colour: 'red' })).toEqual([a, c]);
        store.update('b', { metadata: { colour: 'red', size: 2 } });
        store.update('a', { label: 'kept' });
        expect([await rowsOf({ colour: 'red' }), await rowsOf({ colour: 'blue' })]).toEqual([[a, b, c], []]);
        const [gone] = store.put([newItem('d', { metadata: { colour: 'red' } })]).rows;
        expect(await rowsOf({ colour: 'red' })).toEqual([a, b, c, gone]);
        expect(() =>
          database.atomically(() => {
            store.update('d', { metadata: {} });
            throw new Error('taken back');
          }),
        ).toThrow('taken back');
        expect(await rowsOf({ colour: 'red' })).toEqual([a, b, c, gone]);
        store.remove(['d']);
        expect(await rowsOf({ colour: 'red' })).toEqual([a, b, c]);
        const [again] = store.put([newItem('c', { metadata: { colour: 'green' } })]).rows;
        store.remove(['a']);
        reopen();
        expect([
          await rowsOf({ colour: 'red' }),
          await rowsOf({ colour: 'green' }),
          await rowsOf({}),
        ]).toEqual([[b], [again], [b, again]]);
      });

      it('stays within its collection', async () => {
        const other = database.createCollection('other', IDENTITY);
        const [here] = store.put([newItem('a', { metadata: { x: 1 } })]).rows;
        const [there] = other.put([newItem('a', { metadata: { x: 1 } })]).rows;
        expect([await rowsOf({ x: 1 }), [...(await other.rowsWhere(parseWhere({ x: 1 })))]]).toEqual([
          [here],
          [there],
        ]);
        database.removeCollection('other');
        expect(await rowsOf({ x: { exists: true } })).toEqual([here]);
      });

      it('finds what matches and nothing else', async () => {
        await fc.assert(
          fc.asyncProperty(
            fc.array(arbitrary.metadata, { maxLength: 12 }),
            arbitrary.filter,
            async (all, filter) => {
              store.remove(Array.from({ length: 12 }, (_, i) => `${i}`));
              const { rows } = store.put(all.map((metadata, i) => newItem(`${i}`, { metadata })));
              expect(await rowsOf(filter)).toEqual(
                rows.filter((_, i) => matches(parseWhere(filter), all[i]!)),
              );
            },
          ),
          { numRuns: 60 },
        );
      });
    });

    it('remembers pictures that lost an item until they are swept', () => {
      const [x, y] = ['11'.repeat(32), '22'.repeat(32)];
      store.put([newItem('a', { sha256: x }), newItem('b', { sha256: x }), newItem('c', { sha256: y })]);
      expect(database.trash(9)).toEqual([]);
      store.remove(['a', 'c']);
      reopen();
      expect(database.trash(9).sort()).toEqual([x, y]);
      expect([database.inUse(x), database.inUse(y)]).toEqual([true, false]);
      database.sweptTrash([x, y]);
      expect(database.trash(9)).toEqual([]);
    });

    it('takes a picture for trash from before its file is written until its item is committed', () => {
      const sha256 = '33'.repeat(32);
      database.addTrash([sha256, sha256]);
      reopen();
      expect(database.trash(9)).toEqual([sha256]);
      database.sweptTrash([sha256]);
      expect(database.trash(9)).toEqual([]);
    });

    describe('a transaction over several writes', () => {
      it('is there as a whole, or not at all', async () => {
        const failing = () =>
          database.atomically(() => {
            store.put([newItem('a')]);
            database.addTrash(['44'.repeat(32)]);
            throw new Error('no');
          });
        expect(failing).toThrow('no');
        expect([store.count(), database.trash(9)]).toEqual([0, []]);
        expect(database.atomically(() => store.put([newItem('a')]).replaced)).toEqual([]);
        reopen();
        expect(store.count()).toBe(1);
      });
    });

    describe('the list', () => {
      const orders = ['id', 'created', '-created'] as const;
      const labels = ['x', 'y', null];

      it('is the items in order, filtered, page by page', async () => {
        for (const [i, id] of ['b', '𝄞', 'a', '\uffff', 'c', 'é', 'd'].entries()) {
          store.put([newItem(id, { label: labels[i % 3]!, sha256: `${i % 2}`.repeat(64) })]);
          if (i % 2 === 0) await new Promise((resolve) => setTimeout(resolve, 2)); // some share a time, some do not
        }
        database.createCollection('other', IDENTITY).put([newItem('theirs', { label: 'x' })]);
        const all = store.list({ order: 'id', limit: 100 });
        expect(all.map(({ id }) => id)).toEqual(all.map(({ id }) => id).toSorted(compareIds));
        for (const order of orders)
          for (const filter of [
            {},
            { labels: ['x'] },
            { labels: ['y', 'x', 'x', 'no'] },
            { sha256: '1'.repeat(64) },
            { sha256: '0'.repeat(64), labels: ['x', 'y'] },
          ] as { labels?: string[]; sha256?: string }[])
            for (const limit of [1, 2, 100]) {
              const found: string[] = [];
              for (let page = store.list({ order, limit, ...filter }); page.length > 0; ) {
                found.push(...page.map(({ id }) => id));
                page = store.list({ order, limit, ...filter, after: page.at(-1)! });
              }
              const expected = all
                .filter(({ label }) => !filter.labels || (label !== null && filter.labels.includes(label)))
                .filter(({ sha256 }) => !filter.sha256 || sha256 === filter.sha256)
                .toSorted((a, b) => {
                  if (order === 'id') return compareIds(a.id, b.id);
                  const time = a.created_at < b.created_at ? -1 : a.created_at > b.created_at ? 1 : 0;
                  return (time || compareIds(a.id, b.id)) * (order === 'created' ? 1 : -1);
                });
              expect(found).toEqual(expected.map(({ id }) => id));
            }
      });
    });

    describe('the list with a filter on metadata', () => {
      it('is what fits of the list, in its order, however much is looked at in one go', () => {
        const orders = fc.constantFrom('id' as const, 'created' as const, '-created' as const);
        const labels = fc.constantFrom(undefined, ['x'], ['y', 'x', 'no']);
        const sizes = fc.record({
          limit: fc.integer({ min: 1, max: 5 }),
          scan: fc.integer({ min: 1, max: 9 }),
        });
        const items = fc.array(arbitrary.metadata, { minLength: 1, maxLength: 12 });
        let found = 0;
        fc.assert(
          fc.property(
            items,
            arbitrary.filter,
            orders,
            labels,
            sizes,
            (all, filter, order, labels, { limit, scan }) => {
              store.remove(Array.from({ length: 12 }, (_, i) => `${i}`));
              store.put(all.map((metadata, i) => newItem(`${i}`, { metadata, label: 'xyz'[i % 3]! })));
              const where = parseWhere(filter);
              const query = { order, ...(labels && { labels }) };
              const expected = store
                .list({ ...query, limit: 100 })
                .filter(({ metadata }) => matches(where, metadata));
              const listed: Item[] = [];
              for (let after: ItemPlace | null | undefined; after !== null; ) {
                const page = store.listWhere({ ...query, where, limit, scan, ...(after && { after }) });
                expect(page.items.length).toBeLessThanOrEqual(limit);
                listed.push(...page.items);
                after = page.after;
              }
              expect(listed).toEqual(expected);
              found += listed.length;
            },
          ),
          { numRuns: 300 },
        );
        expect(found).toBeGreaterThan(50);
      });
    });

    describe('answers', () => {
      const answer = { fingerprint: 'f', status: 201, headers: { Location: '/x' }, body: '{"é":1}' };

      it('are kept by key; the first one stays', () => {
        expect(database.answer('k')).toBeUndefined();
        database.keepAnswer('k', answer);
        database.keepAnswer('k', { ...answer, status: 500 });
        reopen();
        expect([database.answer('k'), database.answer('l')]).toEqual([answer, undefined]);
      });

      it('go with the transaction that they belong to', () => {
        expect(() =>
          database.atomically(() => {
            database.keepAnswer('k', answer);
            throw new Error('no');
          }),
        ).toThrow('no');
        expect(database.answer('k')).toBeUndefined();
      });
    });

    describe('jobs', () => {
      it('that wait or run are told the oldest first', () => {
        database.saveJob(newJob('one'));
        database.saveJob(newJob('two', { state: 'failed' }));
        database.saveJob(newJob('three', { state: 'running' }));
        expect(database.unfinishedJobs().map(({ id }) => id)).toEqual(['one', 'three']);
        database.saveJob(newJob('one', { state: 'succeeded' }));
        expect(database.unfinishedJobs().map(({ id }) => id)).toEqual(['three']);
      });

      it('are listed by kind, collection and state', () => {
        database.saveJob(newJob('one', { state: 'failed' }));
        database.saveJob(newJob('two', { kind: 'reindex' }));
        database.saveJob(newJob('three', { kind: 'reindex', collection: 'other', state: 'failed' }));
        const listed = (filter: JobFilter) => database.jobs(10, filter).map(({ id }) => id);
        expect(listed({ kind: 'reindex' })).toEqual(['three', 'two']);
        expect(listed({ state: 'failed' })).toEqual(['three', 'one']);
        expect(listed({ state: 'failed', collection: 'default' })).toEqual(['one']);
        expect(listed({ kind: 'import', collection: 'other' })).toEqual([]);
        expect(database.jobs(1, { state: 'failed' }).map(({ id }) => id)).toEqual(['three']);
        expect(listed({ after: 'three' })).toEqual(['two', 'one']);
        expect(listed({ after: 'three', state: 'failed' })).toEqual(['one']);
        expect(listed({ after: 'one' })).toEqual([]);
        expect(listed({ after: 'nobody' })).toEqual([]);
      });

      it('are listed newest first, in the order they came and not of their last change', () => {
        for (const id of ['one', 'two', 'three']) database.saveJob(newJob(id));
        database.saveJob(newJob('one', { state: 'succeeded', done: 3, result: { found: 3 } }));
        reopen();
        expect(database.jobs(10).map(({ id }) => id)).toEqual(['three', 'two', 'one']);
        expect(database.jobs(2).map(({ id }) => id)).toEqual(['three', 'two']);
        expect(database.job('one')).toMatchObject({ state: 'succeeded', result: { found: 3 } });
        expect(database.job('four')).toBeUndefined();
      });
    });

    it('may be closed twice', () => {
      database.close();
      database.close();
      ({ database, store } = open(folder));
    });
  });
}
