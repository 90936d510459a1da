import { LookalikeError } from './errors.js';
import type { Inspection } from './inspection.js';
import type { ModelManifest, PreprocessRecord } from './manifests.js';

/** Manifests of models that are added: made from an inspection, or compared with one. */

/** The vote's temperature of a model that states none: the paper's. */
const TEMPERATURE = 0.07;

export interface Foreign {
  name: string;
  file: string; // name of the ONNX file as it was given
  record: string; // name of the file that said how pictures are prepared
  preprocess: PreprocessRecord;
  temperature?: number | undefined;
}

/** The manifest of an encoder from elsewhere, but for the hash: that is taken of the file as it is stored. */
export function foreignManifest(
  given: Foreign,
  inspection: Inspection,
): Omit<ModelManifest, 'sha256' | 'format_version'> {
  const { sha256, input, output, dimension, ...found } = inspection;
  return {
    name: given.name,
    input,
    output,
    preprocess: given.preprocess,
    dimension,
    temperature: given.temperature ?? TEMPERATURE,
    trained_on: 'not stated',
    terms: 'not stated',
    settings: { given: { file: given.file, sha256, record: given.record }, inspection: found },
    accuracy: {},
  };
}

/**
 * A manifest that came with its encoder, confirmed by an inspection. Throws `model_invalid` naming the first value
 * that is not what was found.
 */
export function confirmedManifest(manifest: ModelManifest, inspection: Inspection): ModelManifest {
  const claims: [string, unknown, unknown][] = [
    ['sha256', manifest.sha256, inspection.sha256],
    ['dimension', manifest.dimension, inspection.dimension],
    ['input.name', manifest.input.name, inspection.input.name],
    ['input.layout', manifest.input.layout, inspection.input.layout],
    ['input.width', manifest.input.width, inspection.input.width],
    ['input.height', manifest.input.height, inspection.input.height],
  ];
  const wrong = claims.find(([, said, found]) => said !== found);
  if (!wrong) return { ...manifest, input: { ...manifest.input, ...inspection.input } };
  const [field, said, found] = wrong;
  throw new LookalikeError('model_invalid', `the manifest says ${field} ${said}, the encoder has ${found}`, {
    field,
  });
}

/** Longest name of a model, in characters. */
export const NAME_LENGTH = 64;
const NAME = new RegExp(`^[\\p{L}\\p{N}][\\p{L}\\p{N}._ -]{0,${NAME_LENGTH - 1}}$`, 'u');

/** Throws `invalid_parameter` for a name that is not letters, digits and ". _ -" with a letter or digit first. */
export function checkModelName(name: string): string {
  if (NAME.test(name)) return name;
  throw new LookalikeError(
    'invalid_parameter',
    `a model's name has 1 to ${NAME_LENGTH} letters, digits, spaces, dots, underscores and dashes and begins with a ` +
      `letter or digit, not ${JSON.stringify(name.slice(0, 100))}`,
    { field: 'name' },
  );
}

/** A name as it may be, from that of a file or folder. */
export function modelNameFrom(text: string): string {
  const allowed = text.replace(/[^\p{L}\p{N}._ -]+/gu, '-').replace(/^[^\p{L}\p{N}]+/u, '');
  return [...allowed].slice(0, NAME_LENGTH).join('').trimEnd() || 'model';
}

/** Whether two manifests describe the same embedding: what decides about the numbers, not the words around it. */
export function sameEmbedding(a: ModelManifest, b: ModelManifest): boolean {
  const meaning = ({ sha256, input, output, preprocess, dimension }: ModelManifest) =>
    JSON.stringify([
      sha256,
      [input.name, input.width, input.height, input.layout, input.batch ?? null],
      [output.name, output.pooling ?? 'none'],
      [
        preprocess.resize,
        preprocess.crop,
        preprocess.kernel,
        preprocess.mean,
        preprocess.std,
        preprocess.background,
      ],
      dimension,
    ]);
  return meaning(a) === meaning(b);
}
