import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { LookalikeError, messageOf } from '../core/errors.js';
import {
  badEntry,
  type ForeignBankItem,
  foreignBankItem,
  type ImportEvent,
  type ImportSource,
  parseLine,
} from '../core/import-entry.js';
import { checkId, checkUnitRows } from '../core/vector.js';
import { resolveUnder } from './allowed-roots.js';
import { readFully } from './files.js';
import { type Line, linesOf } from './lines.js';
import { type Matrix, pagesOf, rowBytes } from './matrix-file.js';
import { NPY_MAGIC, openNpy } from './npy-file.js';
import { openSafetensors } from './safetensors.js';

/**
 * Vectors that were made elsewhere by the same model, as a source of imports: a `.npy` or `safetensors` file, and beside it
 * lines of JSON with `id`, `label`, `sha256`, `source` and `metadata`, line i for row i. Without them ids are row numbers.
 */
export interface BankFiles {
  vectors: string;
  items: string | null;
}

export interface BankSourceOptions {
  dimension: number; // of the model
  roots: readonly string[]; // folders that a `source` may lie in, see `resolveUnder`
  checkMetadata: (metadata: Record<string, unknown>) => void;
  signal?: AbortSignal;
}

/** What one line may have, in bytes. */
const LINE_BYTES = 1 << 20;

/** Opens both files and checks that they fit each other and the model. Throws `not_found` and `bank_invalid`. */
export async function openBankFiles(files: BankFiles, options: BankSourceOptions): Promise<ImportSource> {
  const matrix = await openMatrix(files.vectors);
  if (matrix.dimension !== options.dimension)
    throw new LookalikeError(
      'bank_invalid',
      `the vectors have ${matrix.dimension} dimensions, the model ${options.dimension}`,
    );
  if (files.items !== null) await checkCount(files.items, matrix.rows, options.signal);
  let rowsRead = 0;

  async function* entries(): AsyncGenerator<ImportEvent> {
    rowsRead = 0;
    const lines = files.items === null ? null : linesOf(createReadStream(files.items), LINE_BYTES);
    try {
      for await (const vector of vectorsOf(matrix)) {
        options.signal?.throwIfAborted();
        const line = await lines?.next();
        if (line?.done) throw countsDiffer(rowsRead, matrix.rows);
        yield await eventOf({ row: rowsRead++, vector, line: line?.value }, options);
      }
    } finally {
      await lines?.return(undefined);
    }
  }

  return {
    total: matrix.rows,
    bytesTotal: matrix.rows * rowBytes(matrix),
    bytesRead: () => rowsRead * rowBytes(matrix),
    ignored: () => 0,
    [Symbol.asyncIterator]: entries,
  };
}

async function openMatrix(path: string): Promise<Matrix> {
  const file = await open(path).catch(unreadable);
  const magic = new Uint8Array(NPY_MAGIC.length);
  try {
    await readFully(file, magic, 0);
  } finally {
    await file.close();
  }
  return NPY_MAGIC.equals(magic) ? openNpy(path) : openSafetensors(path);
}

function unreadable(cause: unknown): never {
  throw new LookalikeError('not_found', `the bank cannot be read: ${messageOf(cause)}`, { cause });
}

async function checkCount(path: string, rows: number, signal: AbortSignal | undefined): Promise<void> {
  await stat(path).catch(unreadable);
  let count = 0;
  for await (const _ of linesOf(createReadStream(path), LINE_BYTES)) {
    signal?.throwIfAborted();
    count++;
  }
  if (count !== rows) throw countsDiffer(count, rows);
}

function countsDiffer(items: number, rows: number): LookalikeError {
  return new LookalikeError(
    'bank_invalid',
    `there are ${rows} vectors and ${items} items: line i belongs to row i`,
  );
}

async function* vectorsOf(matrix: Matrix): AsyncGenerator<Float32Array> {
  // Copies: who keeps one vector must not keep its page.
  for await (const page of pagesOf(matrix))
    for (let at = 0; at < page.length; at += matrix.dimension) yield page.slice(at, at + matrix.dimension);
}

interface Row {
  row: number;
  vector: Float32Array;
  line: Line | undefined;
}

async function eventOf({ row, vector, line }: Row, options: BankSourceOptions): Promise<ImportEvent> {
  const place = `row ${row}`;
  if (line && 'error' in line) return badEntry(place, line.error);
  let item: ForeignBankItem | undefined;
  try {
    item = line ? parseLine(line.text, foreignBankItem) : { id: String(row) };
    checkId(item.id);
    checkUnitRows(vector, 1, options.dimension);
    const { id, label = null, sha256 = null, metadata = {} } = item;
    options.checkMetadata(metadata);
    const source = item.source === undefined ? null : await sourceOf(item.source, options.roots);
    return { kind: 'vector', place, id, label, metadata, source, sha256, vector };
  } catch (thrown) {
    return badEntry(place, thrown, item?.id);
  }
}

/** The picture's file, null when it is not on this machine: the vector is good without it. Throws `forbidden`. */
function sourceOf(source: string, roots: readonly string[]): Promise<string | null> {
  return resolveUnder(roots, source).catch((thrown) => {
    if (thrown instanceof LookalikeError && thrown.code === 'not_found') return null;
    throw thrown;
  });
}
