/** Waiting for jobs over HTTP. */
import { setTimeout } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Job } from '../../src/core/types.js';

/** The job at `location` once it has ended, which must be with success unless another state is named. */
export async function ended(url: string, location: string, state: Job['state'] = 'succeeded'): Promise<Job> {
  for (;;) {
    const job = (await (await fetch(url + location)).json()) as Job;
    if (job.finished_at !== null) {
      expect(job).toMatchObject({ state });
      return job;
    }
    await setTimeout(20);
  }
}
