import { LookalikeError, messageOf } from '../core/errors.js';
import { type ImportEvent, LABEL_LENGTH } from '../core/import-entry.js';
import { IMAGE_FILE } from '../core/sniff.js';
import { idOfPath } from './files.js';

/** What every kind of archive says of its entries: which paths are pictures, what they are called, what is refused. */

/** What a path may have, as Linux has it; the header of an archive could hold megabytes. */
const PATH_LENGTH = 4096;

/** The parts of an entry's path. Throws `invalid_parameter` for one that leads out of the archive. */
export function pathInArchive(name: string): string[] {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (name.startsWith('/') || parts.includes('..')) throw refusedEntry('its path leads out of the archive');
  return parts;
}

/** The path of a picture's file; null for what is passed over: other files and hidden ones. Throws `invalid_parameter`. */
export function pictureIn(parts: readonly string[]): string | null {
  const path = parts.join('/');
  if (!IMAGE_FILE.test(path) || parts.some((part) => part.startsWith('.'))) return null;
  if (path.length > PATH_LENGTH || parts[0]!.length > LABEL_LENGTH)
    throw refusedEntry(
      `its path has ${path.length} characters and its first folder ${parts[0]!.length}, ${PATH_LENGTH} and ${LABEL_LENGTH} are allowed`,
    );
  return path;
}

/** Its id is the path, its label the first folder: as `listImages` names the files of a folder. */
export function pictureOf(path: string, bytes: Uint8Array): ImportEvent {
  const [folder, ...rest] = path.split('/');
  const label = rest.length > 0 ? folder! : null;
  const read = () => Promise.resolve(bytes);
  return { kind: 'picture', place: shown(path), id: idOfPath(path), label, metadata: {}, source: null, read };
}

export const refusedEntry = (why: string): LookalikeError => new LookalikeError('invalid_parameter', why);

/** What is wrong with the archive itself, and where reading ended. */
export function damaged(failure: unknown, place: string): LookalikeError {
  const code = failure instanceof LookalikeError ? failure.code : 'malformed_body';
  return new LookalikeError(code, `the archive cannot be read past ${place}: ${messageOf(failure)}`, {
    cause: failure,
  });
}

export const shown = (name: string): string => (name.length > 300 ? `${name.slice(0, 300)}…` : name);
