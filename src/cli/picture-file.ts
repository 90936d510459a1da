import { readFile } from 'node:fs/promises';
import { LookalikeError, messageOf } from '../core/errors.js';

/** A file that is sent as a body. What it is, is the service's to see. Throws `invalid_parameter` when it cannot be read. */
export async function pictureFile(path: string) {
  const bytes = await readFile(path).catch((cause) => {
    throw new LookalikeError('invalid_parameter', `${path} cannot be read: ${messageOf(cause)}`, { cause });
  });
  return { body: bytes, headers: { 'Content-Type': 'application/octet-stream' } };
}
