import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { LookalikeError, messageOf } from '../core/errors.js';
import { type BankItem, type BankManifest, bankItem, bankManifest } from '../core/manifests.js';
import { checkUnitRows } from '../core/vector.js';
import { sha256Of, writeDurably } from './files.js';
import { MANIFEST_FILE, parseManifest } from './manifest.js';

/**
 * The bank as files: `bank.safetensors` (tensor `vectors`, F32, rows x dimension), `items.ndjson` (line i
 * belongs to vector i) and `manifest.json`, which names the model that made the vectors.
 * Format: https://github.com/huggingface/safetensors#format
 */
export interface Bank {
  manifest: BankManifest;
  vectors: Float32Array; // rows x dimension, unit length
  items: BankItem[];
}

const VECTORS_FILE = 'bank.safetensors';
const ITEMS_FILE = 'items.ndjson';

/** One float32 matrix as safetensors bytes. */
export function encodeSafetensors(name: string, values: Float32Array, shape: readonly number[]): Uint8Array {
  const header = { [name]: { dtype: 'F32', shape, data_offsets: [0, values.byteLength] } };
  const json = JSON.stringify(header);
  // Spaces pad the header so that the data starts at a multiple of 8.
  const text = new TextEncoder().encode(json.padEnd(Math.ceil(json.length / 8) * 8));
  const bytes = new Uint8Array(8 + text.length + values.byteLength);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), 8 + text.length);
  return bytes;
}

const safetensorsHeader = z.record(
  z.string(),
  z.object({
    dtype: z.string(),
    shape: z.array(z.int().nonnegative()),
    data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
  }),
);

/** Reads one float32 tensor out of safetensors bytes. Throws `bank_invalid` with what was found. */
export function decodeSafetensors(
  bytes: Uint8Array,
  name: string,
): { values: Float32Array; shape: number[] } {
  const refuse = (why: string): never => {
    throw new LookalikeError(
      'bank_invalid',
      `not a safetensors file with a float32 tensor "${name}": ${why}`,
    );
  };
  if (bytes.length < 8) return refuse(`it has ${bytes.length} bytes`);
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (length > bytes.length - 8) return refuse(`its header claims ${length} bytes of ${bytes.length}`);
  let header: z.infer<typeof safetensorsHeader>;
  try {
    const { __metadata__: _, ...tensors } = JSON.parse(
      new TextDecoder().decode(bytes.subarray(8, 8 + length)),
    );
    header = safetensorsHeader.parse(tensors);
  } catch (cause) {
    return refuse(`its header does not parse (${messageOf(cause).slice(0, 100)})`);
  }
  const tensor = header[name];
  if (!tensor) return refuse(`it holds ${Object.keys(header).join(', ') || 'nothing'}`);
  if (tensor.dtype !== 'F32') return refuse(`its dtype is ${tensor.dtype}`);
  const [from, to] = tensor.data_offsets;
  const count = tensor.shape.reduce((product, side) => product * side, 1);
  if (to - from !== count * 4 || 8 + length + to > bytes.length)
    return refuse(`${tensor.shape.join(' x ')} needs ${count * 4} bytes, ${to - from} are named`);
  // A copy: the data of a foreign file need not be aligned to four bytes (and slice of a Buffer copies nothing).
  const data = new Uint8Array(bytes.subarray(8 + length + from, 8 + length + to));
  return { values: new Float32Array(data.buffer), shape: tensor.shape };
}

export async function writeBank(
  folder: string,
  bank: { vectors: Float32Array; items: readonly BankItem[] },
  about: Pick<BankManifest, 'model_sha256' | 'dimension' | 'name' | 'terms' | 'source_package'>,
): Promise<BankManifest> {
  const rows = bank.items.length;
  checkUnitRows(bank.vectors, rows, about.dimension);
  const vectors = encodeSafetensors('vectors', bank.vectors, [rows, about.dimension]);
  const items = new TextEncoder().encode(bank.items.map((item) => `${JSON.stringify(item)}\n`).join(''));
  const files = { [VECTORS_FILE]: sha256Of(vectors), [ITEMS_FILE]: sha256Of(items) };
  const manifest = bankManifest.parse({ format_version: 1, rows, normalised: true, files, ...about });
  await writeDurably(join(folder, VECTORS_FILE), vectors);
  await writeDurably(join(folder, ITEMS_FILE), items);
  await writeDurably(join(folder, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}

/** Opens a bank and checks all of it; `modelSha256` is the model that is to search in it. */
export async function readBank(folder: string, modelSha256: string): Promise<Bank> {
  const path = join(folder, MANIFEST_FILE);
  const read = (name: string) =>
    readFile(join(folder, name)).catch((cause) => {
      throw new LookalikeError('bank_invalid', `the bank ${folder} has no readable ${name}`, { cause });
    });
  const manifest = parseManifest((await read(MANIFEST_FILE)).toString(), bankManifest, {
    path,
    code: 'bank_invalid',
  });
  if (manifest.model_sha256 !== modelSha256)
    throw new LookalikeError(
      'bank_mismatch',
      `the bank ${folder} was made by the model ${manifest.model_sha256.slice(0, 12)}…, not by ` +
        `${modelSha256.slice(0, 12)}…. Use the model it was made with, or index the pictures again into a new --data-dir.`,
    );
  const checked = async (name: string) => {
    const bytes = await read(name);
    if (sha256Of(bytes) === manifest.files[name]) return bytes;
    throw new LookalikeError(
      'bank_invalid',
      `${join(folder, name)} is damaged: its SHA-256 is not the manifest's`,
    );
  };
  const { values: vectors, shape } = decodeSafetensors(await checked(VECTORS_FILE), 'vectors');
  const items = parseItems((await checked(ITEMS_FILE)).toString(), join(folder, ITEMS_FILE));
  checkDistinct(items, folder);
  if (shape[0] !== manifest.rows || shape[1] !== manifest.dimension || items.length !== manifest.rows)
    throw new LookalikeError(
      'bank_invalid',
      `the bank ${folder} names ${manifest.rows} rows of ${manifest.dimension}, holds ${shape.join(' x ')} and ${items.length} items`,
    );
  checkUnitRows(vectors, manifest.rows, manifest.dimension);
  return { manifest, vectors, items };
}

const parseItems = (text: string, path: string): BankItem[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line, i) => parseManifest(line, bankItem, { path: `${path} line ${i + 1}`, code: 'bank_invalid' }));

function checkDistinct(items: readonly BankItem[], folder: string): void {
  const seen = new Set<string>();
  for (const { id } of items) {
    if (seen.has(id))
      throw new LookalikeError(
        'bank_invalid',
        `the bank ${folder} holds two items with the id ${JSON.stringify(id)}`,
      );
    seen.add(id);
  }
}
