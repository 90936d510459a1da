import type { components } from '../../client/dist/index.js';
import { LookalikeError } from '../core/errors.js';
import { jsonOf } from './json-text.js';
import { fileNamed } from './picture-file.js';

/** What a search can begin from, as it is typed: a file, `id:<id>` or `vector:<file>`. */
export const PICTURE_HELP = "a picture's file, id:<id> of a stored one, or vector:<file> with a JSON list";

export type TypedQuery = components['schemas']['BatchQuery'];
type Example = components['schemas']['Example'];

/** Whether the text names a file to be uploaded. */
export const isFile = (typed: string): boolean => !/^(id|vector):/.test(typed);

/** For a JSON body. Throws `invalid_parameter` for a file that cannot be read or a vector that is no JSON. */
export async function queryOf(typed: string): Promise<TypedQuery> {
  const rest = typed.slice(typed.indexOf(':') + 1);
  if (typed.startsWith('id:')) return { id: rest };
  if (typed.startsWith('vector:'))
    return { vector: jsonOf((await fileNamed(rest)).toString('utf8'), rest) as number[] };
  return { image: (await fileNamed(typed)).toString('base64') };
}

/** Like these and unlike those. Throws what `queryOf` throws, and `missing_image` without one that is wanted. */
export async function examplesOf(like: readonly string[], unlike: readonly string[]): Promise<TypedQuery> {
  if (like.length === 0)
    throw new LookalikeError('missing_image', '--unlike needs --like: name what is wanted, too');
  const read = (all: readonly string[]) => Promise.all(all.map(queryOf)) as Promise<Example[]>;
  return { examples: { positive: await read(like), negative: await read(unlike) } };
}
