import { LookalikeError, messageOf } from '../core/errors.js';
import type { Store } from '../core/ports.js';
import type { Job, JobKind } from '../core/types.js';

/** Long tasks, one after the other, recorded in the store. */

/** What a running task is given: where to report, and when to stop. */
export interface Progress {
  readonly signal: AbortSignal;
  report(update: Partial<Pick<Job, 'done' | 'total' | 'failures'>>): void;
}

export type Work = (progress: Progress) => Promise<Record<string, unknown>>;

export interface Jobs {
  /** Queues a task; `finished` resolves to the job when it ended, however it ended. */
  start(kind: JobKind, work: Work): { job: Job; finished: Promise<Job> };
  get(id: string): Job | undefined;
  list(limit: number): Job[];
  /** The job that runs now. */
  current(): Job | null;
  /** Ends the running task at its next safe point and lets no further one begin. */
  close(): Promise<void>;
}

export interface JobsParts {
  store: Pick<Store, 'saveJob' | 'job' | 'jobs'>;
  newId: () => string;
  now: () => string; // ISO 8601
  onFinished?: (job: Job, cause: unknown) => void;
}

/** Progress is saved at most this often: every report would be a write to disk. */
const SAVE_EVERY = 500;

export function createJobs({ store, newId, now, onFinished }: JobsParts): Jobs {
  const stop = new AbortController();
  let running: Job | null = null;
  let tail: Promise<unknown> = Promise.resolve();
  closeInterrupted(store, now);

  async function run(job: Job, work: Work): Promise<Job> {
    if (stop.signal.aborted) return finish(job, 'cancelled', null);
    Object.assign(job, { state: 'running', started_at: now() });
    running = job;
    store.saveJob(job);
    let saved = 0;
    const report: Progress['report'] = (update) => {
      Object.assign(job, update);
      if (job.done - saved < SAVE_EVERY) return;
      saved = job.done;
      store.saveJob(job);
    };
    try {
      job.result = await work({ signal: stop.signal, report });
      return finish(job, 'succeeded', null);
    } catch (cause) {
      return finish(job, stop.signal.aborted ? 'cancelled' : 'failed', cause);
    } finally {
      running = null;
    }
  }

  function finish(job: Job, state: Job['state'], cause: unknown): Job {
    // The message of an error that is not ours may hold paths or worse: the log has it.
    const error =
      cause instanceof LookalikeError ? messageOf(cause) : cause ? 'an internal error, see the log' : null;
    Object.assign(job, { state, error, finished_at: now() });
    store.saveJob(job);
    onFinished?.(job, cause);
    return job;
  }

  return {
    start(kind, work) {
      const job: Job = {
        id: newId(),
        kind,
        state: 'queued',
        done: 0,
        total: null,
        failures: 0,
        error: null,
        created_at: now(),
        started_at: null,
        finished_at: null,
        result: null,
      };
      store.saveJob(job);
      const finished = tail.then(() => run(job, work));
      tail = finished;
      return { job: { ...job }, finished };
    },
    get: (id) => (running?.id === id ? { ...running } : store.job(id)),
    list: (limit) => store.jobs(limit).map((job) => (job.id === running?.id ? { ...running } : job)),
    current: () => running && { ...running },
    async close() {
      stop.abort(new LookalikeError('aborted', 'the service is stopping'));
      await tail;
    },
  };
}

/** Jobs that a crash or a stop left unfinished: they are over, and say so. */
function closeInterrupted(store: JobsParts['store'], now: () => string): void {
  for (const job of store.jobs(1000))
    if (job.state === 'queued' || job.state === 'running')
      store.saveJob({
        ...job,
        state: 'failed',
        error: 'the service stopped before this job ended; start it again',
        finished_at: now(),
      });
}
