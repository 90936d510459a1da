import { fillPlanes, padPlanes } from '../core/planes.js';
import { type PlaneMemory, planesIn } from './exact-memory.js';
import { serveCalls } from './worker-call.js';

/** The thread of `makePlanes`. */
export interface PlanesRequest {
  planes: PlaneMemory;
  vectors: Float32Array;
}

await serveCalls<undefined, PlanesRequest, void>(async () => ({ planes, vectors }) => {
  const parts = planesIn(planes);
  fillPlanes(parts, vectors, { from: 0, to: planes.rows });
  padPlanes(parts);
  return { value: undefined };
});
