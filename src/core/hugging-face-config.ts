import { z } from 'zod';
import { LookalikeError } from './errors.js';

/**
 * The fields of Hugging Face's `preprocessor_config.json` that a preprocessing record can follow. They mean what
 * the image processors of `transformers` do with them (`image_processing_*.py`).
 */
const side = z.int().positive();
const edges = z.union([
  side,
  z.tuple([side, side]), // height, width
  z.strictObject({ shortest_edge: side }),
  z.strictObject({ height: side, width: side }),
]);
const channels = z.union([z.number(), z.tuple([z.number(), z.number(), z.number()])]);
const no = z.literal(false).optional();

const schema = z.strictObject({
  image_processor_type: z.string().optional(),
  feature_extractor_type: z.string().optional(), // the older name of the same
  do_resize: z.literal(true).optional(),
  size: edges.optional(),
  default_to_square: z.boolean().optional(),
  resample: z.number().optional(),
  do_center_crop: z.boolean().optional(),
  crop_size: edges.optional(),
  crop_pct: z.number().positive().max(1).optional(),
  do_rescale: z.boolean().optional(),
  rescale_factor: z.number().positive().optional(),
  do_normalize: z.boolean().optional(),
  image_mean: channels.optional(),
  image_std: channels.optional(),
  do_pad: no,
  do_flip_channel_order: no,
  use_square_size: no,
  data_format: z.literal('channels_first').optional(), // the graph's own input decides
  // Without a meaning for a picture that is decoded here: always three channels, always one batch.
  do_convert_rgb: z.boolean().optional(),
  do_reduce_labels: z.boolean().optional(),
  input_data_format: z.unknown().optional(),
  return_tensors: z.unknown().optional(),
  processor_class: z.unknown().optional(),
  device: z.unknown().optional(),
  disable_grouping: z.unknown().optional(),
  _valid_processor_keys: z.unknown().optional(),
});
export type HuggingFaceConfig = z.infer<typeof schema>;

/** Ends the reading: the field, its value, and `why` in words that say what is allowed. */
export type Refuse = (field: keyof HuggingFaceConfig, why: string) => never;

/**
 * Checks parsed JSON. A field set to null counts as absent. Throws `model_invalid` for a field that no record can
 * follow, with `path`, the field and its value. `refuse` does the same for what only shows when fields meet.
 */
export function parseHuggingFaceConfig(
  json: unknown,
  path: string,
): { config: HuggingFaceConfig; refuse: Refuse } {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new LookalikeError('model_invalid', `${path} holds no JSON object`);
  const stated = Object.fromEntries(Object.entries(json).filter(([, value]) => value != null));
  const refuse = (field: string, why: string): never => {
    const value =
      stated[field] === undefined ? 'is missing' : `is ${JSON.stringify(stated[field]).slice(0, 100)}`;
    throw new LookalikeError('model_invalid', `${path}: ${field.slice(0, 64)} ${value}: ${why}`, { field });
  };
  const result = schema.safeParse(stated);
  if (result.success) return { config: result.data, refuse };
  const issue = result.error.issues[0]!;
  const field = String(issue.path[0] ?? ('keys' in issue && issue.keys[0]));
  return refuse(
    field,
    WHY_NOT[field] ?? (field in schema.shape ? issue.message : 'no preprocessing record can say this'),
  );
}

/** Where the schema's own words would not tell what is allowed. */
const WHY_NOT: Readonly<Record<string, string>> = {
  do_resize: 'the encoder is fed pictures of one size',
  size: 'a number, [height, width], {"shortest_edge"} or {"height", "width"} is needed',
  crop_size: 'a number, [height, width] or {"height", "width"} is needed',
  image_mean: 'one number or three are needed',
  image_std: 'one number or three are needed',
  do_pad: 'pictures are cut or stretched to their shape, never padded',
  do_flip_channel_order: 'the channels are red, green, blue',
};
