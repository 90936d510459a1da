import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { LookalikeError } from '../core/errors.js';
import { recordFromHuggingFace } from '../core/hugging-face.js';
import { type ModelManifest, type PreprocessRecord, preprocessRecord } from '../core/manifests.js';
import { ENCODER_FILE, MANIFEST_FILE, parseManifest, readModel } from './manifest.js';

/** What someone brings as a model: a folder of our trainer, or an ONNX file with a word on how pictures are prepared. */
export type GivenModel =
  | { kind: 'trained'; onnxPath: string; manifest: ModelManifest }
  | {
      kind: 'foreign';
      onnxPath: string;
      preprocess: PreprocessRecord;
      recordPath: string; // the file that `preprocess` comes from
      name: string; // of the file or folder
    };

/** Our own record of how pictures are prepared, and Hugging Face's. */
export const RECORD_FILE = 'preprocess.json';
export const HUGGING_FACE_FILE = 'preprocessor_config.json';
/** Where repositories of several formats keep their ONNX files. */
const ONNX_FOLDER = 'onnx';

const RECORD_BYTES = 1 << 20;
/** A protobuf message ends there, and so does an ONNX file. */
const ONNX_BYTES = 2 ** 31 - 1;

/**
 * Understands a path: a folder with `encoder.onnx` and `manifest.json`; a folder with one `.onnx` file (there or in
 * `onnx/`) or such a file itself, with `preprocess.json` (a preprocessing record) or `preprocessor_config.json` beside
 * it or beside `onnx/`. Throws `model_missing` when there is nothing, `model_invalid` when it is something else.
 */
export async function readGivenModel(given: string): Promise<GivenModel> {
  const path = resolve(given);
  const found = await statOf(path);
  if (!found)
    throw new LookalikeError('model_missing', `there is no file or folder ${path}`, { field: 'path' });
  const folder = found.isDirectory() ? path : dirname(path);
  if (!found.isDirectory() && !isOnnx(path))
    refuse(`${path} is no .onnx file: name one, or a folder that holds one`);
  const isOurs = found.isDirectory() || basename(path) === ENCODER_FILE;
  if (isOurs && (await statOf(join(folder, MANIFEST_FILE))) && (await statOf(join(folder, ENCODER_FILE))))
    return { kind: 'trained', ...(await readModel(folder)) };
  const onnxPath = found.isDirectory() ? await onlyOnnx(folder) : path;
  await checkSize(onnxPath, ONNX_BYTES);
  const nameOf = found.isDirectory() ? path : path.replace(/\.onnx$/i, '');
  return { kind: 'foreign', onnxPath, ...(await readRecord(onnxPath)), name: basename(nameOf) };
}

const isOnnx = (name: string) => /\.onnx$/i.test(name);
const statOf = (path: string) => stat(path).catch(() => null);

function refuse(message: string): never {
  throw new LookalikeError('model_invalid', message, { field: 'path' });
}

async function onlyOnnx(folder: string): Promise<string> {
  for (const place of [folder, join(folder, ONNX_FOLDER)]) {
    const names = (await readdir(place).catch(() => [])).filter(isOnnx).sort();
    if (names.length === 1) return join(place, names[0]!);
    if (names.length > 1)
      refuse(
        `${place} holds ${names.length} .onnx files (${names.slice(0, 8).join(', ')}): name the one to add`,
      );
  }
  return refuse(
    `${folder} holds neither ${ENCODER_FILE} with ${MANIFEST_FILE} nor an .onnx file, also not in ${ONNX_FOLDER}/`,
  );
}

async function readRecord(onnxPath: string): Promise<{ preprocess: PreprocessRecord; recordPath: string }> {
  const beside = dirname(onnxPath);
  const places = basename(beside) === ONNX_FOLDER ? [beside, dirname(beside)] : [beside];
  for (const place of places)
    for (const name of [RECORD_FILE, HUGGING_FACE_FILE]) {
      const recordPath = join(place, name);
      if (await statOf(recordPath)) return { preprocess: await parseRecord(recordPath), recordPath };
    }
  return refuse(
    `nothing says how pictures are prepared for ${onnxPath}: put ${RECORD_FILE} (a preprocessing record) or ` +
      `${HUGGING_FACE_FILE} (from Hugging Face) beside it`,
  );
}

async function parseRecord(path: string): Promise<PreprocessRecord> {
  await checkSize(path, RECORD_BYTES);
  const text = await readFile(path, 'utf8');
  if (basename(path) === RECORD_FILE)
    return parseManifest(text, preprocessRecord, { path, code: 'model_invalid' });
  return recordFromHuggingFace(parseManifest(text, z.unknown(), { path, code: 'model_invalid' }), path);
}

async function checkSize(path: string, most: number): Promise<void> {
  const found = await statOf(path);
  if (!found?.isFile()) refuse(`${path} is no file that can be read`);
  if (found.size > most) refuse(`${path} has ${found.size} bytes, at most ${most} are read`);
}
