import type { Express, RequestHandler } from 'express';
import { z } from 'zod';
import { type Settled, succeeded } from '../core/settled.js';
import type { Embeddings } from '../flow/service.js';
import { admit } from './admission.js';
import { fromBase64 } from './base64.js';
import { type Body, createBodyReader } from './bodies.js';
import { JSON_KINDS, named, parseBody } from './json-values.js';
import {
  joined,
  type Kinds,
  parseParameters,
  queryOf,
  type RawParameters,
  refuseTwice,
  TEXT_KINDS,
} from './parameters.js';
import { problemOf } from './problem.js';
import { resource } from './routes.js';
import { LIMITS, refusedAlone } from './search-body.js';
import type { RouteParts } from './server.js';

/** `POST /v1/embeddings`: pictures in, their vectors out. */
export function embeddingRoutes(app: Express, parts: RouteParts): void {
  resource(app, '/v1/embeddings', { post: embed(parts) });
}

const shape = (kinds: Kinds) => ({
  collection: kinds.shortText(64).optional(),
  encoding: kinds.oneOf(['float', 'base64']).optional(),
});
type Given = z.output<z.ZodObject<ReturnType<typeof shape>>>;

/** The parameters of the query and of form fields. */
export const embeddingParameters = z.object(shape(TEXT_KINDS));

const message = `must be a list of 1 to ${LIMITS.queries} pictures in base64`;
const images = z.array(z.unknown(), message).min(1, message).max(LIMITS.queries, message);
const bodySchema = named({ images, ...shape(JSON_KINDS) });

interface Asked extends Given {
  pictures: Settled<Uint8Array>[];
}

function embed(parts: RouteParts): RequestHandler {
  const { service, settings } = parts;
  const reader = createBodyReader(settings, { pictures: LIMITS.queries, values: 256 });
  return async (req, res) => {
    const raw = queryOf(req);
    parseParameters(embeddingParameters, raw);
    await admit(
      parts,
      { req, res },
      {
        reader,
        understand(body) {
          const asked = read(body, raw, settings.maxBytes);
          return { asked, pictures: asked.pictures.length };
        },
        async answer({ pictures, collection, encoding }, { timed, signal }) {
          const request = { pictures, signal, ...(collection !== undefined && { collection }) };
          const { embeddings, ...model } = await service.embed(request, timed);
          const written = (one: Embeddings['embeddings'][number]) =>
            succeeded(one) ? { vector: encoded(one, encoding) } : { error: problemOf(one, res, parts) };
          return { ...model, embeddings: embeddings.map(written) };
        },
      },
    );
  };
}

function read(body: Body, raw: RawParameters, maxBytes: number): Asked {
  if (body.kind === 'pictures') {
    const { files, fields } = body.uploads;
    return { pictures: files, ...parseParameters(embeddingParameters, joined({ query: raw, fields })) };
  }
  const { images, ...given } = parseBody(bodySchema, body.value);
  refuseTwice(raw, Object.keys(given), 'body');
  const picture = (text: unknown) =>
    refusedAlone(() => {
      const { image } = parseBody(named({ image: z.string('must be a text') }), { image: text });
      return fromBase64(image, { field: 'image', maxBytes });
    });
  return { pictures: images.map(picture), ...parseParameters(embeddingParameters, raw), ...given };
}

/** Nine digits tell every float32 from every other. As base64: float32, little-endian. */
function encoded(vector: Float32Array, encoding: Given['encoding']): number[] | string {
  if (encoding === 'base64')
    return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('base64');
  return Array.from(vector, (value) => Number(value.toPrecision(9)));
}
