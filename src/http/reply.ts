import type { Response } from 'express';

/** An answer before it is sent: it can be kept under an idempotency key meanwhile. */
export interface Reply {
  status: number;
  headers: Record<string, string>;
  body: unknown;
}

export function send(res: Response, { status, headers, body }: Reply): void {
  res.status(status).set(headers).json(body);
}
