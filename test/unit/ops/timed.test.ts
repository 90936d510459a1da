import { describe, expect, it } from 'vitest';
import { startStopwatch } from '../../../src/ops/timed.js';

describe('a stopwatch', () => {
  it('passes results and errors through, and counts both', async () => {
    const seen: string[] = [];
    const { timed } = startStopwatch((stage, { failed }) => seen.push(`${stage}${failed ? ' failed' : ''}`));
    expect(await timed('decode', () => 7)).toBe(7);
    expect(await timed('embed', async () => 'vector')).toBe('vector');
    const fault = new Error('broken');
    await expect(timed('search', () => Promise.reject(fault))).rejects.toBe(fault);
    await expect(
      timed('vote', () => {
        throw fault;
      }),
    ).rejects.toBe(fault);
    expect(seen).toEqual(['decode', 'embed', 'search failed', 'vote failed']);
  });

  it('tells in the order of the stages what has run, then the total', async () => {
    const watch = startStopwatch();
    await watch.timed('vote', () => 0);
    await watch.timed('receive', () => 0);
    expect(Object.keys(watch.stages())).toEqual(['receive', 'vote']);
    expect(watch.header()).toMatch(/^receive;dur=\d+(\.\d+)?, vote;dur=\d+(\.\d+)?, total;dur=\d+(\.\d+)?$/);
  });

  it('gives beginning and end to the observer and sums a stage that ran twice', async () => {
    const took: number[] = [];
    const before = Date.now();
    const watch = startStopwatch((_stage, { started, ended }) => {
      expect(started).toBeGreaterThan(before - 1000);
      took.push(ended - started);
    });
    for (let i = 0; i < 2; i++)
      await watch.timed('embed', () => new Promise((resolve) => setTimeout(resolve, 5)));
    const sum = took.reduce((total, one) => total + one, 0);
    expect(watch.stages().embed).toBeCloseTo(sum, 1);
    expect(watch.total()).toBeGreaterThanOrEqual(sum - 0.01);
  });
});
