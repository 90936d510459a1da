import type { Client } from './client.js';
import type { components } from './schema.js';

export type Job = components['schemas']['Job'];

export interface JobWait {
  /** Called with the job each time it was looked at. */
  onProgress?: (job: Job) => void;
  signal?: AbortSignal;
  /** Milliseconds between two looks; grows to this from a tenth of it. */
  every?: number;
}

/** Waits until a job has ended, however it ended. Rejects with `Problem` when there is no such job. */
export async function waitForJob(
  client: Client,
  id: string,
  { onProgress, signal, every = 1000 }: JobWait = {},
): Promise<Job> {
  for (let pause = every / 10; ; pause = Math.min(every, pause * 1.5)) {
    const { data: job } = await client.call('get', '/v1/jobs/{id}', {
      path: { id },
      ...(signal && { signal }),
    });
    onProgress?.(job);
    if (job.finished_at !== null) return job;
    await sleep(pause, signal);
  }
}

function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, milliseconds);
    signal?.addEventListener('abort', stop, { once: true });
  });
}
