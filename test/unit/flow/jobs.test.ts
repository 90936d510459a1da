/** Jobs: one after the other, recorded whatever becomes of them, over the real store. */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LookalikeError } from '../../../src/core/errors.js';
import type { Store } from '../../../src/core/ports.js';
import type { Job } from '../../../src/core/types.js';
import { openSqliteStore } from '../../../src/engines/sqlite-store.js';
import { createJobs, type Jobs, type Progress } from '../../../src/flow/jobs.js';
import { IDENTITY, newJob } from '../../fixtures/items.js';
import { tempFolder } from '../../fixtures/temp-folder.js';

let store: Store;
let jobs: Jobs;
let finished: { job: Job; cause: unknown }[];
let ids: number;

function open(): Jobs {
  return createJobs({
    store,
    newId: () => `job-${++ids}`,
    now: () => new Date(Date.UTC(2026, 0, 1, 0, 0, ids)).toISOString(),
    onFinished: (job, cause) => finished.push({ job: { ...job }, cause }),
  });
}
beforeEach(async () => {
  store = openSqliteStore(join(await tempFolder(), 'x.db'), IDENTITY);
  [finished, ids] = [[], 0];
  jobs = open();
});
afterEach(() => store.close());

function withResolvers<T>() {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

/** A task that waits until it is let go, and says when it began. */
function gated() {
  const { promise: began, resolve: begin } = withResolvers<Progress>();
  const { promise: gate, resolve: letGo } = withResolvers<void>();
  const work = async (progress: Progress) => {
    begin(progress);
    await gate;
    progress.signal.throwIfAborted();
    return { done: true };
  };
  return { work, began, letGo };
}

describe('jobs', () => {
  it('run one after the other in the order they came', async () => {
    const order: string[] = [];
    const task = (name: string) => async () => {
      order.push(`${name} begins`);
      await new Promise((resolve) => setImmediate(resolve));
      order.push(`${name} ends`);
      return { name };
    };
    const started = ['a', 'b', 'c'].map((name) => jobs.start('import', task(name)));
    expect(started.map(({ job }) => job.state)).toEqual(['queued', 'queued', 'queued']);
    const ended = await Promise.all(started.map((one) => one.finished));
    expect(order).toEqual(['a', 'b', 'c'].flatMap((name) => [`${name} begins`, `${name} ends`]));
    expect(ended.map(({ state, result }) => [state, result])).toEqual(
      ['a', 'b', 'c'].map((name) => ['succeeded', { name }]),
    );
    expect(jobs.list(10).map(({ id }) => id)).toEqual(['job-3', 'job-2', 'job-1']);
  });

  it('show their progress while they run, and copies of it', async () => {
    const { work, began, letGo } = gated();
    const { job, finished: end } = jobs.start('import', work);
    const { report } = await began;
    report({ total: 10 });
    report({ done: 3, failures: 1 });
    const seen = jobs.get(job.id)!;
    expect(seen).toMatchObject({ state: 'running', done: 3, total: 10, failures: 1, finished_at: null });
    expect([jobs.list(1)[0], jobs.current()]).toEqual([seen, seen]);
    seen.done = 99;
    expect(jobs.get(job.id)!.done).toBe(3);
    letGo();
    await end;
    expect(jobs.get(job.id)).toMatchObject({ state: 'succeeded', done: 3, result: { done: true } });
    expect(jobs.current()).toBeNull();
    expect(jobs.get('nobody')).toBeUndefined();
  });

  it('that fail say why, and do not stop the next one', async () => {
    const fail = (error: Error) => jobs.start('import', async () => Promise.reject(error)).finished;
    const ours = new LookalikeError('nothing_to_index', 'the folder is empty');
    const theirs = new Error('SQLITE_FULL at /home/somebody/secret');
    expect(await fail(ours)).toMatchObject({ state: 'failed', error: 'the folder is empty', result: null });
    const foreign = await fail(theirs);
    expect(foreign.state).toBe('failed');
    expect(foreign.error).not.toContain('secret');
    expect(foreign.finished_at).not.toBeNull();
    expect(finished.map(({ cause }) => cause)).toEqual([ours, theirs]);
    expect((await jobs.start('reindex', async () => ({})).finished).state).toBe('succeeded');
  });

  it('are cancelled when the service stops: the running one at its next safe point, the others before they begin', async () => {
    const { work, began, letGo } = gated();
    let begun = false;
    const running = jobs.start('import', work);
    const waiting = jobs.start('reindex', async () => {
      begun = true;
      return {};
    });
    await began;
    const closing = jobs.close();
    letGo();
    await closing;
    expect([(await running.finished).state, (await waiting.finished).state, begun]).toEqual([
      'cancelled',
      'cancelled',
      false,
    ]);
    for (const { job } of [running, waiting])
      expect(store.job(job.id)).toMatchObject({ state: 'cancelled', finished_at: expect.any(String) });
    await jobs.close();
  });

  it('that a crash interrupted are over at the next start, and say so', () => {
    const old = [
      newJob('queued'),
      newJob('running', { state: 'running', started_at: '2026-01-01T00:00:00.000Z', done: 7, total: 9 }),
      newJob('done', { state: 'succeeded', finished_at: '2026-01-01T00:00:00.000Z' }),
    ];
    for (const job of old) store.saveJob(job);
    const next = open();
    expect(next.get('queued')).toMatchObject({
      state: 'failed',
      error: expect.stringMatching(/start it again/),
    });
    expect(next.get('running')).toMatchObject({
      state: 'failed',
      done: 7,
      total: 9,
      finished_at: expect.any(String),
    });
    expect(next.get('done')).toEqual(old[2]);
    expect(next.current()).toBeNull();
  });
});
