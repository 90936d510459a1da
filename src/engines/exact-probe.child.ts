import { availableParallelism } from 'node:os';
import { messageOf } from '../core/errors.js';
import type { ProbeReport, Provider } from '../core/provider.js';
import { seeded } from '../core/random.js';
import { scanTopK, type VectorTable } from '../core/top-k.js';
import type { Hits } from '../core/types.js';
import { normaliseRows } from '../core/vector.js';
import { reportAndEnd } from './child-call.js';
import { type ExactSession, openExactSession } from './exact-session.js';

/**
 * The child process of `provider-probe.ts`: `node exact-probe.child.js <provider>`. Asks the provider
 * for a top list that plain JavaScript knows, then times it against the CPU provider on the same question.
 */

// Several chunks of the GPU layout and a padded last one; large enough that a real GPU is ahead.
const ROWS = 33_000;
const DIMENSION = 128;
const QUERIES = 16;
const K = 200;
const REPEATS = 5;
const TIME_LIMIT = 1000; // milliseconds

await answer(process.argv[2] as Provider).then(reportAndEnd, (error) =>
  reportAndEnd({ failure: messageOf(error) }),
);

async function answer(provider: Provider): Promise<ProbeReport> {
  const bank: VectorTable = { vectors: knownVectors(), rows: ROWS, dimension: DIMENSION };
  const queries = bank.vectors.slice(0, QUERIES * DIMENSION);
  const expected = scanTopK(bank, queries.subarray(0, DIMENSION), { k: K });
  const session = await openExactSession(bank, { provider, intraOpThreads: 1 });
  const [found] = await session.search(queries.slice(0, DIMENSION), 1, K);
  // A list that had to be scanned for would be right whatever the provider computed.
  if (session.scanned > 0 || !same(found!, expected))
    return { failure: 'it answers a known question wrongly' };
  const intraOpThreads = availableParallelism();
  const cpu = await openExactSession(bank, { provider: 'cpu', intraOpThreads });
  return { milliseconds: await median(session, queries), cpuMilliseconds: await median(cpu, queries) };
}

/** Unit vectors of known numbers; rows come in pairs of equals. */
function knownVectors(): Float32Array {
  const random = seeded(1);
  const vectors = new Float32Array(ROWS * DIMENSION);
  const half = vectors.length / 2;
  for (let i = 0; i < half; i++) vectors[i] = vectors[half + i] = random() - 0.5;
  return normaliseRows(vectors, ROWS, DIMENSION);
}

function same(a: Hits, b: Hits): boolean {
  return a.rows.join() === b.rows.join() && a.scores.every((score, i) => score === b.scores[i]);
}

async function median(session: ExactSession, queries: Float32Array): Promise<number> {
  const times: number[] = [];
  // The kernels are warm from the question before. A software adapter takes seconds a run: one run is enough then.
  for (let left = TIME_LIMIT; times.length < REPEATS && left > 0; left -= times.at(-1)!) {
    const start = performance.now();
    await session.search(queries, QUERIES, K);
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[times.length >> 1]!;
}
