import type { LookalikeError } from './core/errors.js';
import { messageOf } from './core/errors.js';
import type { Generation, Generations, StoreIdentity } from './core/ports.js';
import { createLastingExactIndex } from './engines/exact-fallback.js';
import { allocatePlanes, imageOf, type PlaneMemory } from './engines/exact-memory.js';
import { makePlanes } from './engines/exact-planes.js';
import {
  loadGeneration,
  newestGeneration,
  pruneGenerations,
  setAside,
  writeGeneration,
} from './engines/generation.js';
import { buildHnswGraph, graphMemory as memoryOf } from './engines/hnsw-build.js';
import { createHnswIndex } from './engines/hnsw-index.js';
import type { Provider } from './engines/provider-probe.js';

/** Generation files, graph and exact index put together: the part of the assembly that needs all three. */
export interface GenerationsParts {
  dir: string; // of one vector space
  identity: StoreIdentity;
  provider: Provider;
  exactThreads: number; // of the exact index on the CPU
  /** Vectors of so many bytes stay in memory: a search scores hundreds again, and each that is read is a call of the system. */
  maxVectorBytes: number;
  buildThreads?: number; // all cores when absent
  available?: () => number; // bytes that a graph may take; what there is when absent
  onBuild?: (facts: { rows: number; memory_bytes: number }) => void; // before a graph is built
  onCrash: (error: LookalikeError) => void;
}

/** Near the middle of what the HNSW paper recommends (Malkov and Yashunin 2018, section 4.1). */
const PARAMETERS = { m: 16, ef_construction: 200 };

export function createGenerations(parts: GenerationsParts): Generations {
  const { dir, identity, provider, exactThreads, maxVectorBytes, buildThreads, available, onBuild, onCrash } =
    parts;
  const { dimension } = identity;
  const graphMemory = (rows: number) => memoryOf({ rows, dimension, m: PARAMETERS.m });
  const vectorsOf = (rows: number) => {
    const bytes = rows * dimension * 4;
    return bytes <= maxVectorBytes ? new Float32Array(new SharedArrayBuffer(bytes)) : undefined;
  };
  /** Loads and verifies a generation and opens both of its indexes over the same vectors. */
  async function open(number: number): Promise<Generation> {
    let planes: PlaneMemory | undefined;
    const planesOf = (rows: number) => {
      planes = allocatePlanes(rows, dimension, exactThreads);
      return imageOf(planes);
    };
    const { manifest, vectorsPath, vectors, rows, graphPath } = await loadGeneration(dir, number, identity, {
      ...(provider === 'cpu' && { planesOf }),
      vectorsOf,
    });
    const source = vectors ? { vectors } : { path: vectorsPath };
    const bank = { ...source, rows: rows.length, dimension, onCrash };
    const opening = [
      graphPath === null ? null : createHnswIndex({ ...bank, graphPath }),
      createLastingExactIndex({ ...bank, provider, planes, threads: exactThreads }),
    ] as const;
    const [graph, exact] = await Promise.all(opening).catch(async (error) => {
      for (const one of await Promise.allSettled(opening))
        if (one.status === 'fulfilled') await one.value?.close();
      throw error;
    });
    return {
      number,
      mark: manifest.bank_mark,
      createdAt: manifest.created_at,
      parameters: manifest.parameters,
      rows,
      graph,
      exact,
      close: async () => void (await Promise.all([graph?.close(), exact.close()])),
    };
  }

  return {
    async openNewest(onSetAside) {
      for (
        let number = await newestGeneration(dir);
        number !== undefined;
        number = await newestGeneration(dir)
      ) {
        try {
          return await open(number);
        } catch (error) {
          await setAside(dir, number);
          onSetAside(number, messageOf(error));
        }
      }
      return null;
    },
    graphMemory,
    async build({ mark, rows, vectors }, { graph, signal, onProgress }) {
      if (graph) onBuild?.({ rows: rows.length, memory_bytes: graphMemory(rows.length) });
      const planes = await makePlanes(vectors, { rows: rows.length, dimension, threads: 1 });
      const number = await writeGeneration(dir, {
        vectors,
        rows,
        planes: imageOf(planes),
        writeGraph: graph
          ? (path) =>
              buildHnswGraph({
                vectors,
                rows: rows.length,
                dimension,
                path,
                m: PARAMETERS.m,
                efConstruction: PARAMETERS.ef_construction,
                ...(onProgress && { onProgress: ({ done }) => onProgress(done) }),
                ...(buildThreads !== undefined && { threads: buildThreads }),
                ...(available && { available: available() }),
                ...(signal && { signal }),
              })
          : null,
        manifest: { ...identity, bank_mark: mark, parameters: PARAMETERS },
      });
      return open(number);
    },
    prune: (keep) => pruneGenerations(dir, keep),
  };
}
