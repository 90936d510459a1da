import { createHash } from 'node:crypto';
import { closeSync, fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import { checkUnitRows } from '../core/vector.js';
import { serveCalls } from './worker-call.js';

/** The threads of `file-io.ts`. What they answer is a SHA-256, hex. */
export type FileRequest =
  | { kind: 'read'; path: string; into: Uint8Array }
  | { kind: 'hash'; path: string }
  | { kind: 'write'; path: string; from: Uint8Array }
  | { kind: 'check'; vectors: Float32Array; rows: number; dimension: number };

const STEP = 2 ** 20; // bytes a read or write: they are hashed while they are in the processor's cache

await serveCalls<undefined, FileRequest, string>(async () => (request) => ({ value: answer(request) }));

function answer(request: FileRequest): string {
  switch (request.kind) {
    case 'check':
      checkUnitRows(request.vectors, request.rows, request.dimension);
      return '';
    case 'write':
      return withFile(request.path, 'wx', (file) => write(file, request.from));
    case 'read':
      return withFile(request.path, 'r', (file) => read(file, request.into));
    case 'hash':
      return withFile(request.path, 'r', hash);
  }
}

function withFile(path: string, flags: string, work: (file: number) => string): string {
  const file = openSync(path, flags);
  try {
    return work(file);
  } finally {
    closeSync(file);
  }
}

function write(file: number, from: Uint8Array): string {
  const sha256 = createHash('sha256');
  for (let at = 0; at < from.length; ) {
    const part = from.subarray(at, at + STEP);
    sha256.update(part);
    for (let done = 0; done < part.length; ) done += writeSync(file, part, done);
    at += part.length;
  }
  fsyncSync(file);
  return sha256.digest('hex');
}

function read(file: number, into: Uint8Array): string {
  const { size } = fstatSync(file);
  if (size !== into.length) throw new Error(`it has ${size} bytes, ${into.length} are needed`);
  const sha256 = createHash('sha256');
  for (let at = 0; at < into.length; ) {
    const bytes = readSync(file, into, at, Math.min(STEP, into.length - at), at);
    if (bytes === 0) throw new Error(`it ends after ${at} of ${into.length} bytes`);
    sha256.update(into.subarray(at, at + bytes));
    at += bytes;
  }
  return sha256.digest('hex');
}

function hash(file: number): string {
  const sha256 = createHash('sha256');
  const page = new Uint8Array(STEP);
  for (let bytes = readSync(file, page); bytes > 0; bytes = readSync(file, page))
    sha256.update(page.subarray(0, bytes));
  return sha256.digest('hex');
}
