import { z } from 'zod';
import { LookalikeError, messageOf } from './errors.js';

/**
 * What imports are made of. A source (folder, tar, NDJSON, bank) hands out one event for each entry, in an order that is
 * the same every time. It holds a page or one entry in memory, never the whole.
 */
interface Named {
  place: string; // where it stands in its source, for the report: 'line 17', 'cats/a.jpg'
  id: string;
  label: string | null;
  metadata: Record<string, unknown>;
  source: string | null; // absolute path of the picture's file, or null when it is not on this machine
}

export interface PictureEntry extends Named {
  kind: 'picture';
  /** The bytes of the picture's file. May throw `image_too_large`, `not_found`, `invalid_parameter`. */
  read(): Promise<Uint8Array>;
}

export interface VectorEntry extends Named {
  kind: 'vector';
  vector: Float32Array; // unit length, of the model's dimension; its own copy
  sha256: string | null; // of the picture that it was made from, as the source says
}

export type ImportEntry = PictureEntry | VectorEntry;

/** An entry that cannot be taken. It costs itself, never the import. */
export interface BadEntry {
  kind: 'bad';
  place: string;
  id?: string;
  error: LookalikeError;
}

export type ImportEvent = ImportEntry | BadEntry;

/**
 * An opened source. Each iteration starts at the first entry; leaving it early closes its files. When the source itself
 * fails (damaged, cut short, aborted), the iteration throws after what stands before the fault.
 */
export interface ImportSource extends AsyncIterable<ImportEvent> {
  readonly total: number | null; // entries, null where only the end tells
  readonly bytesTotal: number; // of the file that is read, for progress
  /** How many of them the latest iteration has read. */
  bytesRead(): number;
  /** How many entries of the latest iteration are no pictures and were passed over. */
  ignored(): number;
}

/**
 * What an import could not take, as lines of NDJSON `{place, id?, code, message}`. A line can be read when `add` has
 * resolved; `close` makes them durable and may be called twice. Entries past a limit of lines are only counted.
 */
export interface ErrorReport {
  /** Lines, and entries since it was opened that were left out. */
  readonly count: number;
  add(entry: BadEntry): Promise<void>;
  close(): Promise<void>;
}

/** What an import can be read from: pictures in a folder or an archive, lines of JSON, or ready vectors. */
export const IMPORT_FORMATS = ['folder', 'tar', 'zip', 'ndjson', 'bank'] as const;
export type ImportFormat = (typeof IMPORT_FORMATS)[number];

/** A body that waits in the data folder for its import. */
export interface SpooledUpload {
  id: string;
  bytes: number;
  sha256: string;
}

/** Where an import reads: an upload, or what lies on this machine. Kept in the job, so that a restart finds it again. */
export interface ImportOrigin {
  format: ImportFormat;
  upload?: SpooledUpload;
  path?: string; // absolute, without links
  items?: string; // of a bank: the lines beside its vectors, absolute, without links
}

/** Labels have 1 to this many characters. */
export const LABEL_LENGTH = 256;

/** What was thrown over an entry, as its event. */
export function badEntry(place: string, thrown: unknown, id?: string): BadEntry {
  const error =
    thrown instanceof LookalikeError
      ? thrown
      : new LookalikeError('internal', messageOf(thrown), { cause: thrown });
  return { kind: 'bad', place, ...(id === undefined ? {} : { id }), error };
}

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hex digits in lower case');
const label = z.string().min(1).max(LABEL_LENGTH).nullish();
const metadata = z.record(z.string(), z.unknown()).optional();

/** One line of an NDJSON import. */
export const importLine = z
  .strictObject({
    id: z.string().optional(),
    image: z.string().optional(), // base64 of the file's bytes
    path: z.string().min(1).optional(),
    vector: z.array(z.number()).optional(),
    label,
    metadata,
    sha256: sha256.optional(),
  })
  .refine(
    ({ image, path, vector }) => [image, path, vector].filter((given) => given !== undefined).length === 1,
    'exactly one of image, path and vector is needed',
  );
export type ImportLine = z.infer<typeof importLine>;

/** One line of the `items.ndjson` beside the vectors of a bank that was made elsewhere. */
export const foreignBankItem = z.strictObject({
  id: z.string(),
  label,
  metadata,
  sha256: sha256.optional(),
  source: z.string().min(1).optional(),
});
export type ForeignBankItem = z.infer<typeof foreignBankItem>;

/** Reads one line of JSON by its schema. Throws `malformed_body`, `unknown_field`, `invalid_parameter`. */
export function parseLine<T>(text: string, schema: z.ZodType<T>): T {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new LookalikeError('malformed_body', `not JSON: ${messageOf(cause).slice(0, 200)}`, { cause });
  }
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  throw refused(result.error.issues[0]!);
}

function refused(issue: z.core.$ZodIssue): LookalikeError {
  if (issue.code === 'unrecognized_keys') {
    const [key] = issue.keys;
    return new LookalikeError('unknown_field', `"${key!.slice(0, 60)}" is no field of a line`, {
      field: key!,
    });
  }
  const [field] = issue.path;
  if (field === undefined) return new LookalikeError('invalid_parameter', issue.message);
  return new LookalikeError('invalid_parameter', `${issue.path.join('.')}: ${issue.message}`, {
    field: String(field),
  });
}
