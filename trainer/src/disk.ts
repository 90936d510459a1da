/** Files that are written whole or not at all; what stands in the way is told in a sentence a person can act on. */
import {
  appendFileSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { LookalikeError } from '../../dist/offline.js';

export const CHECKPOINT_FILE = 'checkpoint.safetensors';

const CHUNK = 1 << 28; // Node writes at most 2 GiB at once

/** What is being written, for the sentence when it cannot be. */
export interface Wanted {
  what: string; // e.g. "the checkpoint"
  path: string;
  bytes: number;
  out: string; // the run's folder: its last checkpoint is kept
}

const REASONS: Record<string, string> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'files this large are not allowed here (ulimit -f)',
  EROFS: 'the disk can only be read',
  EACCES: 'there is no permission to write there',
  EPERM: 'there is no permission to write there',
  ENOTDIR: 'a part of the path is a file, not a folder',
  EEXIST: 'a part of the path is a file, not a folder',
  ENOENT: 'the folder is gone',
};

/** An error that says what could not be written and why; errors of another kind are given back as they are. */
export function cannotWrite({ what, path, bytes, out }: Wanted, cause: unknown): unknown {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const reason = REASONS[code];
  if (reason === undefined) return cause;
  const kept = existsSync(join(out, CHECKPOINT_FILE))
    ? '. The last checkpoint is kept: when that is mended, go on with --resume'
    : '';
  return new LookalikeError(
    'internal',
    `cannot write ${what} ${path}: ${reason}${room(path, bytes)}${kept}`,
    {
      cause,
    },
  );
}

function room(path: string, needed: number): string {
  if (needed === 0) return '';
  try {
    const { bavail, bsize } = statfsSync(dirname(path));
    return ` (${inMegabytes(needed)} needed, ${inMegabytes(bavail * bsize)} free)`;
  } catch {
    return ''; // without the folder there is no disk to ask
  }
}

const inMegabytes = (bytes: number) =>
  bytes < 1e5 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;

/** A folder and those it lies in. Throws `internal` with the reason. */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (cause) {
    throw cannotWrite({ what: 'into the folder', path, bytes: 0, out: path }, cause);
  }
}

/** Adds a line to a file, or nothing: half a line would spoil the next one, too. Throws `internal` with the reason. */
export function appendLine({ what, path, out }: Omit<Wanted, 'bytes'>, line: string): void {
  const before = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  try {
    appendFileSync(path, `${line}\n`);
  } catch (cause) {
    if (existsSync(path)) truncateSync(path, before);
    throw cannotWrite({ what, path, bytes: line.length + 1, out }, cause);
  }
}

/**
 * Beside its place, flushed, renamed: at every moment the path holds the old bytes or the new ones. What was
 * written beside is removed when it fails. Throws `internal` with the reason.
 */
export function writeWhole(
  { what, path, out }: Omit<Wanted, 'bytes'>,
  parts: readonly (Uint8Array | string)[],
): void {
  const blocks = parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part));
  const bytes = blocks.reduce((sum, { length }) => sum + length, 0);
  const beside = `${path}.part`;
  try {
    writeFlushed(beside, blocks);
    renameSync(beside, path);
    flushFolder(dirname(path)); // the rename itself must reach the disk too
  } catch (cause) {
    removeQuietly(beside); // before the free bytes are told
    throw cannotWrite({ what, path, bytes, out }, cause);
  }
}

/** Removing must not hide why the writing failed. */
function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {}
}

function writeFlushed(path: string, blocks: readonly Uint8Array[]): void {
  const file = openSync(path, 'w');
  try {
    for (const block of blocks)
      for (let at = 0; at < block.length; )
        at += writeSync(file, block, at, Math.min(CHUNK, block.length - at));
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function flushFolder(path: string): void {
  const folder = openSync(path, 'r');
  fsyncSync(folder);
  closeSync(folder);
}
