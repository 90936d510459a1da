import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { LookalikeError } from '../core/errors.js';
import { MANIFEST_FILE } from '../engines/manifest.js';
import { HUGGING_FACE_FILE, RECORD_FILE } from '../engines/model-folder.js';
import type { PackedFile } from '../engines/tar-folder.js';

/** What is sent of a model: its ONNX files and what says how pictures are prepared; a repository may hold gigabytes more. */
const RECORDS = [MANIFEST_FILE, RECORD_FILE, HUGGING_FACE_FILE];
const isOnnx = (name: string) => /\.onnx$/i.test(name);

/**
 * The files of a model folder, or of the one ONNX file with the records beside it (and beside the folder `onnx/`). Links are
 * followed: caches of repositories are made of them. Throws `invalid_parameter` for what cannot be read or holds no ONNX file.
 */
export async function modelFiles(typed: string): Promise<PackedFile[]> {
  const path = resolve(typed);
  const found = await stat(path).catch(() => null);
  if (!found) throw refused(typed, 'cannot be read');
  const files = found.isDirectory() ? await filesBelow(path) : await fileAndRecords(path);
  if (files.some(({ name }) => isOnnx(name))) return files;
  throw refused(typed, found.isDirectory() ? 'holds no .onnx file' : 'is no .onnx file');
}

const refused = (typed: string, why: string) => new LookalikeError('invalid_parameter', `${typed} ${why}`);

async function filesBelow(folder: string): Promise<PackedFile[]> {
  const names = (await readdir(folder, { recursive: true })).filter(isWanted).sort();
  const files = names.map((name) => ({ path: join(folder, name), name: name.replaceAll(sep, '/') }));
  return await existing(files);
}

const isWanted = (name: string) =>
  !name.split(sep).some((part) => part.startsWith('.')) && (isOnnx(name) || RECORDS.includes(basename(name)));

async function fileAndRecords(path: string): Promise<PackedFile[]> {
  const beside = dirname(path);
  const top = basename(beside) === 'onnx' ? dirname(beside) : beside;
  const places = [...new Set([beside, top])];
  const records = places.flatMap((place) => RECORDS.map((name) => join(place, name)));
  const named = (file: string) => ({ path: file, name: relative(top, file).replaceAll(sep, '/') });
  return [named(path), ...(await existing(records.map(named)))];
}

async function existing(files: readonly PackedFile[]): Promise<PackedFile[]> {
  const there = await Promise.all(
    files.map(({ path }) =>
      stat(path).then(
        (one) => one.isFile(),
        () => false,
      ),
    ),
  );
  return files.filter((_, i) => there[i]);
}
