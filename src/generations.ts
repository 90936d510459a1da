import type { LookalikeError } from './core/errors.js';
import { messageOf } from './core/errors.js';
import type { Generation, Generations, StoreIdentity } from './core/ports.js';
import { createExactIndex } from './engines/exact-index.js';
import {
  loadGeneration,
  newestGeneration,
  pruneGenerations,
  setAside,
  writeGeneration,
} from './engines/generation.js';
import { buildHnswGraph } from './engines/hnsw-build.js';
import { createHnswIndex } from './engines/hnsw-index.js';
import type { Provider } from './engines/provider-probe.js';

/** Generation files, graph and exact index put together: the part of the assembly that needs all three. */
export interface GenerationsParts {
  dir: string; // of one vector space
  identity: StoreIdentity;
  provider: Provider;
  onCrash: (error: LookalikeError) => void;
}

/** Near the middle of what the HNSW paper recommends (Malkov and Yashunin 2018, section 4.1). */
const PARAMETERS = { m: 16, ef_construction: 200, seed: 100 };

export function createGenerations({ dir, identity, provider, onCrash }: GenerationsParts): Generations {
  /** Loads and verifies a generation and opens both of its indexes over the same vectors. */
  async function open(number: number): Promise<Generation> {
    const { manifest, vectors, rows, graphPath } = await loadGeneration(dir, number, identity);
    const bank = { vectors, rows: rows.length, dimension: identity.dimension, onCrash };
    const graph = await createHnswIndex({ ...bank, graphPath });
    const exact = await createExactIndex({ ...bank, provider }).catch(async (error) => {
      await graph.close();
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
      close: async () => void (await Promise.all([graph.close(), exact.close()])),
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
    async build({ mark, rows, vectors }, { signal, onProgress }) {
      const number = await writeGeneration(dir, {
        vectors,
        rows,
        writeGraph: (path) =>
          buildHnswGraph({
            vectors,
            rows: rows.length,
            dimension: identity.dimension,
            path,
            m: PARAMETERS.m,
            efConstruction: PARAMETERS.ef_construction,
            seed: PARAMETERS.seed,
            ...(onProgress && { onProgress: ({ done }) => onProgress(done) }),
            ...(signal && { signal }),
          }),
        manifest: { ...identity, bank_mark: mark, parameters: PARAMETERS },
      });
      return open(number);
    },
    prune: (keep) => pruneGenerations(dir, keep),
  };
}
