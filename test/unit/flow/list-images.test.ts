/** A page of a filtered list over the real store: found however far away, without holding other requests up. */
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { parseWhere } from '../../../src/core/where.js';
import { listImages } from '../../../src/flow/list-images.js';
import { type OpenDatabase, openDefault } from '../../fixtures/database.js';
import { newItem } from '../../fixtures/items.js';
import { tempFolder } from '../../fixtures/temp-folder.js';

let open: OpenDatabase;
beforeEach(async () => {
  open = openDefault(join(await tempFolder(), 'x.db'));
});
afterEach(() => open.database.close());

it('goes on from bit to bit until the page is full or the list at its end', async () => {
  const { store } = open;
  const idOf = (i: number) => String(i).padStart(5, '0');
  const last = [4990, 4991, 4992];
  store.put(
    Array.from({ length: 5000 }, (_, i) =>
      newItem(idOf(i), { metadata: last.includes(i) ? {} : { hidden: true } }),
    ),
  );
  let turns = 0;
  const yieldToRequests = async () => {
    turns++;
  };
  const where = parseWhere({ hidden: { not: true } });
  const ids = async (limit: number, signal = new AbortController().signal) =>
    (await listImages({ store, yieldToRequests }, { order: 'id', limit, where, signal })).map(({ id }) => id);
  expect(await ids(2)).toEqual([idOf(4990), idOf(4991)]);
  expect(turns).toBe(2);
  expect(await ids(10)).toEqual(last.map(idOf));
  await expect(ids(10, AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
});
