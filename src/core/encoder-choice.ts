import { LookalikeError } from './errors.js';
import type { ModelManifest } from './manifests.js';

/** Which input and output of a graph make it a picture encoder. A refusal lists all that the graph has. */

/** `shape`: a number is a fixed size, a name one that is known at run time only. */
export interface TensorFact {
  name: string;
  type: string; // 'float32'; 'sequence or map' for what is no tensor
  shape: readonly (number | string)[];
}

export interface EncoderFacts {
  inputs: readonly TensorFact[];
  outputs: readonly TensorFact[];
}

/** Names that exporters give to the embedding among several outputs, the most telling first. */
export const EMBEDDING_NAMES = [
  'image_embeds',
  'image_embeddings',
  'image_features',
  'embeddings',
  'embedding',
  'pooler_output',
  'last_hidden_state',
] as const;

/**
 * The one input, of a picture as large as the record's `crop` (pixels), with its layout. Throws `model_invalid`
 * for another number of inputs, a type other than float32, a rank other than four, other than three channels,
 * fixed sides that are not those of the crop, and a fixed batch that is not 1.
 */
export function chooseInput(
  facts: EncoderFacts,
  crop: { width: number; height: number },
): ModelManifest['input'] {
  const [input] = facts.inputs;
  if (!input || facts.inputs.length > 1)
    refuse(
      facts,
      `it has ${facts.inputs.length} inputs, one picture is needed (export the vision part alone)`,
    );
  if (input.type !== 'float32') refuse(facts, `its input is ${input.type}, float32 is needed`);
  if (input.shape.length !== 4)
    refuse(facts, `its input has ${input.shape.length} axes, four are needed: [batch, 3, height, width]`);
  const layout = layoutOf(facts, input.shape);
  const [height, width] = layout === 'nchw' ? input.shape.slice(2) : input.shape.slice(1);
  const fits = (side: number | string | undefined, pixels: number) =>
    typeof side === 'string' || side === pixels;
  if (!fits(width, crop.width) || !fits(height, crop.height))
    refuse(
      facts,
      `it takes pictures of ${width} x ${height} (width x height), its preprocessing makes ${crop.width} x ${crop.height}`,
    );
  batchLimit(facts);
  return { name: input.name, ...crop, layout, dtype: 'float32' };
}

/** How many pictures a run takes: 1 or any number. Throws `model_invalid` for another fixed batch. */
export function batchLimit(facts: EncoderFacts): number {
  const batch = facts.inputs[0]?.shape[0];
  if (typeof batch === 'number' && batch !== 1)
    refuse(facts, `it takes batches of ${batch} only: export it for 1 or for any`);
  return batch === 1 ? 1 : Number.POSITIVE_INFINITY;
}

/**
 * The output that is the embedding: the one called `wanted`, else the only one of float32, else the first with a
 * name of `EMBEDDING_NAMES`. Throws `model_invalid` when there is none or no way to tell.
 */
export function chooseOutput(facts: EncoderFacts, wanted?: string): string {
  const candidates = facts.outputs.filter(({ type }) => type === 'float32').map(({ name }) => name);
  if (wanted !== undefined) {
    if (candidates.includes(wanted)) return wanted;
    refuse(facts, `it has no float32 output "${short(wanted)}"`);
  }
  if (candidates.length === 1) return candidates[0]!;
  const known = EMBEDDING_NAMES.find((name) => candidates.includes(name));
  if (known) return known;
  refuse(
    facts,
    candidates.length === 0
      ? 'it has no float32 output'
      : `it has ${candidates.length} float32 outputs and none is called ${EMBEDDING_NAMES.join(', ')}: name one`,
  );
}

function layoutOf(facts: EncoderFacts, shape: TensorFact['shape']): 'nchw' | 'nhwc' {
  const [, second, , last] = shape;
  if (second === 3) return 'nchw';
  if (last === 3) return 'nhwc';
  // Some exporters leave every size open: then only a name can tell where the channels are.
  if (typeof last === 'string' && /chan/i.test(last)) return 'nhwc';
  if (typeof second === 'string') return 'nchw';
  refuse(
    facts,
    'its input has no axis of three channels: [batch, 3, height, width] or [batch, height, width, 3] is needed',
  );
}

function refuse(facts: EncoderFacts, why: string): never {
  throw new LookalikeError('model_invalid', `${why}. Found: ${describe(facts)}`);
}

/** `inputs "image" float32 [n, 3, 64, 64]; outputs "vector" float32 [n, 128]`. */
export function describe({ inputs, outputs }: EncoderFacts): string {
  return `inputs ${list(inputs)}; outputs ${list(outputs)}`;
}

// A file can hold thousands of outputs with names of any length: a message stays readable.
const MOST_LISTED = 8;
const short = (text: string) => (text.length > 64 ? `${text.slice(0, 64)}…` : text);

function list(facts: readonly TensorFact[]): string {
  if (facts.length === 0) return 'none';
  const shown = facts.slice(0, MOST_LISTED).map(({ name, type, shape }) => {
    const sizes = shape.map((size) => (size === '' ? '?' : short(String(size))));
    return `"${short(name)}" ${type} [${sizes.join(', ')}]`;
  });
  const more = facts.length - shown.length;
  return shown.join(', ') + (more > 0 ? ` and ${more} more` : '');
}
