/** The pass over a collection, over a real index: exactly the nearest others of each row that is there. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { canonicalScore } from '../../../src/core/vector.js';
import { reindex } from '../../../src/flow/reindex.js';
import { rowsOf, sampleOfLabelled, survey, surveyVotes } from '../../../src/flow/survey.js';
import { clusteredVectors } from '../../contract/vectors.js';
import { tempFolder } from '../../fixtures/temp-folder.js';
import { openParts, type Parts, unwatched } from './parts.js';

const DIMENSION = 32;
const { vectors } = clusteredVectors({ rows: 120, dimension: DIMENSION, clusters: 6, seed: 3 });
const vector = (n: number) => vectors.slice(n * DIMENSION, (n + 1) * DIMENSION);
const { signal } = unwatched();

let parts: Parts;
/** Row n + 1 has vector n; every third has no label, the others have that of their cluster. */
function put(from: number, to: number): void {
  for (let n = from; n < to; n++) {
    const label = n % 3 === 0 ? null : `${n % 6}`;
    const item = {
      id: `${n}`,
      label,
      sha256: 'cd'.repeat(32),
      source: null,
      metadata: {},
      vector: vector(n),
    };
    parts.collection.add(parts.store.put([item]).rows, [item.vector], [label]);
  }
}
beforeEach(async () => {
  parts = await openParts(await tempFolder());
  put(0, 100);
  await reindex(parts, unwatched());
  put(100, 120); // fresh rows
  parts.collection.remove(parts.store.remove(['7', '50', '110']));
});
afterEach(() => parts.close());

const nearest = (row: number, k: number) =>
  [...rowsOf(parts.store)]
    .filter((other) => other !== row)
    .map((other) => ({
      row: other,
      score: canonicalScore(vectors, (row - 1) * DIMENSION, vectors, (other - 1) * DIMENSION, DIMENSION),
    }))
    .sort((a, b) => b.score - a.score || a.row - b.row)
    .slice(0, k);

it('finds the nearest others of every row, old and fresh, and passes over what is gone', async () => {
  const rows = [...rowsOf(parts.store)];
  const seen: number[] = [];
  for await (const batch of survey(parts, { rows: [8, ...rows, 999], k: 7, signal }))
    for (const { row, others } of batch) {
      expect(others).toEqual(nearest(row, 7));
      seen.push(row);
    }
  expect(seen).toEqual(rows);
});

it('lets the others vote about labelled rows alone', async () => {
  let judged = 0;
  for await (const batch of surveyVotes(parts, {
    rows: rowsOf(parts.store),
    vote: { k: 10, temperature: 0.07 },
    signal,
  }))
    for (const { row, label, labels } of batch) {
      expect([label, labels[0]!.label]).toEqual([`${(row - 1) % 6}`, `${(row - 1) % 6}`]);
      judged++;
    }
  expect(judged).toBe(parts.collection.size - parts.collection.labels.unlabelled);
});

it('takes the same sample every time, spread over the labelled rows', () => {
  const sample = [...sampleOfLabelled(parts, 20)];
  expect(sample.length).toBe(20);
  expect([...sampleOfLabelled(parts, 20)]).toEqual(sample);
  expect(sample.every((row) => parts.collection.labels.get(row) !== null)).toBe(true);
  expect(sample.filter((row) => row > 60).length).toBeGreaterThan(5);
  expect([...sampleOfLabelled(parts, 1000)].length).toBe(
    parts.collection.size - parts.collection.labels.unlabelled,
  );
});

it('stops between two batches when it is told to', async () => {
  const stop = new AbortController();
  const passes = survey(parts, { rows: rowsOf(parts.store), k: 3, signal: stop.signal });
  await passes.next();
  stop.abort(new Error('stopped'));
  await expect(passes.next()).rejects.toThrow('stopped');
});
