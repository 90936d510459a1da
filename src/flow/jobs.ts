import { LookalikeError, messageOf } from '../core/errors.js';
import type { JobStore } from '../core/ports.js';
import type { Job, JobKind } from '../core/types.js';

/**
 * Long tasks. One at a time writes to a collection, in the order they came; collections do not wait for each other.
 * A job is its kind and its parameters: what a stop or a crash interrupted begins anew at the next start, so the work
 * of every kind passes over what is done already.
 */

/** What a running task is given: where to report, and when to stop. */
export interface Progress {
  readonly signal: AbortSignal;
  report(update: Partial<Pick<Job, 'done' | 'total' | 'failures'>>): void;
}

/** Does the work of a kind; resolves to the job's result. */
export type Work = (job: Readonly<Job>, progress: Progress) => Promise<Record<string, unknown>>;

export type JobRequest = Pick<Job, 'kind' | 'collection' | 'parameters'>;
export interface Started {
  job: Job; // as it was queued
  finished: Promise<Job>; // as it ended, however it ended
}

export interface Jobs {
  start(request: JobRequest): Started;
  /** Queues what an earlier process left unfinished, once. */
  resume(): Started[];
  get(id: string): Job | undefined;
  /** The newest first. */
  list(limit: number): Job[];
  /** The job that runs now, the longest running when there are several. */
  current(): Job | null;
  /** Whether such a job waits or runs. */
  unfinished(request: Pick<Job, 'kind' | 'collection'>): boolean;
  /** Ends a job at its next safe point, or before it begins. Throws `not_found` and `job_finished`. */
  cancel(id: string): Job;
  /** Called with a copy of the job at each change, until it is told to stop. */
  watch(id: string, onChange: (job: Job) => void): () => void;
  /** Interrupts what runs at its next safe point; it and what waits are taken up again at the next start. */
  close(): Promise<void>;
}

export interface JobsParts {
  store: JobStore;
  work: Record<JobKind, Work>;
  newId: () => string;
  now: () => string; // ISO 8601
  onFinished?: (job: Job, cause: unknown) => void;
}

/** Progress is saved at most this often: every report would be a write to disk. */
const SAVE_EVERY = 500;

/** A job that this process has queued and not yet ended. */
interface Live {
  job: Job;
  stop: AbortController;
  saved: number; // what was done when it was last saved
}

export function createJobs({ store, work, newId, now, onFinished }: JobsParts): Jobs {
  const live = new Map<string, Live>();
  const tails = new Map<Job['collection'], Promise<unknown>>();
  const watchers = new Map<string, Set<(job: Job) => void>>();
  let closing = false;

  function change(job: Job, update: Partial<Job>, { save = true } = {}): void {
    Object.assign(job, update);
    if (save) store.saveJob(job);
    for (const tell of watchers.get(job.id) ?? []) tell({ ...job });
  }

  async function run(entry: Live): Promise<Job> {
    const { job, stop } = entry;
    if (!live.has(job.id)) return job; // cancelled while it waited
    if (stop.signal.aborted) return end(entry, null);
    change(job, { state: 'running', started_at: now() });
    const report: Progress['report'] = (update) => {
      const save = (update.done ?? 0) - entry.saved >= SAVE_EVERY;
      if (save) entry.saved = update.done!;
      change(job, update, { save });
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
    live.delete(job.id);
    if (state === undefined && stop.signal.aborted && closing) {
      change(job, { state: 'queued', started_at: null, done: 0 });
      return job;
    }
    // The message of an error that is not ours may hold paths or worse: the log has it.
    const error =
      cause instanceof LookalikeError ? messageOf(cause) : cause ? 'an internal error, see the log' : null;
    const ended = state ?? (stop.signal.aborted ? 'cancelled' : 'failed');
    change(job, { state: ended, error, finished_at: now() });
    watchers.delete(job.id);
    onFinished?.(job, cause);
    return job;
  }

  function queue(job: Job): Started {
    const entry: Live = { job, stop: new AbortController(), saved: 0 };
    live.set(job.id, entry);
    if (closing) entry.stop.abort();
    const finished = (tails.get(job.collection) ?? Promise.resolve()).then(() => run(entry));
    tails.set(job.collection, finished);
    return { job: { ...job }, finished };
  }

  const get = (id: string) => {
    const entry = live.get(id);
    return entry ? { ...entry.job } : store.job(id);
  };
  return {
    start({ kind, collection, parameters }) {
      const job = blankJob({ kind, collection, parameters }, { id: newId(), created_at: now() });
      store.saveJob(job);
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
    list: (limit) => store.jobs(limit).map((job) => get(job.id) ?? job),
    current() {
      const running = [...live.values()].find(({ job }) => job.state === 'running');
      return running ? { ...running.job } : null;
    },
    unfinished: ({ kind, collection }) =>
      [...live.values()].some(({ job }) => job.kind === kind && job.collection === collection),
    cancel(id) {
      const entry = live.get(id);
      if (!entry) throw notCancellable(id, store.job(id));
      entry.stop.abort(new LookalikeError('aborted', 'the job was cancelled'));
      return { ...(entry.job.state === 'queued' ? end(entry, null) : entry.job) };
    },
    watch(id, onChange) {
      const listeners = watchers.get(id) ?? new Set();
      watchers.set(id, listeners.add(onChange));
      return () => void listeners.delete(onChange);
    },
    async close() {
      closing = true;
      for (const { stop } of live.values())
        stop.abort(new LookalikeError('aborted', 'the service is stopping'));
      await Promise.all(tails.values());
    },
  };
}

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
