import type { Request } from 'express';
import { LookalikeError } from '../core/errors.js';

/** The bytes of a body. The bound is kept while reading: a client may announce less than it sends. */

/** The most bytes that the body can have. Throws `tooLarge` when it announces more than `most`. */
export function announcedBytes(req: Request, most: number, tooLarge: () => Error): number {
  const length = req.headers['content-length'];
  if (length === undefined) return most; // chunked: it may be anything up to the limit
  if (Number(length) > most) throw tooLarge();
  return Math.max(1, Number(length));
}

/** Throws `tooLarge`, or `aborted` when the client breaks off. */
export async function readBytes(req: Request, most: number, tooLarge: () => Error): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let received = 0;
  try {
    for await (const chunk of req.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      received += chunk.length;
      if (received > most) throw tooLarge();
      chunks.push(chunk);
    }
  } catch (thrown) {
    if (thrown instanceof LookalikeError) throw thrown;
    throw new LookalikeError('aborted', 'the upload was broken off', { cause: thrown });
  }
  return Buffer.concat(chunks);
}
