import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { LookalikeError, messageOf } from '../core/errors.js';

/** Writes the whole body to a file, or no file: it is written beside its place and then renamed. Throws `internal`. */
export async function saveBody(response: Response, path: string): Promise<void> {
  const part = `${path}.part`;
  try {
    await pipeline(Readable.from(response.body!), createWriteStream(part));
    await rename(part, path);
  } catch (cause) {
    await rm(part, { force: true });
    if (cause instanceof LookalikeError) throw cause;
    throw new LookalikeError('internal', `${path} could not be written: ${messageOf(cause)}`, { cause });
  }
}
