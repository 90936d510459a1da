import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createGate, type Release } from '../../../src/core/gate.js';

const open = (capacity: number, waiting: number) => createGate({ name: 'test', capacity, waiting });
/** Lets everything that can go on now go on. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('a gate', () => {
  it('lets so many in, makes so many wait, refuses the next', async () => {
    const gate = open(2, 1);
    await gate.enter();
    await gate.enter();
    const third = gate.enter();
    expect(gate.state).toMatchObject({ used: 2, running: 2, waiting: 1 });
    expect(gate.full).toBe(true);
    await expect(gate.enter()).rejects.toMatchObject({ code: 'overloaded' });
    expect(gate.state.waiting).toBe(1);
    void third;
  });

  it('serves in the order of arrival', async () => {
    const gate = open(1, 10);
    const first = await gate.enter();
    const served: number[] = [];
    const entries = [1, 2, 3].map((n) =>
      gate.enter().then((release) => {
        served.push(n);
        release();
      }),
    );
    first();
    await Promise.all(entries);
    expect(served).toEqual([1, 2, 3]);
    expect(gate.state).toMatchObject({ used: 0, running: 0, waiting: 0 });
  });

  it('gives a place back once, however often it is released', async () => {
    const gate = open(1, 2);
    const release = await gate.enter();
    const second = gate.enter();
    const third = gate.enter();
    release();
    release();
    await second;
    expect(gate.state).toMatchObject({ running: 1, waiting: 1 });
    void third;
  });

  it('does not let a light one overtake a heavy one', async () => {
    const gate = open(10, 5);
    const first = await gate.enter({ weight: 6 });
    const order: string[] = [];
    const heavy = gate.enter({ weight: 8 }).then((release) => {
      order.push('heavy');
      release();
    });
    const light = gate.enter({ weight: 1 }).then(() => order.push('light'));
    await settle();
    expect(order).toEqual([]);
    first();
    await Promise.all([heavy, light]);
    expect(order).toEqual(['heavy', 'light']);
  });

  it('refuses a weight that can never fit', async () => {
    await expect(open(10, 5).enter({ weight: 11 })).rejects.toMatchObject({ code: 'overloaded' });
  });

  it('lets who waits give up, and the ones behind move on', async () => {
    const gate = open(10, 5);
    await gate.enter({ weight: 6 });
    const gone = new AbortController();
    const heavy = gate.enter({ weight: 8, signal: gone.signal });
    const light = gate.enter({ weight: 1 });
    gone.abort();
    await expect(heavy).rejects.toMatchObject({ code: 'aborted' });
    await light;
    expect(gate.state).toMatchObject({ used: 7, running: 2, waiting: 0 });
  });

  it('refuses whoever has gone before asking', async () => {
    const gate = open(1, 1);
    await expect(gate.enter({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'aborted' });
    expect(gate.state.used).toBe(0);
  });

  it('ignores an abort after it has let in', async () => {
    const gate = open(1, 1);
    const blocker = await gate.enter();
    const gone = new AbortController();
    const entry = gate.enter({ signal: gone.signal });
    blocker();
    const release = await entry;
    gone.abort();
    expect(gate.state.running).toBe(1);
    release();
    expect(gate.state.running).toBe(0);
  });

  it('refuses nonsense at the start', () => {
    expect(() => open(0, 1)).toThrow(expect.objectContaining({ code: 'invalid_setting' }));
    expect(() => open(1, -1)).toThrow(expect.objectContaining({ code: 'invalid_setting' }));
  });

  it('never holds more than its capacity, never loses weight, whatever happens', async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('enter' as const), weight: fc.integer({ min: 1, max: 12 }) }),
      fc.record({ kind: fc.constant('release' as const), at: fc.nat(20) }),
      fc.record({ kind: fc.constant('abort' as const), at: fc.nat(20) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const gate = open(10, 3);
        const inside: Release[] = [];
        const waiters: AbortController[] = [];
        for (const one of steps) {
          if (one.kind === 'enter') {
            const gone = new AbortController();
            waiters.push(gone);
            gate.enter({ weight: one.weight, signal: gone.signal }).then(
              (release) => inside.push(release),
              () => {},
            );
          } else if (one.kind === 'release') inside.splice(one.at, 1)[0]?.();
          else waiters[one.at]?.abort();
          await settle();
          const { used, waiting, running } = gate.state;
          expect(used).toBeLessThanOrEqual(10);
          expect(waiting).toBeLessThanOrEqual(3);
          expect(running).toBe(inside.length);
        }
        while (inside.length > 0 || gate.state.waiting > 0) {
          inside.shift()?.();
          await settle();
        }
        expect(gate.state).toMatchObject({ used: 0, running: 0, waiting: 0 });
      }),
      { numRuns: 100 },
    );
  });
});
