import { LookalikeError, messageOf } from '../core/errors.js';
import { createPace, type Pace, type PaceKeeper, paceOfEnded, UNKNOWN_PACE } from '../core/pace.js';
import type { Database, JobFilter, JobStore } from '../core/ports.js';
import type { Job, JobKind } from '../core/types.js';

/**
 * Long tasks. One at a time writes to a collection, in the order they came; collections do not wait for each other, and
 * reports, which only read, wait for each other alone.
 * A job is its kind and its parameters: what a stop or a crash interrupted begins anew at the next start, so the work
 * of every kind passes over what is done already.
 */

/** What a running task is given: where to report, and when to stop. */
export interface Progress {
  readonly signal: AbortSignal;
  /** A `result` is what there is to say so far: it stays when the task fails, and is in the job that a restart takes up. */
  report(update: Partial<Pick<Job, 'done' | 'total' | 'failures' | 'result'>>): void;
}

/** Does the work of a kind; resolves to the job's result. */
export type Work = (job: Readonly<Job>, progress: Progress) => Promise<Record<string, unknown>>;

export type JobRequest = Pick<Job, 'kind' | 'collection' | 'parameters'>;
export interface Started {
  job: Job; // as it was queued
  finished: Promise<Job>; // as it ended, however it ended
}

export interface Jobs {
  /** Queues it. `onCommit` is called within the transaction that stores the job: what it writes is there together with it. */
  start(request: JobRequest, onCommit?: (job: Job) => void): Started;
  /** Queues what an earlier process left unfinished, once. */
  resume(): Started[];
  get(id: string): Job | undefined;
  /** The newest first. */
  list(limit: number, filter?: JobFilter): Job[];
  /** How fast a job is at this moment. */
  pace(job: Job): Pace;
  /** The job that runs now, the longest running when there are several. */
  current(): Job | null;
  /** Whether such a job waits or runs. */
  unfinished(request: Pick<Job, 'kind' | 'collection'>): boolean;
  /** The jobs of a collection that wait or run. */
  unfinishedIn(collection: string): Job[];
  /** The job that waits or runs and does just this; null when there is none. */
  find(request: JobRequest): Job | null;
  /** Ends a job at its next safe point, or before it begins. Throws `not_found` and `job_finished`. */
  cancel(id: string): Job;
  /** A number that grows with every change of the job, over restarts too: milliseconds since the epoch, or a little more. */
  version(job: Job): number;
  /** Called with a copy of the job and its version at each change, until it ends or is told to stop. */
  watch(id: string, onChange: (job: Job, version: number) => void): () => void;
  /** Interrupts what runs at its next safe point; it and what waits are taken up again at the next start. */
  close(): Promise<void>;
}

export interface JobsParts {
  store: JobStore & Pick<Database, 'atomically'>;
  work: Record<JobKind, Work>;
  newId: () => string;
  now: () => string; // ISO 8601
  onFinished?: (job: Job, cause: unknown) => void;
  /** The state of a job could not be stored. It is known here all the same, and stored with the next change of any job. */
  onUnsaved?: (job: Job, cause: unknown) => void;
}

/** Progress is saved at most this often: every report would be a write to disk. */
const SAVE_EVERY = 500;

/** A job that this process has queued and not yet ended. */
interface Live {
  job: Job;
  stop: AbortController;
  saved: number; // what was done when it was last saved
  version: number;
  pace: PaceKeeper;
}

