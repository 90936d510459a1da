import { z } from 'zod';

/**
 * The schemas of the three manifests. They form a chain, each naming the hash of its parent:
 * model -> bank -> generation. `npm run check` needs no copy of them: these are the only definition.
 */

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hex digits');
const positive = z.int().positive();

const side = positive.max(4096); // pixels

/**
 * How a picture becomes a tensor. `resize` scales the shorter side to `shorter_side` pixels, or the whole picture
 * to `width` x `height` whatever its shape (antialiased, `kernel`); `crop` cuts the centre out; then
 * (value / 255 - mean) / std by channel. Transparent pixels are laid over `background` first.
 * Source: the two ways of torchvision's resize (one number, two numbers) with its centre crop, which
 * encoders are used to.
 */
export const preprocessRecord = z.strictObject({
  resize: z.union([z.strictObject({ shorter_side: side }), z.strictObject({ width: side, height: side })]),
  crop: z.strictObject({ width: side, height: side }),
  kernel: z.enum(['lanczos3', 'cubic', 'linear']),
  mean: z.tuple([z.number(), z.number(), z.number()]),
  std: z.tuple([z.number().positive(), z.number().positive(), z.number().positive()]),
  background: z.tuple([z.int().min(0).max(255), z.int().min(0).max(255), z.int().min(0).max(255)]),
});
export type PreprocessRecord = z.infer<typeof preprocessRecord>;

/**
 * What becomes of an encoder's output: `none`, it is the vector; `cls`, of a vector a token the first is
 * taken; `mean`, the mean of all tokens.
 */
export const POOLINGS = ['none', 'cls', 'mean'] as const;
export type Pooling = (typeof POOLINGS)[number];

/** Fields that not every encoder needs came later: without them a manifest means what it always did. */
export const modelManifest = z.strictObject({
  format_version: z.literal(1),
  name: z.string().min(1),
  sha256, // of encoder.onnx
  parent_sha256: sha256.optional(), // of the encoder that this one is a quantised form of
  input: z.strictObject({
    name: z.string(),
    width: positive,
    height: positive,
    layout: z.enum(['nchw', 'nhwc']), // of the graph's input; tensors are nchw until there
    dtype: z.literal('float32'),
    batch: z.literal(1).optional(), // one picture a run, whatever the graph declares; any number when absent
  }),
  output: z.strictObject({
    name: z.string(),
    pooling: z.enum(POOLINGS).optional(), // none when absent
  }),
  preprocess: preprocessRecord,
  dimension: positive.min(16).max(2048),
  temperature: z.number().positive(), // of the vote
  trained_on: z.string(),
  terms: z.string(),
  settings: z.record(z.string(), z.unknown()),
  accuracy: z.record(z.string(), z.unknown()),
});
export type ModelManifest = z.infer<typeof modelManifest>;

const files = z.record(z.string(), sha256);

export const bankManifest = z.strictObject({
  format_version: z.literal(1),
  model_sha256: sha256,
  rows: z.int().nonnegative(),
  dimension: positive,
  normalised: z.literal(true),
  /** Where relative `source` paths of the items start: an npm package or null. */
  source_package: z.string().nullable(),
  name: z.string(),
  terms: z.string(),
  files,
});
export type BankManifest = z.infer<typeof bankManifest>;

/** One line of `items.ndjson` in a bank; line i belongs to vector i. */
export const bankItem = z.strictObject({
  id: z.string().min(1),
  label: z.string().min(1).optional(),
  sha256,
  source: z.string().optional(),
  metadata: z.record(z.string(), z.unknown()).optional(),
});
export type BankItem = z.infer<typeof bankItem>;

export const generationManifest = z.strictObject({
  format_version: z.literal(2),
  model_sha256: sha256,
  bank_mark: z.int().nonnegative(), // the store's high-water mark when this was made
  rows: z.int().nonnegative(),
  dimension: positive,
  engine: z.enum(['usearch', 'none']), // of the graph; none: there was no memory for one
  parameters: z.strictObject({ m: positive, ef_construction: positive }),
  created_at: z.string(),
  files,
});
export type GenerationManifest = z.infer<typeof generationManifest>;

/** The last entry of a snapshot: what it is of, and the hash of every file in it. */
export const snapshotManifest = z.strictObject({
  format_version: z.literal(1),
  lookalike: z.string(), // the version that wrote it
  created_at: z.string(),
  collections: z.array(
    z.strictObject({ name: z.string(), rows: z.int().nonnegative(), model_sha256: sha256 }),
  ),
  files,
});
export type SnapshotManifest = z.infer<typeof snapshotManifest>;
