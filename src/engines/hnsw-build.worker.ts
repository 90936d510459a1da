import type { VectorTable } from '../core/top-k.js';
import { type BuildParameters, buildGraph } from './hnsw-graph.js';
import { serveCalls } from './worker-call.js';

/** The thread of `buildHnswGraph`: building is synchronous native work, apart from the searching thread. */
export type BuildRequest = BuildParameters & { bank: VectorTable };

await serveCalls<undefined, BuildRequest, void>(async () => ({ bank, ...parameters }, report) => {
  buildGraph(bank, parameters, report);
  return { value: undefined };
});
