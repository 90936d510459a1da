import { realpath } from 'node:fs/promises';
import { resolve, sep } from 'node:path';
import { LookalikeError, messageOf } from '../core/errors.js';

/** Imports read files that a caller names: only those below the folders that the operator opened to them. */

/** The variable with these folders. */
export const ROOTS_SETTING = 'LOOKALIKE_IMPORT_ROOTS';

/**
 * The real path of a file or folder that lies below one of the `roots` (absolute folders), or is one of them. A relative
 * path starts at each root in turn; the first where something is there is taken. Links are followed, and what they lead
 * to must lie below a root too. A path outside is refused by its name alone: whether it exists is not told.
 * Throws `forbidden` and `not_found`.
 */
export async function resolveUnder(roots: readonly string[], path: string): Promise<string> {
  const real = await realRoots(roots);
  const within = (place: string) =>
    [...roots.map((root) => resolve(root)), ...real].some((root) => isBelow(root, place));
  const named = [...new Set(roots.map((root) => resolve(root, path)))].filter(within);
  if (named.length === 0) throw forbidden(path, roots);
  let reason: unknown;
  for (const candidate of named) {
    const found = await realpath(candidate).catch((cause: unknown) => {
      reason ??= cause;
      return null;
    });
    if (found === null) continue;
    if (real.some((root) => isBelow(root, found))) return found;
    throw forbidden(path, roots);
  }
  throw new LookalikeError('not_found', `${shown(path)} cannot be read: ${codeOf(reason)}`, {
    field: 'path',
    cause: reason,
  });
}

/** The roots that are there, without links. */
async function realRoots(roots: readonly string[]): Promise<string[]> {
  const found = await Promise.all(roots.map((root) => realpath(root).catch(() => null)));
  return found.filter((root) => root !== null);
}

function isBelow(root: string, path: string): boolean {
  return path === root || path.startsWith(root.endsWith(sep) ? root : root + sep);
}

function forbidden(path: string, roots: readonly string[]): LookalikeError {
  const why =
    roots.length === 0
      ? `no folder is open to imports: ${ROOTS_SETTING} names those that are`
      : `imports read below ${roots.join(', ')} (${ROOTS_SETTING})`;
  return new LookalikeError('forbidden', `${shown(path)} must not be read: ${why}`, { field: 'path' });
}

/** Node's own message repeats the path after links were followed; the code says as much. */
const codeOf = (thrown: unknown): string =>
  thrown instanceof Error && 'code' in thrown ? String(thrown.code) : messageOf(thrown);

const shown = (path: string): string => JSON.stringify(path.length > 200 ? `${path.slice(0, 200)}…` : path);
