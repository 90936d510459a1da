/** When samples are taken and measured; what the graph's recall is, collection.test.ts and recall.test.ts say. */
import { describe, expect, it } from 'vitest';
import { createRecallWatch, type RecallWatchParts, type Rerun } from '../../../src/flow/recall-watch.js';

/** A watch that takes everything; time passes only when told. */
function open(given: Partial<RecallWatchParts> = {}) {
  let now = 0;
  const wake: (() => void)[] = [];
  const watch = createRecallWatch({
    share: 1,
    random: () => 0,
    now: () => now,
    moment: (signal) =>
      new Promise((resolve, reject) => {
        const end = () => reject(signal.reason);
        signal.addEventListener('abort', end, { once: true });
        wake.push(() => {
          signal.removeEventListener('abort', end);
          resolve();
        });
      }),
    ...given,
  });
  return {
    watch,
    tick: (ms = 1000) => {
      now += ms;
    },
    /** The moment that is waited for passes, and all that follows from it. */
    async pass() {
      for (const resolve of wake.splice(0)) resolve();
      await new Promise((resolve) => setImmediate(resolve));
    },
    get isWaiting() {
      return wake.length > 0;
    },
  };
}

const measured =
  (ratio: number | null): Rerun =>
  async () =>
    ratio;

describe('a recall watch', () => {
  it('says nothing before the first sample, then the mean', async () => {
    const { watch, tick, pass } = open();
    const estimate = watch.estimate();
    expect(estimate.recall()).toEqual({ ratio: null, samples: 0 });
    for (const ratio of [1, 0.5, null]) {
      estimate.offer(measured(ratio));
      tick();
      await pass();
    }
    expect(estimate.recall()).toEqual({ ratio: 0.75, samples: 2 });
  });

  it('keeps the last 200 samples', async () => {
    const { watch, tick, pass } = open();
    const estimate = watch.estimate();
    for (let i = 0; i < 250; i++) {
      estimate.offer(measured(i < 50 ? 0 : 1));
      tick();
      await pass();
    }
    expect(estimate.recall()).toEqual({ ratio: 1, samples: 200 });
  });

  it('takes its share, by the dice', async () => {
    const dice = [0.009, 0.01, 0.5, 0];
    const parts = open({ share: 0.01, random: () => dice.shift()! });
    const estimate = parts.watch.estimate();
    for (let i = 0; i < 4; i++) {
      estimate.offer(measured(i));
      parts.tick();
      await parts.pass();
    }
    expect(estimate.recall()).toEqual({ ratio: 1.5, samples: 2 }); // the first and the last
  });

  it('takes none when the share is 0, and waits for nothing', () => {
    const parts = open({ share: 0 });
    parts.watch.estimate().offer(measured(1));
    expect(parts.isWaiting).toBe(false);
  });

  it('takes at most one a second, and lets no more than four wait', async () => {
    const { watch, tick, pass } = open();
    const estimate = watch.estimate();
    let reruns = 0;
    const counted: Rerun = async () => {
      reruns++;
      return 1;
    };
    for (let i = 0; i < 3; i++) estimate.offer(counted);
    for (let i = 0; i < 9; i++) {
      tick();
      estimate.offer(counted);
    }
    for (let i = 0; i < 12; i++) await pass();
    expect(reruns).toBe(4);
  });

  it('waits until no search has run for a moment', async () => {
    const { watch, pass } = open();
    const estimate = watch.estimate();
    let finish = () => {};
    const search = watch.during(() => new Promise<void>((resolve) => (finish = resolve)));
    estimate.offer(measured(1));
    await pass();
    expect(estimate.recall().samples).toBe(0); // one is running
    finish();
    await search;
    await watch.during(async () => {});
    await pass();
    expect(estimate.recall().samples).toBe(0); // one ran in the meantime
    await pass();
    expect(estimate.recall().samples).toBe(1);
  });

  it('passes on what a search answers or throws', async () => {
    const { watch } = open();
    expect(await watch.during(async () => 7)).toBe(7);
    const fault = new Error('no');
    await expect(watch.during(() => Promise.reject(fault))).rejects.toBe(fault);
    const estimate = watch.estimate();
    estimate.offer(measured(1)); // the failed search does not count as running any more
  });

  it('measures one at a time, whichever collection they are of', async () => {
    const { watch, tick, pass } = open();
    const [first, second] = [watch.estimate(), watch.estimate()];
    let finish = (_: number) => {};
    first.offer(() => new Promise<number>((resolve) => (finish = resolve)));
    tick();
    second.offer(measured(0.5));
    await pass();
    await pass();
    expect(second.recall().samples).toBe(0);
    finish(1);
    await pass();
    await pass();
    expect([first.recall().ratio, second.recall().ratio]).toEqual([1, 0.5]);
  });

  it('goes on after a sample that failed', async () => {
    const { watch, tick, pass } = open();
    const estimate = watch.estimate();
    estimate.offer(() => Promise.reject(new Error('the worker died')));
    tick();
    estimate.offer(measured(0.5));
    await pass();
    await pass();
    expect(estimate.recall()).toEqual({ ratio: 0.5, samples: 1 });
  });

  it('forgets the old graph with all that waits or is being measured', async () => {
    const { watch, tick, pass } = open();
    const [estimate, other] = [watch.estimate(), watch.estimate()];
    let finish = (_: number) => {};
    estimate.offer(() => new Promise<number>((resolve) => (finish = resolve)));
    await pass();
    for (const one of [estimate, other]) {
      tick();
      one.offer(measured(0.5));
    }
    estimate.reset();
    finish(1);
    await pass();
    await pass();
    expect(estimate.recall()).toEqual({ ratio: null, samples: 0 });
    expect(other.recall()).toEqual({ ratio: 0.5, samples: 1 });
  });

  it('closes: what is measured is told to stop, what waits is dropped, nothing more is taken', async () => {
    const { watch, tick, pass } = open();
    const estimate = watch.estimate();
    let told = false;
    estimate.offer(
      (signal) =>
        new Promise((_, reject) =>
          signal.addEventListener('abort', () => {
            told = true;
            reject(signal.reason);
          }),
        ),
    );
    await pass();
    tick();
    estimate.offer(measured(1));
    await watch.close();
    expect(told).toBe(true);
    tick();
    estimate.offer(measured(1));
    await watch.close();
    await pass();
    expect(estimate.recall()).toEqual({ ratio: null, samples: 0 });
  });
});
