import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { normalize } from 'node:path';
import { LookalikeError, messageOf } from '../core/errors.js';
import {
  badEntry,
  type ImportEntry,
  type ImportEvent,
  type ImportLine,
  type ImportSource,
  importLine,
  type PictureEntry,
  parseLine,
  type VectorEntry,
} from '../core/import-entry.js';
import { checkId, checkUnitRows } from '../core/vector.js';
import { resolveUnder } from './allowed-roots.js';
import { idOfPath, pictureTooLarge, readPicture, sha256Of } from './files.js';
import { type Line, linesOf } from './lines.js';

/**
 * A file of lines as a source of imports: `{"image": base64}`, `{"path": …}` or `{"vector": [numbers]}`, each with
 * `id`, `label`, `metadata` and `sha256` as it likes. Without an id a picture goes by its path or by `sha256:<hash>`.
 */
export interface NdjsonOptions {
  dimension: number; // of the model
  maxBytes: number; // of one picture
  roots: readonly string[]; // folders that `path` may lie in, see `resolveUnder`
  checkMetadata: (metadata: Record<string, unknown>) => void;
  signal?: AbortSignal;
}

/** What a line may have besides a picture in base64, in bytes. */
const LINE_OVERHEAD = 64 * 1024;

/** Opens the file. Throws `not_found`. */
export async function openNdjson(path: string, options: NdjsonOptions): Promise<ImportSource> {
  const { size } = await stat(path).catch((cause) => {
    throw new LookalikeError('not_found', `the lines cannot be read: ${messageOf(cause)}`, { cause });
  });
  let file: ReturnType<typeof createReadStream> | undefined;

  async function* entries(): AsyncGenerator<ImportEvent> {
    options.signal?.throwIfAborted();
    file = createReadStream(path);
    const limit = Math.ceil((options.maxBytes * 4) / 3) + LINE_OVERHEAD;
    for await (const line of linesOf(file, limit)) {
      options.signal?.throwIfAborted();
      yield await eventOf(line, options);
    }
  }

  return {
    total: null,
    bytesTotal: size,
    bytesRead: () => file?.bytesRead ?? 0,
    ignored: () => 0,
    [Symbol.asyncIterator]: entries,
  };
}

async function eventOf(line: Line, options: NdjsonOptions): Promise<ImportEvent> {
  const place = `line ${line.number}`;
  if ('error' in line) return badEntry(place, line.error);
  let id: string | undefined;
  try {
    const parsed = parseLine(line.text, importLine);
    id = parsed.id;
    return await entryOf(place, parsed, options);
  } catch (thrown) {
    return badEntry(place, thrown, id);
  }
}

async function entryOf(place: string, line: ImportLine, options: NdjsonOptions): Promise<ImportEntry> {
  const metadata = line.metadata ?? {};
  options.checkMetadata(metadata);
  const named = { place, label: line.label ?? null, metadata };
  const entry =
    line.image !== undefined
      ? ofImage(line.image, line, options)
      : line.path !== undefined
        ? await ofPath(line.path, line, options)
        : ofVector(line.vector!, line, options);
  checkId(entry.id);
  return { ...named, ...entry };
}

type Rest<T extends ImportEntry> = Omit<T, 'place' | 'label' | 'metadata'>;

function ofImage(image: string, line: ImportLine, { maxBytes }: NdjsonOptions): Rest<PictureEntry> {
  const bytes = decodeBase64(image, maxBytes);
  const sha256 = sha256Of(bytes);
  checkHash(sha256, line);
  const read = () => Promise.resolve(bytes);
  return { kind: 'picture', id: line.id ?? `sha256:${sha256}`, source: null, read };
}

async function ofPath(path: string, line: ImportLine, options: NdjsonOptions): Promise<Rest<PictureEntry>> {
  const source = await resolveUnder(options.roots, path);
  const read = async () => {
    const bytes = await readPicture(source, options.maxBytes);
    if (line.sha256 !== undefined) checkHash(sha256Of(bytes), line);
    return bytes;
  };
  return { kind: 'picture', id: line.id ?? idOfPath(normalize(path)), source, read };
}

function ofVector(numbers: number[], line: ImportLine, { dimension }: NdjsonOptions): Rest<VectorEntry> {
  const vector = Float32Array.from(numbers);
  checkUnitRows(vector, 1, dimension);
  const sha256 = line.sha256 ?? null;
  const id = line.id ?? (sha256 === null ? undefined : `sha256:${sha256}`);
  if (id === undefined)
    throw new LookalikeError('invalid_parameter', 'a vector needs an id or the sha256 of its picture', {
      field: 'id',
    });
  return { kind: 'vector', id, source: null, vector, sha256 };
}

/**
 * Base64 in either alphabet, padded. Node's own decoder passes over what is no base64: then fewer bytes come out than the
 * length says.
 */
function decodeBase64(text: string, maxBytes: number): Uint8Array {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const length = (text.length / 4) * 3 - padding;
  if (length > maxBytes) throw pictureTooLarge(length, maxBytes);
  const bytes = Buffer.from(text, 'base64');
  if (text.length % 4 === 0 && bytes.length === length && length > 0) return bytes;
  throw new LookalikeError(
    'malformed_body',
    `image is not the base64 of a file (${JSON.stringify(text.slice(0, 30))}…)`,
    { field: 'image' },
  );
}

function checkHash(sha256: string, line: ImportLine): void {
  if (line.sha256 === undefined || line.sha256 === sha256) return;
  throw new LookalikeError(
    'invalid_parameter',
    `the picture has the SHA-256 ${sha256}, the line says ${line.sha256}`,
    { field: 'sha256' },
  );
}
