import type { Response } from 'express';
import type { JobAnswer, OnCommit } from '../flow/service.js';

/** An answer before it is sent: it can be kept under an idempotency key meanwhile. */
export interface Reply {
  status: number;
  headers: Record<string, string>;
  body: unknown;
}

export function send(res: Response, { status, headers, body }: Reply): void {
  res.status(status).set(headers).json(body);
}

/** 202 with a job and where it is shown. */
export const accepted = (job: JobAnswer): Reply => ({
  status: 202,
  headers: { Location: `/v1/jobs/${encodeURIComponent(job.id)}` },
  body: job,
});

/** The answer to a write that queues a job, kept in the transaction of the job: for `Idempotency.answer`. */
export const queueing =
  (start: (onCommit: OnCommit<JobAnswer>) => JobAnswer | Promise<JobAnswer>) =>
  async (keep: (reply: Reply) => void): Promise<Reply> =>
    accepted(await start((job) => keep(accepted(job))));
