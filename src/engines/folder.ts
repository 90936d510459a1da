import { opendir, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { LookalikeError, messageOf } from '../core/errors.js';
import { IMAGE_FILE } from '../core/sniff.js';

/** A picture file in a folder. `id` is its path in the folder with `/`; `label` the first sub-folder's name. */
export interface ListedImage {
  path: string; // absolute, when the folder's was
  id: string;
  label: string | null;
}

/**
 * Every picture file below a folder, in the order of their ids. Hidden files and folders are passed over,
 * links to folders are not followed (they can form rings).
 */
export async function listImages(folder: string): Promise<ListedImage[]> {
  const found = await stat(folder).catch((cause) => unreadable(folder, cause));
  if (!found.isDirectory()) throw new LookalikeError('nothing_to_index', `${folder} is not a folder`);
  const images: ListedImage[] = [];
  await walk(folder);
  return images.sort((a, b) => (a.id < b.id ? -1 : 1));

  async function walk(current: string): Promise<void> {
    // To pass over a part that cannot be read would make its pictures look removed.
    for await (const entry of await opendir(current).catch((cause) => unreadable(current, cause))) {
      if (entry.name.startsWith('.')) continue;
      const path = join(current, entry.name);
      if (entry.isDirectory()) await walk(path);
      // Reading a pipe or a device may never end.
      else if ((entry.isFile() || entry.isSymbolicLink()) && IMAGE_FILE.test(entry.name))
        images.push(listed(path));
    }
  }

  function listed(path: string): ListedImage {
    const parts = relative(folder, path).split(sep);
    return { path, id: parts.join('/'), label: parts.length > 1 ? parts[0]! : null };
  }
}

function unreadable(folder: string, cause: unknown): never {
  throw new LookalikeError('nothing_to_index', `the folder ${folder} cannot be read: ${messageOf(cause)}`, {
    cause,
  });
}

/** Size and time of a file, for telling whether it changed. */
export async function statFile(path: string): Promise<{ bytes: number; modified_ms: number }> {
  const { size, mtimeMs } = await stat(path);
  return { bytes: size, modified_ms: mtimeMs };
}
