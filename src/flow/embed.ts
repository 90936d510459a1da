import { LookalikeError } from '../core/errors.js';
import type { ModelManifest } from '../core/manifests.js';
import type { Decoder, Embedder } from '../core/ports.js';
import { type Settled, settled, succeeded } from '../core/settled.js';
import type { DecodedImage } from '../core/types.js';
import type { Timed } from './service.js';

/** Pictures to vectors: decoded in parallel, embedded together. */
export interface EmbedParts {
  manifest: ModelManifest;
  decoder: Decoder;
  embedder: Embedder;
}

export interface EmbeddedPicture extends Omit<DecodedImage, 'image'> {
  vector: Float32Array; // unit length
}

export interface Run {
  timed: Timed;
  signal?: AbortSignal | undefined;
}

/** Pictures decoded and embedded together: bounds the memory, and lets other requests have their turn between two. */
const GROUP = 16;

/**
 * One result a picture, in their order; a picture that cannot be decoded or has no direction is refused by itself.
 * A group is decoded while the one before it is embedded. Rejects with `aborted`, or when the encoder fails.
 */
export async function embedPictures(
  parts: EmbedParts,
  pictures: readonly Uint8Array[],
  { timed, signal }: Run,
): Promise<Settled<EmbeddedPicture>[]> {
  const results: Settled<EmbeddedPicture>[] = [];
  const decode = (at: number) => {
    const group = pictures.slice(at, at + GROUP);
    const decoding = timed('decode', () => Promise.all(group.map((bytes) => decoded(parts, bytes))));
    decoding.catch(() => undefined); // awaited below; this only keeps Node from calling it unhandled
    return decoding;
  };
  if (pictures.length === 0) return results;
  let next = decode(0);
  for (let at = 0; at < pictures.length; at += GROUP) {
    const group = await next;
    signal?.throwIfAborted();
    if (at + GROUP < pictures.length) next = decode(at + GROUP);
    results.push(...(await timed('embed', () => embedGroup(parts, group))));
  }
  return results;
}

const decoded = ({ decoder, manifest }: EmbedParts, bytes: Uint8Array) =>
  settled(() => decoder.decode(bytes, manifest.preprocess));

async function embedGroup(
  parts: EmbedParts,
  group: readonly Settled<DecodedImage>[],
): Promise<Settled<EmbeddedPicture>[]> {
  const vectors = await vectorsOf(parts, group.filter(succeeded));
  let taken = 0;
  return group.map((one) => {
    if (!succeeded(one)) return one;
    const vector = vectors[taken++]!;
    const { image: _, ...about } = one;
    return succeeded(vector) ? { ...about, vector } : vector;
  });
}

/** In one run of the encoder; one by one when a picture among them has no direction. */
async function vectorsOf(
  parts: EmbedParts,
  pictures: readonly DecodedImage[],
): Promise<Settled<Float32Array>[]> {
  const { embedder } = parts;
  if (pictures.length === 0) return [];
  const flat = await settled(() => embedder.embed(pictures.map(({ image }) => image)));
  const { dimension } = embedder;
  if (succeeded(flat)) return pictures.map((_, i) => flat.slice(i * dimension, (i + 1) * dimension));
  if (flat.code !== 'invalid_vector') throw flat;
  if (pictures.length === 1) return [withoutDirection(flat)];
  const alone: Settled<Float32Array>[] = [];
  for (const picture of pictures) alone.push(...(await vectorsOf(parts, [picture])));
  return alone;
}

/** The encoder sees nothing in it, as in a picture of one colour with some encoders. */
const withoutDirection = (cause: LookalikeError) =>
  new LookalikeError(
    'undecodable_image',
    'the encoder finds nothing in the picture: its vector has no direction',
    {
      field: 'image',
      cause,
    },
  );
