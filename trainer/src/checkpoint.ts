/**
 * Checkpoints: everything that a run needs to go on bit for bit, in one safetensors file. It is written beside
 * its place, flushed and renamed, so there is always one whole checkpoint whatever happens.
 */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Tensor, tf, type Variable } from './tensorflow.js';

/** Named groups of variables: `weights`, `statistics`, `slots`, `bank`. */
export type Groups = Record<string, ReadonlyMap<string, Variable>>;

interface Entry {
  dtype: 'F32';
  shape: number[];
  data_offsets: [number, number];
}

/** Writes the variables of all groups and `state`, which must survive JSON. */
export function writeCheckpoint(path: string, groups: Groups, state: object): void {
  const header: Record<string, Entry | Record<string, string>> = {
    __metadata__: { state: JSON.stringify(state) },
  };
  const parts: Uint8Array[] = [];
  let offset = 0;
  for (const [name, variable] of flatten(groups)) {
    const values = variable.dataSync() as Float32Array;
    header[name] = {
      dtype: 'F32',
      shape: variable.shape,
      data_offsets: [offset, offset + values.byteLength],
    };
    parts.push(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    offset += values.byteLength;
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  writeDurably(path, [length, json, ...parts]);
}

/** Fills the variables of all groups from the file and returns its state. Throws when a shape differs. */
export function readCheckpoint<State>(path: string, groups: Groups): State {
  const { header, state, body } = open<State>(path);
  for (const [name, variable] of flatten(groups)) {
    const entry = header[name];
    if (!entry) throw new Error(`the checkpoint ${path} has no "${name}": it belongs to other settings`);
    if (String(entry.shape) !== String(variable.shape))
      throw new Error(`"${name}" is [${entry.shape}] in ${path} and [${variable.shape}] by the settings`);
    const bytes = body.slice(...entry.data_offsets); // a copy, so that it is aligned
    tf.tidy(() => {
      variable.assign(
        tf.tensor(new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4), entry.shape) as Tensor,
      );
    });
  }
  return state;
}

/** The state alone, e.g. to see which settings a checkpoint was made with. */
export function readState<State>(path: string): State {
  return open<State>(path).state;
}

function open<State>(path: string) {
  const file = readFileSync(path);
  const length = Number(file.readBigUInt64LE(0));
  const { __metadata__, ...header } = JSON.parse(file.toString('utf8', 8, 8 + length));
  const body = new Uint8Array(file.buffer, file.byteOffset + 8 + length, file.length - 8 - length);
  return { header: header as Record<string, Entry>, state: JSON.parse(__metadata__.state) as State, body };
}

function flatten(groups: Groups): [string, Variable][] {
  return Object.entries(groups).flatMap(([group, variables]) =>
    [...variables].map(([name, variable]): [string, Variable] => [`${group}/${name}`, variable]),
  );
}

function writeDurably(path: string, parts: readonly Uint8Array[]): void {
  const beside = `${path}.part`;
  const file = openSync(beside, 'w');
  try {
    for (const part of parts) for (let at = 0; at < part.length; ) at += writeSync(file, part, at);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(beside, path);
  const folder = openSync(dirname(path), 'r'); // the rename itself must reach the disk too
  fsyncSync(folder);
  closeSync(folder);
}
