import { setPriority } from 'node:os';
import type { VectorTable } from '../core/top-k.js';
import { type BuildParameters, buildGraph } from './hnsw-graph.js';
import { serveCalls } from './worker-call.js';

/** The thread of `buildHnswGraph`: building is synchronous native work, apart from the searching thread. */
export type BuildRequest = BuildParameters & { bank: VectorTable };

/** A third of the weight of a searching thread: with less, other programs of a busy machine would stop a build. */
const NICENESS = 5;
// Searches come first. Linux has a priority for each thread, and those that this one starts inherit it; elsewhere
// it would be the whole process's.
if (process.platform === 'linux') setPriority(0, NICENESS);

await serveCalls<undefined, BuildRequest, void>(async () => ({ bank, ...parameters }, report) => {
  buildGraph(bank, parameters, report);
  return { value: undefined };
});
