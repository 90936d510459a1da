import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LookalikeError } from '../core/errors.js';
import { type BankItem, type BankManifest, bankItem, bankManifest } from '../core/manifests.js';
import { checkUnitRows } from '../core/vector.js';
import { sha256Of, writeDurably } from './files.js';
import { MANIFEST_FILE, parseManifest } from './manifest.js';
import { decodeSafetensors, encodeSafetensors } from './safetensors.js';

/**
 * The bank as files: `bank.safetensors` (tensor `vectors`, F32, rows x dimension), `items.ndjson` (line i
 * belongs to vector i) and `manifest.json`, which names the model that made the vectors.
 */
export interface Bank {
  manifest: BankManifest;
  vectors: Float32Array; // rows x dimension, unit length
  items: BankItem[];
}

const VECTORS_FILE = 'bank.safetensors';
const ITEMS_FILE = 'items.ndjson';

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
