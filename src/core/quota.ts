/**
 * Requests of one caller in a window of time: so many are let through, then the next window must be waited for.
 * A caller's window begins with the first request, so callers do not all come back at the same moment.
 */
export interface Quota {
  readonly limit: number; // requests in a window
  readonly windowSeconds: number;
  /** Counts one request of `caller` at `now` (milliseconds, never going back) and says how the caller stands. */
  take(caller: string, now: number): Standing;
}

export interface Standing {
  allowed: boolean;
  remaining: number; // requests left in the window
  resetSeconds: number; // until the window ends; whole, 1 or more
}

export interface QuotaOptions {
  limit: number;
  windowSeconds: number;
  callers: number; // most that are remembered
}

interface Window {
  ends: number;
  taken: number;
}

/**
 * Memory is bounded: past `callers` the window that ends first is forgotten, in favour of its caller. All
 * windows are equally long, so the map holds them in the order in which they end.
 */
export function createQuota({ limit, windowSeconds, callers }: QuotaOptions): Quota {
  const windows = new Map<string, Window>();

  const dropEnded = (now: number) => {
    for (const [caller, { ends }] of windows) {
      if (ends > now) return;
      windows.delete(caller);
    }
  };
  const open = (caller: string, now: number): Window => {
    if (windows.size >= callers) windows.delete(windows.keys().next().value!);
    const window = { ends: now + windowSeconds * 1000, taken: 0 };
    windows.set(caller, window);
    return window;
  };

  return {
    limit,
    windowSeconds,
    take(caller, now) {
      dropEnded(now);
      const window = windows.get(caller) ?? open(caller, now);
      const allowed = window.taken < limit;
      if (allowed) window.taken++;
      const resetSeconds = Math.max(1, Math.ceil((window.ends - now) / 1000));
      return { allowed, remaining: limit - window.taken, resetSeconds };
    },
  };
}
