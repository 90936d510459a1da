import { LookalikeError } from '../core/errors.js';
import { type PlaneLayout, type Planes, planeLayout, planesOver } from '../core/planes.js';

/**
 * The memory that the threads of a scan share: control words, the queries, room for each thread, the positions of
 * a filter, the planes. One WebAssembly memory, because the kernels reach no other.
 */

export const MAX_THREADS = 8;
/** Rows times queries below which a second thread costs more than it brings. */
export const WORTH_HELP = 32_768;
/** Queries a task. */
export const GROUP = 32;
/** Rows listed or scored in one go. */
export const LIST = 4096;
/** Candidates of one thread, all queries together: 8 bytes each. */
export const ARENA = 2 ** 19;

/** Words of the control block. */
export const WORD = { ticket: 0, next: 1, queries: 2, k: 3, listed: 4, states: 16, counts: 32 } as const;

/** What a helper is at. Idle, invited and stop are written by the leader, the others by the helper. */
export const STATE = { idle: 0, invited: 1, working: 2, done: 3, failed: 4, stop: 5 } as const;

export interface Regions {
  floats: number; // GROUP x dimension float32: the queries
  threads: number; // one after the other
  threadBytes: number;
  positions: number; // rows x int32
  planes: number;
  pages: number; // of 64 KiB
  layout: PlaneLayout;
}

/** What a thread has for itself, from its region's start. */
export interface ThreadRegions {
  record: number; // one a query
  queries: number; // GROUP x stride int16
  byteQueries: number; // GROUP x stride int8: the same queries
  list: number; // LIST int32
  products: number; // two times LIST int32
  arena: number; // ARENA times (row int32, score float32)
}

const PAGE = 65_536;
const MOST_PAGES = 65_536;
const aligned = (bytes: number) => Math.ceil(bytes / 64) * 64;

export function threadRegions(stride: number): ThreadRegions & { bytes: number } {
  const record = 0;
  const queries = aligned(GROUP * 16);
  const byteQueries = queries + aligned(GROUP * stride * 2);
  const list = byteQueries + aligned(GROUP * stride);
  const products = list + LIST * 4;
  const arena = products + 2 * LIST * 4;
  return { record, queries, byteQueries, list, products, arena, bytes: arena + ARENA * 8 };
}

export function regionsOf(rows: number, dimension: number, threads: number): Regions {
  const layout = planeLayout(rows, dimension);
  const control = aligned((WORD.counts + MAX_THREADS * GROUP) * 4);
  const threadsAt = control + aligned(GROUP * dimension * 4);
  const { bytes: threadBytes } = threadRegions(layout.stride);
  const positions = threadsAt + threads * threadBytes;
  const planes = positions + aligned(rows * 4);
  const pages = Math.ceil((planes + layout.bytes) / PAGE);
  return { floats: control, threads: threadsAt, threadBytes, positions, planes, pages, layout };
}

/** The planes of a bank and the room to search them. */
export interface PlaneMemory {
  memory: WebAssembly.Memory; // shared
  rows: number;
  dimension: number;
  threads: number;
}

/**
 * Memory for the planes of so many rows; what lies in it is zero until it is filled. Throws
 * `provider_unavailable` when they are more than WebAssembly can address (4 GiB).
 */
export function allocatePlanes(rows: number, dimension: number, threads: number): PlaneMemory {
  const count = rows < WORTH_HELP ? 1 : Math.max(1, Math.min(MAX_THREADS, threads));
  const { pages, planes } = regionsOf(rows, dimension, count);
  if (pages > MOST_PAGES) {
    const most = Math.floor(((MOST_PAGES * PAGE - planes) / (pages * PAGE - planes)) * rows);
    throw new LookalikeError(
      'provider_unavailable',
      `the exact index holds at most about ${most} vectors of ${dimension} dimensions (4 GiB of planes), got ${rows}`,
    );
  }
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  return { memory, rows, dimension, threads: count };
}

export function planesIn({ memory, rows, dimension, threads }: PlaneMemory): Planes {
  const { planes, layout } = regionsOf(rows, dimension, threads);
  return planesOver(memory.buffer, planes, layout);
}

/** The bytes of the planes, as they are stored. */
export function imageOf({ memory, rows, dimension, threads }: PlaneMemory): Uint8Array {
  const { planes, layout } = regionsOf(rows, dimension, threads);
  return new Uint8Array(memory.buffer, planes, layout.bytes);
}
