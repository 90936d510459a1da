/** The main job with the real parts: an upload to its neighbours and labels. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LookalikeError } from '../../../src/core/errors.js';
import { rocchio } from '../../../src/core/relevance-feedback.js';
import type { NewItem } from '../../../src/core/types.js';
import { parseWhere } from '../../../src/core/where.js';
import { type AnswerParts, answer, answerAll } from '../../../src/flow/answer.js';
import { reindex } from '../../../src/flow/reindex.js';
import type { Query, SearchAnswer, SearchRequest, Stage } from '../../../src/flow/service.js';
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
    const item: NewItem = { id: `${seed}`, label, sha256, source: null, metadata: { n: seed }, vector };
    parts.collection.add(parts.store.put([item]).rows, [vector], [label]);
  }
});
afterAll(() => parts.close());

const idle = async <T>(_: Stage, step: () => T | Promise<T>): Promise<T> => step();
const askAll = (queries: readonly (Query | LookalikeError)[], given: Partial<SearchRequest> = {}) =>
  answerAll(parts, { queries, k: 3, vote_k: 200, mode: 'auto', beta: 0.5, ...given }, idle);
const idsOf = ({ neighbours }: SearchAnswer) => neighbours.map(({ id }) => id);

const ask = (given: Partial<SearchRequest> = {}, stages: Stage[] = []) =>
  answer(
    parts satisfies AnswerParts,
    { query: { kind: 'image', bytes: upload }, k: 3, vote_k: 200, mode: 'auto', beta: 0.5, ...given },
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
      kind: 'image',
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

  it('by id is that by the vector of the picture, without the picture itself', async () => {
    const stages: Stage[] = [];
    const byId = await ask({ query: { kind: 'id', id: '301' }, k: 400 }, stages);
    expect(stages).toEqual(['search', 'vote']);
    expect(byId.query).toEqual({ kind: 'id', id: '301' });
    expect(byId.neighbours).toHaveLength(UNLABELLED + 2);
    expect(idsOf(byId)).not.toContain('301');
    expect(byId.labels.map(({ label }) => label).sort()).toEqual(['a', 'c']); // its own label has no vote
    const vector = parts.store.vector(parts.store.itemById('301')!.row)!;
    const byVector = await ask({ query: { kind: 'vector', vector }, k: 401 });
    expect(byVector.query).toEqual({ kind: 'vector' });
    expect(idsOf(byVector)).toEqual(['301', ...idsOf(byId)]);
    expect((await ask({ query: { kind: 'id', id: '301' }, k: 1 })).neighbours).toEqual(
      byVector.neighbours.slice(1, 2).map((one) => ({ ...one, share: 0 })),
    );
  });

  it('by examples leaves all of them out, and turns away from the negative ones', async () => {
    const positive = [
      { kind: 'id', id: '5' },
      { kind: 'image', bytes: await paintedPng(1006) },
    ] as const;
    const negative = [{ kind: 'id', id: '7' }] as const;
    const query: Query = { kind: 'examples', positive, negative };
    const found = await ask({ query, k: 400, beta: 0.25 });
    expect(found.query).toEqual({ kind: 'examples', positive: 2, negative: 1, beta: 0.25 });
    expect(idsOf(found)).toHaveLength(UNLABELLED + 1);
    expect(['5', '7'].filter((id) => idsOf(found).includes(id))).toEqual([]);
    const vectorOf = (id: string) => parts.store.vector(parts.store.itemById(id)!.row)!;
    const vector = rocchio([vectorOf('5'), vectorOf('6')], [vectorOf('7')], 0.25); // '6' is the picture that was sent
    const byVector = idsOf(await ask({ query: { kind: 'vector', vector }, k: 400 }));
    expect(idsOf(found)).toEqual(byVector.filter((id) => id !== '5' && id !== '7'));
    const alone = await ask({ query: { kind: 'examples', positive: [positive[0]], negative: [] }, k: 400 });
    expect(idsOf(alone)).toEqual(idsOf(await ask({ query: positive[0], k: 400 })));
  });

  it('refuses ids, vectors and examples that lead nowhere, by their place', async () => {
    const vector = parts.store.vector(parts.store.itemById('1')!.row)!;
    const longer = vector.map((value) => value * 1.001);
    const examples = (positive: Query, negative?: Query) =>
      ({ kind: 'examples', positive: [positive], negative: negative ? [negative] : [] }) as Query;
    for (const [query, code, field, message] of [
      [{ kind: 'id', id: 'nobody' }, 'not_found', 'id', /no picture "nobody" in the collection "default"/],
      [{ kind: 'vector', vector: Float32Array.of(1) }, 'invalid_parameter', 'vector', /32 numbers, got 1/],
      [
        { kind: 'vector', vector: longer },
        'invalid_parameter',
        'vector',
        /length 1 within 0.00001, got 1.001/,
      ],
      [{ kind: 'vector', vector: vector.map(() => NaN) }, 'invalid_parameter', 'vector', /got NaN/],
      [
        examples({ kind: 'vector', vector }, { kind: 'vector', vector }),
        'invalid_parameter',
        'examples',
        /cancel/,
      ],
      [
        examples({ kind: 'id', id: '1' }, { kind: 'id', id: 'nobody' }),
        'not_found',
        'examples.negative[0].id',
        /examples.negative\[0\]: there is no picture "nobody"/,
      ],
      [
        examples({ kind: 'image', bytes: Buffer.from('x') }),
        'unsupported_image',
        'examples.positive[0].image',
        /not a picture/,
      ],
    ] as const) {
      const error = await refusal(code, () => ask({ query: query as Query, beta: 1 }));
      expect([error.field, error.message]).toEqual([field, expect.stringMatching(message)]);
    }
  });

  it('filters by metadata, together with labels, and by a filter that nothing fits', async () => {
    const where = (filter: unknown) => parseWhere(filter);
    const odd = await ask({ where: where({ n: { in: [1, 3, 301] } }), k: 10 });
    expect(idsOf(odd).sort()).toEqual(['1', '3', '301']);
    expect(odd.labels).toEqual([{ label: 'b', share: 1 }]);
    expect(idsOf(await ask({ where: where({ n: { gte: 300 } }), labels: ['a', 'c'], k: 10 })).sort()).toEqual(
      ['300', '302'],
    );
    const none = await ask({ where: where({ n: -1 }) });
    expect([none.neighbours, none.labels]).toEqual([[], []]);
  });

  it('to many is what it is to each, and one that is wrong fails no other', async () => {
    const bytes = await paintedPng(1002);
    const read = new LookalikeError('invalid_parameter', 'read so');
    const good: Query[] = [
      { kind: 'image', bytes: upload },
      { kind: 'id', id: '301' },
      ...Array.from({ length: 40 }, (_, i): Query => ({ kind: 'id', id: `${i}` })),
      { kind: 'image', bytes },
    ];
    const bad = [
      { kind: 'image', bytes: bytes.subarray(0, 60) },
      { kind: 'id', id: 'nobody' },
      read,
    ] as const;
    const results = await askAll([bad[0], ...good.slice(0, 2), bad[1], bad[2], ...good.slice(2)], { k: 7 });
    const codes = results.map((one) => (one instanceof LookalikeError ? one.code : ''));
    expect(codes.slice(0, 5)).toEqual(['undecodable_image', '', '', 'not_found', 'invalid_parameter']);
    expect(results[4]).toBe(read);
    const answers = results.filter((one) => !(one instanceof LookalikeError));
    for (const [i, query] of good.entries()) expect(answers[i]).toEqual(await ask({ query, k: 7 }));
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