export function createJobs({ store, work, newId, now, onFinished, onUnsaved }: JobsParts): Jobs {
  const live = new Map<string, Live>();
  const tails = new Map<string | null, Promise<unknown>>(); // by lane
  const watchers = new Map<string, Set<(job: Job, version: number) => void>>();
  const unsaved = new Map<string, Job>(); // a full disk must not stop a lane
  let closing = false;

  function save(job: Job): void {
    unsaved.delete(job.id);
    for (const one of [...unsaved.values(), job])
      try {
        store.saveJob(one);
        unsaved.delete(one.id);
      } catch (cause) {
        unsaved.set(one.id, one);
        if (one === job) onUnsaved?.(job, cause);
      }
  }

  function change(job: Job, update: Partial<Job>, { save: wanted = true } = {}): void {
    Object.assign(job, update);
    if (wanted) save(job);
    const version = nextVersion(job);
    for (const tell of watchers.get(job.id) ?? []) tell({ ...job }, version);
  }

  function nextVersion(job: Job): number {
    const entry = live.get(job.id);
    if (!entry) return versionOfStored(job);
    entry.version = Math.max(entry.version + 1, Date.parse(now()));
    return entry.version;
  }

  async function run(entry: Live): Promise<Job> {
    const { job, stop } = entry;
    if (!live.has(job.id)) return job; // cancelled while it waited
    if (stop.signal.aborted) return end(entry, null);
    change(job, { state: 'running', started_at: now() });
    const report: Progress['report'] = (update) => {
      const save = update.result !== undefined || (update.done ?? 0) - entry.saved >= SAVE_EVERY;
      if (save) entry.saved = update.done ?? entry.saved;
      change(job, update, { save });
      entry.pace.note(job.done, Date.parse(now()));
    };
    try {
      job.result = await work[job.kind]({ ...job }, { signal: stop.signal, report });
      return end(entry, null, 'succeeded');
    } catch (cause) {
      return end(entry, cause);
    }
  }

  /** Without a state it did not succeed: it failed, was cancelled, or waits for the next start. */
  function end({ job, stop }: Live, cause: unknown, state?: Job['state']): Job {
    if (state === undefined && stop.signal.aborted && closing) {
      change(job, { state: 'queued', started_at: null, done: 0 });
      live.delete(job.id);
      return job;
    }
    // The message of an error that is not ours may hold paths or worse: the log has it.
    const error =
      cause instanceof LookalikeError ? messageOf(cause) : cause ? 'an internal error, see the log' : null;
    const ended = state ?? (stop.signal.aborted ? 'cancelled' : 'failed');
    change(job, { state: ended, error, finished_at: now() });
    live.delete(job.id);
    watchers.delete(job.id);
    onFinished?.(job, cause);
    return job;
  }

  function queue(job: Job): Started {
    const stop = new AbortController();
    const entry: Live = { job, stop, saved: 0, version: Date.parse(now()), pace: createPace() };
    live.set(job.id, entry);
    if (closing) entry.stop.abort();
    const finished = (tails.get(laneOf(job)) ?? Promise.resolve()).then(() => run(entry));
    tails.set(laneOf(job), finished);
    return { job: { ...job }, finished };
  }

  const get = (id: string) => {
    const entry = live.get(id);
    const known = entry?.job ?? unsaved.get(id);
    return known ? { ...known } : store.job(id);
  };
  return {
    start({ kind, collection, parameters }, onCommit) {
      const job = blankJob({ kind, collection, parameters }, { id: newId(), created_at: now() });
      store.atomically(() => {
        store.saveJob(job);
        onCommit?.({ ...job });
      });
      return queue(job);
    },
    resume: () =>
      store
        .unfinishedJobs()
        .filter(({ id }) => !live.has(id))
        .map((job) => {
          change(job, { state: 'queued', started_at: null, done: 0 });
          return queue(job);
        }),
    get,
    list: (limit, filter) => store.jobs(limit, filter).map((job) => get(job.id) ?? job),
    pace: (job) =>
      job.finished_at === null
        ? (live.get(job.id)?.pace.read(job, Date.parse(now())) ?? UNKNOWN_PACE)
        : paceOfEnded(job),
    version: (job) => live.get(job.id)?.version ?? versionOfStored(job),
    current() {
      const running = [...live.values()].find(({ job }) => job.state === 'running');
      return running ? { ...running.job } : null;
    },
    unfinished: ({ kind, collection }) =>
      [...live.values()].some(({ job }) => job.kind === kind && job.collection === collection),
    unfinishedIn: (collection) =>
      [...live.values()].filter(({ job }) => job.collection === collection).map(({ job }) => ({ ...job })),
    find({ kind, collection, parameters }) {
      const wanted = JSON.stringify([kind, collection, parameters]);
      const same = (job: Job) => JSON.stringify([job.kind, job.collection, job.parameters]) === wanted;
      const entry = [...live.values()].find(({ job }) => same(job));
      return entry ? { ...entry.job } : null;
    },
    cancel(id) {
      const entry = live.get(id);
      if (!entry) throw notCancellable(id, store.job(id));
      entry.stop.abort(new LookalikeError('aborted', 'the job was cancelled'));
      return { ...(entry.job.state === 'queued' ? end(entry, null) : entry.job) };
    },
    watch(id, onChange) {
      if (!live.has(id)) return () => undefined; // nothing more will happen
      const listeners = watchers.get(id) ?? new Set();
      watchers.set(id, listeners.add(onChange));
      return () => void listeners.delete(onChange);
    },
    async close() {
      closing = true;
      for (const { stop } of live.values())
        stop.abort(new LookalikeError('aborted', 'the service is stopping'));
      await Promise.all(tails.values());
      for (const job of unsaved.values()) save(job);
    },
  };
}

/** Jobs of a lane run one after the other. No collection's name has a space. */
const laneOf = ({ kind, collection }: Job) => (kind === 'report' ? `reports of ${collection}` : collection);

const versionOfStored = ({ finished_at, created_at }: Job) => Date.parse(finished_at ?? created_at);

function blankJob(request: JobRequest, { id, created_at }: Pick<Job, 'id' | 'created_at'>): Job {
  return {
    id,
    ...request,
    state: 'queued',
    done: 0,
    total: null,
    failures: 0,
    error: null,
    created_at,
    started_at: null,
    finished_at: null,
    result: null,
  };
}

function notCancellable(id: string, job: Job | undefined): LookalikeError {
  if (!job) return new LookalikeError('not_found', `there is no job ${JSON.stringify(id.slice(0, 60))}`);
  return new LookalikeError('job_finished', `the job ${id} has ${job.state} already`);
}
