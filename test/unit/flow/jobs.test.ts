/** Jobs: one after the other, recorded whatever becomes of them, over the real store. */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LookalikeError } from '../../../src/core/errors.js';
import type { Database, JobFilter } from '../../../src/core/ports.js';
import type { Job, JobKind } from '../../../src/core/types.js';
import { openSqliteDatabase } from '../../../src/engines/sqlite-database.js';
import { createJobs, type Jobs, type Progress, type Started, type Work } from '../../../src/flow/jobs.js';
import { newJob } from '../../fixtures/items.js';
import { tempFolder } from '../../fixtures/temp-folder.js';

let store: Database;
let jobs: Jobs;
let finished: { job: Job; cause: unknown }[];
let full: boolean; // whether the disk takes nothing
let unsaved: string[];
let ids: number;

/** What a job of this test does, by the name in its parameters. */
let tasks: Map<unknown, Work>;

function open(): Jobs {
  const work: Work = (job, progress) => tasks.get(job.parameters.task)!(job, progress);
  return createJobs({
    store: { ...store, saveJob: (job) => (full ? refuse() : store.saveJob(job)) },
    work: { import: work, reindex: work, report: work, snapshot: work },
    newId: () => `job-${++ids}`,
    now: () => new Date(Date.UTC(2026, 0, 1, 0, 0, ids)).toISOString(),
    onFinished: (job, cause) => finished.push({ job: { ...job }, cause }),
    onUnsaved: ({ state }) => unsaved.push(state),
  });
}
function refuse(): never {
  throw Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' });
}
beforeEach(async () => {
  store = openSqliteDatabase(join(await tempFolder(), 'x.db'));
  [finished, ids, tasks, full, unsaved] = [[], 0, new Map(), false, []];
  jobs = open();
});
afterEach(() => store.close());

