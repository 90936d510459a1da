/** A GPU that is lost: the CPU answers in its place, and nobody is told an error. */
import { describe, expect, it } from 'vitest';
import { LookalikeError } from '../../src/core/errors.js';
import type { Index } from '../../src/core/ports.js';
import { createLastingExactIndex, fallingBack } from '../../src/engines/exact-fallback.js';
import { createExactIndex } from '../../src/engines/exact-index.js';
import { describeIndex, lists, referee } from './index.contract.js';
import { shared, unitVectors } from './vectors.js';

const dimension = 16;
const bank = unitVectors({ rows: 300, dimension, seed: 21 });
const query = bank.vectors.slice(0, dimension);
const onCpu = () => createExactIndex({ ...shared(bank), provider: 'cpu' });

/** An index that answers `searches` times and is lost then. */
function losing(index: Index, searches: number): Index {
  let left = searches;
  return {
    ...index,
    provider: 'webgpu',
    search: (...asked) =>
      left-- > 0
        ? index.search(...asked)
        : Promise.reject(new LookalikeError('internal', 'the device is lost')),
  };
}

describeIndex({
  name: 'exact, on a device that is lost at the first search',
  exact: true,
  runs: 2,
  async open(vectors) {
    const open = () => createExactIndex({ ...shared(vectors), provider: 'cpu' });
    return fallingBack(losing(await open(), 0), { onCpu: open, onLost: () => undefined });
  },
});

describe('an exact index that falls back', () => {
  it('answers what was asked while it was lost, all at once, and says so once', async () => {
    const lost: unknown[] = [];
    const index = fallingBack(losing(await onCpu(), 2), { onCpu, onLost: (cause) => lost.push(cause) });
    expect(index.provider).toBe('webgpu');
    const hits = await Promise.all(Array.from({ length: 6 }, () => index.search(query, 1, { k: 5 })));
    const truth = lists(await referee(bank).search(query, 1, { k: 5 }));
    for (const found of hits) expect(lists(found)).toEqual(truth);
    expect([lost.length, index.provider, index.size]).toEqual([1, 'cpu', 300]);
    await index.close();
    await expect(index.search(query, 1, { k: 5 })).rejects.toMatchObject({ code: 'not_ready' });
  });

  it('does not take a wrong question for a loss', async () => {
    const lost: unknown[] = [];
    const index = fallingBack(losing(await onCpu(), 9), { onCpu, onLost: (cause) => lost.push(cause) });
    await expect(index.search(query, 1, { k: 0 })).rejects.toMatchObject({ code: 'invalid_parameter' });
    await expect(index.search(query, 1, { k: 1, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'aborted',
    });
    expect([lost, index.provider]).toEqual([[], 'webgpu']);
    await index.close();
  });

  it('tells who asked when the CPU cannot take over either, and closes', async () => {
    const broken = () => Promise.reject(new LookalikeError('internal', 'no memory'));
    const index = fallingBack(losing(await onCpu(), 0), { onCpu: broken, onLost: () => undefined });
    await expect(index.search(query, 1, { k: 1 })).rejects.toThrow('no memory');
    await index.close();
  });

  it('opens on the CPU where the provider does not start', async () => {
    const told: LookalikeError[] = [];
    const onCrash = (error: LookalikeError) => told.push(error);
    const index = await createLastingExactIndex({ ...shared(bank), provider: 'none' as 'webgpu', onCrash });
    expect([index.provider, told.length]).toEqual(['cpu', 1]);
    expect(told[0]).toMatchObject({ code: 'provider_unavailable', message: expect.stringContaining('none') });
    await index.close();
  });
});
