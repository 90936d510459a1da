import { readFile } from 'node:fs/promises';
import { LookalikeError, messageOf } from '../core/errors.js';

/** The bytes of a file that was named. Throws `invalid_parameter` when it cannot be read. */
export function fileNamed(path: string): Promise<Buffer> {
  return readFile(path).catch((cause) => {
    throw new LookalikeError('invalid_parameter', `${path} cannot be read: ${messageOf(cause)}`, { cause });
  });
}

/** A file that is sent as a body. What it is, is the service's to see. Throws `invalid_parameter` when it cannot be read. */
export async function pictureFile(path: string) {
  return { body: await fileNamed(path), headers: { 'Content-Type': 'application/octet-stream' } };
}
