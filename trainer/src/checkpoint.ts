/**
 * Checkpoints: everything that a run needs to go on bit for bit, in one safetensors file. It is written beside
 * its place, flushed and renamed, so there is always one whole checkpoint whatever happens.
 */
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { LookalikeError } from '../../dist/offline.js';
import { writeWhole } from './disk.js';
import { type Tensor, tf, type Variable } from './tensorflow.js';

/** Named groups of variables, as `groupsOf` in `train.ts` gives them. */
export type Groups = Record<string, ReadonlyMap<string, Variable>>;

/** Names of safetensors for the types that variables have here; both take four bytes a value. */
const DTYPES = { float32: 'F32', int32: 'I32' } as const;

interface Entry {
  dtype: (typeof DTYPES)[keyof typeof DTYPES];
  shape: number[];
  data_offsets: [number, number];
}

/**
 * Writes the variables of all groups and `state`, which must survive JSON. Throws `internal` when the disk does not
 * let it and `invalid_vector` when a value is not finite: the file before stays what it was.
 */
export function writeCheckpoint(path: string, groups: Groups, state: object): void {
  const header: Record<string, Entry | Record<string, string>> = {
    __metadata__: { state: JSON.stringify(state) },
  };
  const parts: Uint8Array[] = [];
  let offset = 0;
  for (const [name, variable] of flatten(groups)) {
    const values = variable.dataSync() as Float32Array | Int32Array;
    checkFinite(name, values);
    header[name] = {
      dtype: DTYPES[variable.dtype as keyof typeof DTYPES],
      shape: variable.shape,
      data_offsets: [offset, offset + values.byteLength],
    };
    parts.push(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    offset += values.byteLength;
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  writeWhole({ what: 'the checkpoint', path, out: dirname(path) }, [length, json, ...parts]);
}

/** The last step of an epoch may break the weights while its loss was still finite. */
function checkFinite(name: string, values: Float32Array | Int32Array): void {
  if (values.every(Number.isFinite)) return;
  throw new LookalikeError(
    'invalid_vector',
    `"${name}" is no longer finite, so no checkpoint is written and the last one is kept. Train anew with a lower --lr or more --warmup-epochs`,
  );
}

/** Fills the variables of all groups from the file and returns its state. Throws when shape or type differs. */
export function readCheckpoint<State>(path: string, groups: Groups): State {
  const { header, state, body } = open<State>(path);
  for (const [name, variable] of flatten(groups)) {
    const entry = header[name];
    if (!entry) throw new Error(`the checkpoint ${path} has no "${name}": it belongs to other settings`);
    const dtype = DTYPES[variable.dtype as keyof typeof DTYPES];
    if (String(entry.shape) !== String(variable.shape) || entry.dtype !== dtype)
      throw new Error(
        `"${name}" is ${entry.dtype} [${entry.shape}] in ${path} and ${dtype} [${variable.shape}] by the settings`,
      );
    const bytes = body.slice(...entry.data_offsets); // a copy, so that it is aligned
    const of = variable.dtype === 'int32' ? Int32Array : Float32Array;
    const values = new of(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    tf.tidy(() => variable.assign(tf.tensor(values, entry.shape, variable.dtype) as Tensor));
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
