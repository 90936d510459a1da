/** The main job with the real parts: an upload to its neighbours and labels. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NewItem } from '../../../src/core/types.js';
import { type AnswerParts, answer } from '../../../src/flow/answer.js';
import { reindex } from '../../../src/flow/reindex.js';
import type { SearchRequest, Stage } from '../../../src/flow/service.js';
import { refusal } from '../../fixtures/errors.js';
import { paintedPng } from '../../fixtures/painted.js';
import { tempFolder } from '../../fixtures/temp-folder.js';
import { openParts, type Parts, unwatched } from './parts.js';

let parts: Parts;
let upload: Buffer;
const UNLABELLED = 300;

/** 300 rows without a label, then one each of `a`, `b`, `c`: the labelled ones are no nearer than the others. */
beforeAll(async () => {
  parts = await openParts(join(await tempFolder()));
  upload = await paintedPng(1);
  for (let seed = 0; seed < UNLABELLED + 3; seed++) {
    const bytes = seed === 0 ? upload : await paintedPng(1000 + seed);
    const label = seed < UNLABELLED ? null : 'abc'[seed - UNLABELLED]!;
    const sha256 = parts.sha256(bytes);
    const vector = await parts.vectorOf(bytes);
    const item: NewItem = { id: `${seed}`, label, sha256, source: null, metadata: {}, vector };
    parts.collection.add(parts.store.put([item]).rows, [vector], [label]);
  }
});
afterAll(() => parts.close());

const ask = (given: Partial<SearchRequest> = {}, stages: Stage[] = []) =>
  answer(
    parts satisfies AnswerParts,
    { bytes: upload, k: 3, vote_k: 200, mode: 'auto', ...given },
    async (stage, step) => {
      stages.push(stage);
      return step();
    },
  );

/** Everything that must hold with and without a graph. */
function asks(): void {
  it('finds the picture itself first, and says that it is there already', async () => {
    const stages: Stage[] = [];
    const { neighbours, query, index } = await ask({}, stages);
    expect(neighbours.length).toBe(3);
    expect(neighbours[0]).toMatchObject({
      id: '0',
      label: null,
      share: 0,
      thumbnail: '/v1/images/0/thumbnail',
    });
    expect(neighbours[0]!.score).toBeCloseTo(1, 6);
    expect(query).toMatchObject({
      width: 48,
      height: 36,
      format: 'png',
      bytes: upload.length,
      duplicate_of: ['0'],
    });
    expect(index.rows).toBe(UNLABELLED + 3);
    expect(stages).toEqual(['decode', 'embed', 'search', 'vote']);
  });

  it('lets every labelled row vote, however many unlabelled ones are nearer', async () => {
    const { labels } = await ask({ k: 1, vote_k: 200 });
    expect(labels.map(({ label }) => label).sort()).toEqual(['a', 'b', 'c']);
    expect(labels.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 9);
    const nearest = (await ask({ k: 1, vote_k: 1 })).labels;
    expect(nearest).toEqual([{ label: labels[0]!.label, share: 1 }]);
  });

  it('narrows to labels, and refuses one that nobody has', async () => {
    const { neighbours, labels } = await ask({ labels: ['a', 'c'], k: 10 });
    expect(neighbours.map(({ label }) => label).sort()).toEqual(['a', 'c']);
    expect(neighbours.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 9);
    expect(labels.length).toBe(2);
    const { message } = await refusal('unknown_label', () => ask({ labels: ['a', 'zebra'] }));
    for (const part of ['zebra', 'a, b, c']) expect(message).toContain(part);
  });

  it('leaves what is below min_score out of both lists', async () => {
    const { neighbours, labels } = await ask({ min_score: 0.9999, k: 100 });
    expect([neighbours.map(({ id }) => id), labels]).toEqual([['0'], []]);
  });

  it('takes the temperature of the caller before that of the model', async () => {
    const hot = (await ask({ temperature: 10 })).labels;
    expect(hot[0]!.share - hot[2]!.share).toBeLessThan(0.1);
    expect((await ask({ temperature: 0.01 })).labels[0]!.share).toBeGreaterThan(hot[0]!.share);
  });

  it('ends when the caller is gone', async () => {
    const gone = new AbortController();
    gone.abort(new Error('gone'));
    await expect(ask({ signal: gone.signal })).rejects.toThrow();
  });
}

describe('an answer before the first index', asks);
describe('an answer with an index', () => {
  beforeAll(async () => {
    await reindex(parts, unwatched());
  });
  asks();

  it('is the same list in both modes at full breadth', async () => {
    const ids = async (mode: 'hnsw' | 'exact') =>
      (await ask({ mode, k: 50, ef: 400 })).neighbours.map(({ id, score }) => [id, score]);
    expect(await ids('hnsw')).toEqual(await ids('exact'));
  });
});