/** Starts a job that does this. */
function start(
  kind: JobKind,
  task: (progress: Progress) => ReturnType<Work>,
  collection = 'default',
): Started {
  const name = `task ${tasks.size}`;
  tasks.set(name, (_, progress) => task(progress));
  return jobs.start({ kind, collection, parameters: { task: name } });
}

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
    const started = ['a', 'b', 'c'].map((name) => start('import', task(name)));
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
    const { job, finished: end } = start('import', work);
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
    const fail = (error: Error) => start('import', async () => Promise.reject(error)).finished;
    const ours = new LookalikeError('nothing_to_index', 'the folder is empty');
    const theirs = new Error('SQLITE_FULL at /home/somebody/secret');
    expect(await fail(ours)).toMatchObject({ state: 'failed', error: 'the folder is empty', result: null });
    const foreign = await fail(theirs);
    expect(foreign.state).toBe('failed');
    expect(foreign.error).not.toContain('secret');
    expect(foreign.finished_at).not.toBeNull();
    expect(finished.map(({ cause }) => cause)).toEqual([ours, theirs]);
    expect((await start('reindex', async () => ({})).finished).state).toBe('succeeded');
  });

  it('whose state cannot be stored go on, are known, and are stored as soon as there is room', async () => {
    const first = gated();
    const { job, finished: end } = start('import', first.work);
    const second = start('reindex', async () => ({ second: true }));
    await first.began;
    full = true;
    first.letGo();
    expect((await end).state).toBe('succeeded');
    expect((await second.finished).state).toBe('succeeded');
    expect([jobs.get(job.id)!.state, jobs.list(2)[0]!.state]).toEqual(['succeeded', 'succeeded']);
    expect([store.job(job.id)!.state, unsaved]).toEqual(['running', ['succeeded', 'running', 'succeeded']]);
    expect(() => start('import', async () => ({}))).toThrow('disk is full'); // a new one is refused: it would be lost
    full = false;
    await start('import', async () => ({})).finished;
    expect([store.job(job.id)!.state, store.job(second.job.id)!.state]).toEqual(['succeeded', 'succeeded']);
  });

  it('of different collections do not wait for each other', async () => {
    const slow = gated();
    const held = start('import', slow.work, 'one');
    await slow.began;
    expect((await start('import', async () => ({}), 'two').finished).state).toBe('succeeded');
    expect(jobs.unfinished({ kind: 'import', collection: 'one' })).toBe(true);
    expect(jobs.unfinished({ kind: 'import', collection: 'two' })).toBe(false);
    slow.letGo();
    await held.finished;
  });

  it('are cancelled: the running one at its next safe point, a waiting one at once', async () => {
    const slow = gated();
    const running = start('import', slow.work);
    const waiting = start('reindex', async () => ({}));
    await slow.began;
    expect(jobs.cancel(waiting.job.id)).toMatchObject({
      state: 'cancelled',
      finished_at: expect.any(String),
    });
    expect(jobs.cancel(running.job.id).state).toBe('running');
    slow.letGo();
    expect((await running.finished).state).toBe('cancelled');
    expect((await waiting.finished).state).toBe('cancelled');
    expect(store.job(waiting.job.id)?.started_at).toBeNull();
    expect(() => jobs.cancel(running.job.id)).toThrow(/has cancelled already/);
    expect(() => jobs.cancel('nobody')).toThrow(/no job "nobody"/);
  });

  it('tell who watches every change, until nobody listens', async () => {
    const slow = gated();
    const { job, finished: end } = start('import', slow.work);
    const seen: Job[] = [];
    const stop = jobs.watch(job.id, (now) => seen.push(now));
    const { report } = await slow.began;
    report({ done: 2 });
    stop();
    report({ done: 3 });
    slow.letGo();
    await end;
    expect(seen.map(({ state, done }) => [state, done])).toEqual([
      ['running', 0],
      ['running', 2],
    ]);
  });

  it('that fail keep what they had to say so far', async () => {
    const { finished: end } = start('import', async ({ report }) => {
      report({ done: 1, result: { missing: 3 } });
      throw new LookalikeError('pictures_missing', 'three are missing');
    });
    const job = await end;
    expect(job).toMatchObject({ state: 'failed', error: 'three are missing', result: { missing: 3 } });
    expect(store.job(job.id)).toEqual(job);
  });

  it('have versions that grow with every change and over a restart', async () => {
    const slow = gated();
    const { job, finished: end } = start('import', slow.work);
    const versions = [jobs.version(job)];
    jobs.watch(job.id, (_, version) => versions.push(version));
    const { report } = await slow.began;
    for (let done = 1; done < 5; done++) report({ done });
    slow.letGo();
    const ended = await end;
    expect(versions.length).toBe(7);
    expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
    expect(jobs.version(ended)).toBe(Date.parse(ended.finished_at!));
    jobs.watch(job.id, () => expect.unreachable())(); // over: nobody is kept waiting
  });

  it('are listed by kind, collection and state, as they are now', async () => {
    const slow = gated();
    const running = start('import', slow.work, 'one');
    await slow.began;
    const waiting = start('reindex', async () => ({}), 'one');
    const { report } = await slow.began;
    report({ done: 3 });
    const listed = (filter: JobFilter) => jobs.list(10, filter).map(({ id, done }) => [id, done]);
    expect(listed({ state: 'running' })).toEqual([[running.job.id, 3]]);
    expect(listed({ kind: 'reindex', collection: 'one' })).toEqual([[waiting.job.id, 0]]);
    expect(listed({ collection: 'two' })).toEqual([]);
    slow.letGo();
    await waiting.finished;
  });

  it('that a stop interrupts wait in the store and are taken up by the next process, in their order', async () => {
    const slow = gated();
    const running = start('import', slow.work);
    const waiting = start('reindex', async () => ({ rows: 1 }));
    await slow.began;
    const closing = jobs.close();
    slow.letGo();
    await closing;
    expect([(await running.finished).state, (await waiting.finished).state]).toEqual(['queued', 'queued']);
    expect(finished).toEqual([]); // nothing has ended
    jobs = open();
    const resumed = jobs.resume();
    expect(resumed.map(({ job }) => job.id)).toEqual([running.job.id, waiting.job.id]);
    expect(jobs.resume()).toEqual([]); // once
    const ended = await Promise.all(resumed.map((one) => one.finished));
    expect(ended.map(({ state, result }) => [state, result])).toEqual([
      ['succeeded', { done: true }],
      ['succeeded', { rows: 1 }],
    ]);
  });

  it('that a crash interrupted are taken up, and those that ended are not', async () => {
    tasks.set('again', async () => ({ again: true }));
    const parameters = { task: 'again' };
    store.saveJob(
      newJob('running', { state: 'running', parameters, started_at: '2026-01-01T00:00:00.000Z', done: 7 }),
    );
    store.saveJob(newJob('done', { state: 'succeeded', finished_at: '2026-01-01T00:00:00.000Z' }));
    const [resumed, ...others] = open().resume();
    expect([resumed!.job, others]).toMatchObject([
      { id: 'running', state: 'queued', done: 0, started_at: null },
      [],
    ]);
    expect(await resumed!.finished).toMatchObject({ state: 'succeeded', result: { again: true } });
  });
});
