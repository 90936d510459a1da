import { fillPlanes, padPlanes } from '../core/planes.js';
import { allocatePlanes, type PlaneMemory, planesIn } from './exact-memory.js';
import type { PlanesRequest } from './exact-planes.worker.js';
import { WorkerThread } from './worker-call.js';

/** Numbers that the calling thread takes itself: about two milliseconds. */
const HERE = 2 ** 18;

/**
 * The planes of checked unit vectors (rows x dimension, on a SharedArrayBuffer), made in a thread of their own where they are many; `threads` is
 * how many will search them. Throws what `allocatePlanes` throws.
 */
export async function makePlanes(
  vectors: Float32Array,
  { rows, dimension, threads }: { rows: number; dimension: number; threads: number },
): Promise<PlaneMemory> {
  const planes = allocatePlanes(rows, dimension, threads);
  if (vectors.length <= HERE) {
    const parts = planesIn(planes);
    fillPlanes(parts, vectors, { from: 0, to: rows });
    padPlanes(parts);
    return planes;
  }
  const thread = await WorkerThread.start<PlanesRequest, void>('exact-planes.worker', {
    data: undefined,
    what: 'planes of the exact index',
  });
  try {
    await thread.call({ planes, vectors });
  } finally {
    await thread.close();
  }
  return planes;
}
