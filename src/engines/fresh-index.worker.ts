import { type FreshChunk, type FreshQuestion, scanFresh } from '../core/fresh-scan.js';
import type { Hits } from '../core/types.js';
import { serveCalls } from './worker-call.js';

/** The thread of `fresh-index.ts`: scans what the other one writes. */
export interface FreshRequest extends FreshQuestion {
  chunks: readonly FreshChunk[];
}

await serveCalls<undefined, FreshRequest, Hits[]>(async () => ({ chunks, ...question }) => ({
  value: scanFresh(chunks, question),
}));
