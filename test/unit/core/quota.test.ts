import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createQuota } from '../../../src/core/quota.js';

const open = (limit = 2, callers = 10) => createQuota({ limit, windowSeconds: 60, callers });

describe('a quota', () => {
  it('lets so many through, then none until the window ends', () => {
    const quota = open();
    expect(quota.take('a', 0)).toEqual({ allowed: true, remaining: 1, resetSeconds: 60 });
    expect(quota.take('a', 1000)).toEqual({ allowed: true, remaining: 0, resetSeconds: 59 });
    expect(quota.take('a', 59_999)).toEqual({ allowed: false, remaining: 0, resetSeconds: 1 });
    expect(quota.take('a', 60_000)).toEqual({ allowed: true, remaining: 1, resetSeconds: 60 });
  });

  it('counts each caller alone, in a window of its own', () => {
    const quota = open(1);
    expect(quota.take('a', 0).allowed).toBe(true);
    expect(quota.take('b', 30_000)).toMatchObject({ allowed: true, resetSeconds: 60 });
    expect(quota.take('a', 60_000).allowed).toBe(true);
    expect(quota.take('b', 60_000).allowed).toBe(false);
  });

  it('remembers no more callers than it may: the window that ends first is forgotten', () => {
    const quota = open(1, 2);
    for (const [caller, now] of [
      ['a', 0],
      ['b', 1],
      ['c', 2],
    ] as const)
      quota.take(caller, now);
    expect(quota.take('b', 3).allowed).toBe(false);
    expect(quota.take('a', 4).allowed).toBe(true); // in place of b
    expect(quota.take('c', 5).allowed).toBe(false);
  });

  it('never lets more than the limit through in any window, and never fewer while it may', () => {
    const request = fc.record({ caller: fc.constantFrom('a', 'b', 'c'), wait: fc.nat(40_000) });
    fc.assert(
      fc.property(fc.array(request, { maxLength: 60 }), fc.integer({ min: 1, max: 5 }), (requests, limit) => {
        const quota = open(limit);
        const passed = new Map<string, number[]>();
        let now = 0;
        for (const { caller, wait } of requests) {
          now += wait;
          const times = passed.get(caller) ?? [];
          const { allowed, remaining, resetSeconds } = quota.take(caller, now);
          if (allowed) passed.set(caller, [...times, now]);
          else expect(times.filter((time) => time > now - 60_000).length).toBe(limit);
          expect(remaining).toBeGreaterThanOrEqual(0);
          expect(resetSeconds).toBeGreaterThanOrEqual(1);
          expect(resetSeconds).toBeLessThanOrEqual(60);
        }
      }),
    );
  });
});
