import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openRuns } from '../../../src/engines/onnx-runs.js';
import type { EncoderRun, SessionThreads } from '../../../src/engines/onnx-session.js';
import { allowedProcessors, currentProcessor, processorsOf } from '../../../src/engines/processors.js';

/** Sessions that only say which one they are, by the processors of their helpers. */
function recorder(fails: (threads: SessionThreads) => boolean = () => false) {
  const opened: SessionThreads[] = [];
  const names = new Map<EncoderRun, readonly number[] | undefined>();
  const open = async (threads: SessionThreads) => {
    opened.push(threads);
    if (fails(threads)) throw new Error('the file is gone');
    const run: EncoderRun = async () => new Float32Array(0);
    names.set(run, threads.helpersOn);
    return run;
  };
  return { opened, open, helpersOf: (run: EncoderRun) => names.get(run) };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('runs of the encoder', () => {
  it('have their helpers in the half of the processors where the caller is not', async () => {
    const { opened, open, helpersOf } = recorder();
    let here = 0;
    const processors = [0, 1, 4, 5, 6];
    const run = await openRuns({ intraOpThreads: 3, open, processors, current: () => here });
    expect(opened).toEqual([{ intraOpThreads: 3, helpersOn: [4, 5, 6] }]);
    for (here of [0, 1]) expect(helpersOf(run())).toEqual([4, 5, 6]);
    expect(opened.length).toBe(1);
    here = 5;
    expect(helpersOf(run())).toEqual([4, 5, 6]); // the other session is only just wanted
    await settle();
    for (here of [4, 5, 6]) expect(helpersOf(run())).toEqual([0, 1]);
    here = 1;
    expect(helpersOf(run())).toEqual([4, 5, 6]);
    expect(opened.length).toBe(2);
  });

  it('go on with the one session when the other cannot be opened, and do not try again', async () => {
    const { opened, open, helpersOf } = recorder(({ helpersOn }) => helpersOn?.includes(0) ?? false);
    const run = await openRuns({ intraOpThreads: 2, open, processors: [0, 1], current: () => 1 });
    for (let i = 0; i < 3; i++) {
      expect(helpersOf(run())).toEqual([1]);
      await settle();
    }
    expect(opened.length).toBe(2);
  });

  it.each([
    ['one thread needs no helpers', { intraOpThreads: 1, processors: [0, 1] }],
    ['halves are too small for all helpers', { intraOpThreads: 4, processors: [0, 1, 2, 3] }],
    ['there is one processor', { intraOpThreads: 2, processors: [3] }],
    ['nobody knows the processors', { intraOpThreads: 2, processors: [] }],
    ['helpers spin', { intraOpThreads: 2, spinning: true, processors: [0, 1] }],
  ])('are of one session, with helpers anywhere, where %s', async (_, { processors, ...threads }) => {
    const { opened, open, helpersOf } = recorder();
    const run = await openRuns({ ...threads, open, processors, current: () => 1 });
    expect(helpersOf(run())).toBeUndefined();
    await settle();
    expect(opened).toEqual([threads]);
  });

  it('are the first session where nobody knows where the caller is', async () => {
    const { opened, open, helpersOf } = recorder();
    const run = await openRuns({ intraOpThreads: 2, open, processors: [0, 1], current: () => null });
    expect(helpersOf(run())).toEqual([1]);
    await settle();
    expect(opened.length).toBe(1);
  });

  it('cannot be had where the first session cannot be opened', async () => {
    const { open } = recorder(() => true);
    await expect(openRuns({ intraOpThreads: 2, open })).rejects.toThrow('the file is gone');
  });
});

describe('processors', () => {
  it.each([
    ['0', [0]],
    ['0-3', [0, 1, 2, 3]],
    ['0-1,4,6-7', [0, 1, 4, 6, 7]],
    ['', []],
    ['all', []],
  ])('are read from the list "%s"', (list, expected) => {
    expect(processorsOf(list)).toEqual(expected);
  });

  it.runIf(process.platform === 'linux')('are those of the kernel, and a thread is on one of them', () => {
    const allowed = allowedProcessors();
    expect(allowed.length).toBeGreaterThan(0);
    expect(readFileSync('/proc/self/status', 'latin1')).toContain(`Cpus_allowed_list:\t${allowed[0]}`);
    for (let i = 0; i < 50; i++) expect(allowed).toContain(currentProcessor());
  });
});
