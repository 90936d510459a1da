import { type Job, waitForJob } from '../../client/dist/index.js';
import { LookalikeError } from '../core/errors.js';
import { EXIT } from './exit-codes.js';
import type { Connection } from './options.js';
import { print } from './output.js';
import { showProgress } from './progress.js';
import { describeJobs } from './report.js';
import type { Session } from './with-client.js';

/** Waits for a job that was started, showing how far it is, and prints what came of it; `--no-wait` prints its id. */
export async function finishJob(session: Session, job: Job, { json, wait }: Connection): Promise<void> {
  if (wait === false) return print(json, job, [job.id]);
  const ended = await endOf(session, job);
  print(json, ended, describeJobs([ended]));
  if (ended.state !== 'succeeded') process.exitCode = EXIT.failed;
}

/** The job as it ended. Rejects with `aborted`, which says what becomes of it, when the wait is interrupted. */
export async function endOf({ client, signal, url }: Session, job: Job): Promise<Job> {
  let latest = job;
  const progress = showProgress(() => (latest.state === 'running' ? latest : null));
  try {
    const onProgress = (now: Job) => {
      latest = now;
    };
    return await waitForJob(client, job.id, { signal, onProgress });
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new LookalikeError('aborted', `interrupted: ${becomesOf(job.id, url)}`);
  } finally {
    progress.stop();
  }
}

function becomesOf(id: string, url: string | null): string {
  if (url === null) return `the job ${id} is taken up again when the data folder is opened next`;
  return `the job goes on; lookalike jobs watch ${id} --url ${url} shows it`;
}
