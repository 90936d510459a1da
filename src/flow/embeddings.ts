import { LookalikeError } from '../core/errors.js';
import { succeeded } from '../core/settled.js';
import { type EmbedParts, embedPictures } from './embed.js';
import type { Embeddings, EmbedRequest, Timed } from './service.js';

/** Pictures to their vectors, in their order; nothing is searched or stored. */
export async function embeddings(
  parts: EmbedParts,
  { pictures, signal }: EmbedRequest,
  timed: Timed,
): Promise<Embeddings> {
  const { sha256: model_sha256, dimension } = parts.manifest;
  const embedded = await embedPictures(parts, pictures.filter(succeeded), { timed, signal });
  let taken = 0;
  return {
    model_sha256,
    dimension,
    embeddings: pictures.map((picture) => {
      if (picture instanceof LookalikeError) return picture;
      const one = embedded[taken++]!;
      return succeeded(one) ? one.vector : one;
    }),
  };
}
