import { LookalikeError } from '../core/errors.js';
import type { Generation, GenerationSource, Generations, Store } from '../core/ports.js';
import type { Active } from './collections.js';
import type { Progress } from './jobs.js';

/**
 * Rebuilds the index from the bank: read the vectors, build and verify a new generation beside the old one,
 * switch. The old one answers until the new one is loaded, and stays on disk as the one before.
 */
export interface ReindexParts extends BuildParts, Pick<Active, 'collection'> {
  manyFresh?: number; // instead of `MANY_FRESH`
}

export interface BuildParts {
  store: Store;
  generations: Generations;
  /** Lets waiting requests run; a page of reading comes between two turns. */
  yieldToRequests: () => Promise<void>;
}

export async function reindex(parts: ReindexParts, { signal, report }: Progress) {
  const { collection, generations } = parts;
  report({ total: collection.size });
  const source = await readBank(parts, signal);
  if (collection.freshRows > (parts.manyFresh ?? MANY_FRESH))
    await collection.adopt(await generations.build(source, { graph: false, signal }));
  const next = await buildFrom(parts, source, { signal, report });
  await collection.adopt(next.generation);
  await generations.prune(KEEP);
  return { ...summary(next.generation), ...(next.refused !== null && { graph_refused: next.refused }) };
}

/** More rows than this that no generation holds get one without a graph first: it is there within seconds. */
const MANY_FRESH = 20_000;

/** The next generation over all vectors of a space, loaded; whoever asks for it closes it. */
export async function buildGeneration(parts: BuildParts, { signal, report }: Progress): Promise<Generation> {
  return (await buildFrom(parts, await readBank(parts, signal), { signal, report })).generation;
}

/** Without a graph where there is no memory for one; `refused` says so. */
async function buildFrom(
  { generations }: BuildParts,
  source: GenerationSource,
  { signal, report }: Progress,
): Promise<{ generation: Generation; refused: string | null }> {
  const rows = source.rows.length;
  report({ total: rows, result: { graph_memory_bytes: generations.graphMemory(rows) } });
  try {
    const onProgress = (done: number) => report({ done });
    return {
      generation: await generations.build(source, { graph: true, signal, onProgress }),
      refused: null,
    };
  } catch (error) {
    if (!(error instanceof LookalikeError && error.code === 'insufficient_memory')) throw error;
    const generation = await generations.build(source, { graph: false, signal });
    return { generation, refused: error.message };
  }
}

/** The newest and the one before it. */
const KEEP = 2;
const PAGE = 2000;

/**
 * All vectors in the order of their ids. Rows that come while this reads are above the mark and stay in the
 * fresh segment; rows that go are tombstones of the new generation. So no lock is needed.
 */
async function readBank({ store, yieldToRequests }: BuildParts, signal: AbortSignal) {
  const mark = store.highWaterMark();
  const { dimension } = store.identity;
  const pages: { row: number; vector: Float32Array }[][] = [];
  for (let after: string | null = null; ; ) {
    signal.throwIfAborted();
    const page = store.vectorsInIdOrder(after, PAGE);
    if (page.length === 0) break;
    pages.push(page.filter(({ row }) => row <= mark));
    after = page.at(-1)!.id;
    await yieldToRequests();
  }
  const all = pages.flat();
  const rows = new Int32Array(all.length);
  const vectors = new Float32Array(new SharedArrayBuffer(all.length * dimension * 4));
  all.forEach(({ row, vector }, i) => {
    rows[i] = row;
    vectors.set(vector, i * dimension);
  });
  return { mark, rows, vectors };
}

const summary = (generation: Generation) => ({ generation: generation.number, rows: generation.rows.length });
