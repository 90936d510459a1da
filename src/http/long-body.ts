import type { Request, Response } from 'express';
import { LookalikeError } from '../core/errors.js';
import { askForBody, takeTime } from './announced-body.js';

/**
 * A body that may be far larger than memory and take far longer than a request usually may, handed on chunk by chunk. It is
 * bounded while it is read (a client may announce less than it sends), and has to go on: `idleMs` without a byte end it.
 */
export interface LongBodyOptions {
  most: number; // bytes
  tooLarge: () => LookalikeError;
  idleMs: number;
}

/** Throws `tooLarge`, `request_timeout` and `aborted`. */
export async function* longBody(
  req: Request,
  res: Response,
  { most, tooLarge, idleMs }: LongBodyOptions,
): AsyncGenerator<Buffer> {
  const hurry = takeTime(req);
  askForBody(req, res);
  const chunks = req.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>;
  let received = 0;
  try {
    for (;;) {
      const next = await withinTime(chunks.next(), idleMs);
      if (next.done) return;
      received += next.value.length;
      if (received > most) throw tooLarge();
      yield next.value;
    }
  } catch (thrown) {
    if (thrown instanceof LookalikeError) throw thrown;
    throw new LookalikeError('aborted', 'the upload was broken off', { cause: thrown });
  } finally {
    hurry();
  }
}

async function withinTime<T>(step: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new LookalikeError('request_timeout', `nothing of the body arrived for ${ms} ms`);
    timer = setTimeout(() => reject(error), ms);
  });
  step.catch(() => undefined); // it may end after the time is over
  try {
    return await Promise.race([step, late]);
  } finally {
    clearTimeout(timer);
  }
}
