import { closedError } from '../core/check-search.js';
import { LookalikeError, messageOf } from '../core/errors.js';
import type { Index } from '../core/ports.js';
import { createExactIndex, type ExactIndexOptions } from './exact-index.js';

/**
 * The exact index on the provider that is wished for, for as long as that works. A GPU can be lost at any moment (driver
 * update, reset, sleep, out of memory): what it fails at is asked again of the CPU, and so is everything after it, until
 * the next start. `onCrash` is told.
 */
export async function createLastingExactIndex(options: ExactIndexOptions): Promise<Index> {
  const { provider, onCrash } = options;
  const onCpu = () => createExactIndex({ ...options, provider: 'cpu' });
  if (provider === 'cpu') return onCpu();
  const onLost = (cause: unknown) => {
    const text = `the exact index on ${provider} failed (${messageOf(cause)}): the CPU answers from now on`;
    onCrash?.(new LookalikeError('provider_unavailable', text, { cause }));
  };
  try {
    return fallingBack(await createExactIndex(options), { onCpu, onLost });
  } catch (error) {
    onLost(error);
    return onCpu();
  }
}

export interface Fallback {
  onCpu: () => Promise<Index>;
  onLost: (cause: unknown) => void; // called once
}

/** `first` until a search of it fails, then what `onCpu` opens; the search that failed waits for that and is answered. */
export function fallingBack(first: Index, { onCpu, onLost }: Fallback): Index {
  let now = first;
  let moving: Promise<Index> | undefined;
  let closed = false;
  async function move(cause: unknown): Promise<Index> {
    onLost(cause);
    await first.close();
    now = await onCpu();
    if (closed) await now.close();
    return now;
  }
  return {
    kind: first.kind,
    size: first.size,
    get provider() {
      return now.provider;
    },
    get threads() {
      return now.threads ?? 1;
    },
    async search(queries, n, options) {
      if (closed) throw closedError('exact index');
      if (moving) return (await moving).search(queries, n, options);
      try {
        return await first.search(queries, n, options);
      } catch (error) {
        if (closed || !isFault(error)) throw error;
        moving ??= move(error);
        return (await moving).search(queries, n, options);
      }
    },
    async close() {
      closed = true;
      await first.close();
      await moving?.catch(() => undefined); // whoever asked was told
      await now.close();
    },
  };
}

/** Not of the question: those are wrong on the CPU too. A call that waited while the first one was closed is asked again. */
const isFault = (error: unknown): boolean =>
  !(error instanceof LookalikeError) || error.code === 'internal' || error.code === 'not_ready';
