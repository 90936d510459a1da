import { open } from 'node:fs/promises';
import { z } from 'zod';
import { LookalikeError, messageOf } from '../core/errors.js';
import { readFully } from './files.js';
import { type Matrix, NUMBER_BYTES, type NumberType } from './matrix-file.js';

/**
 * Tensors in a file: the length of the header (8 bytes), the header (JSON), the numbers.
 * Format: https://github.com/huggingface/safetensors#format
 */

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

/** Reads one float32 tensor out of safetensors bytes. Throws `bank_invalid` with what was found. */
export function decodeSafetensors(
  bytes: Uint8Array,
  name: string,
): { values: Float32Array; shape: number[] } {
  const start = 8 + headerLength(bytes, bytes.length);
  const tensor = tensorOf(parseHeader(bytes.subarray(8, start)), name);
  if (tensor.dtype !== 'F32') return refuse(`the dtype of "${name}" is ${tensor.dtype}, F32 is read here`);
  const [from, to] = dataOf(tensor, { type: 'F32', start, fileBytes: bytes.length });
  // A copy: the data of a foreign file need not be aligned to four bytes (and slice of a Buffer copies nothing).
  const data = new Uint8Array(bytes.subarray(from, to));
  return { values: new Float32Array(data.buffer), shape: tensor.shape };
}

/** A header of a file that is read by pages is held in memory whole. */
const HEADER_BYTES = 16 << 20;

/**
 * Finds the vectors in a file: its tensor `name`, or its only one; two dimensions, F32, F16 or BF16.
 * Throws `bank_invalid` with what was found.
 */
export async function openSafetensors(path: string, name = 'vectors'): Promise<Matrix> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const length = new Uint8Array(8);
    const header = new Uint8Array(
      headerLength(length.subarray(0, await readFully(file, length, 0)), size, HEADER_BYTES),
    );
    await readFully(file, header, 8);
    const tensors = parseHeader(header);
    const names = Object.keys(tensors);
    const tensor = tensorOf(tensors, names.length === 1 ? names[0]! : name);
    return { path, ...matrixOf(tensor, 8 + header.length, size) };
  } finally {
    await file.close();
  }
}

function matrixOf(tensor: Tensor, start: number, fileBytes: number): Omit<Matrix, 'path'> {
  const [rows, dimension] = tensor.shape;
  if (tensor.shape.length !== 2 || !dimension)
    return refuse(`its shape is ${tensor.shape.join(' x ') || 'one number'}, rows x dimension is wanted`);
  const type = tensor.dtype as NumberType;
  if (!['F32', 'F16', 'BF16'].includes(type))
    return refuse(`its dtype is ${type}, F32, F16 and BF16 are read`);
  const [offset] = dataOf(tensor, { type, start, fileBytes });
  return { type, rows: rows!, dimension, offset };
}

const tensorRecord = z.object({
  dtype: z.string(),
  shape: z.array(z.int().nonnegative()),
  data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
});
type Tensor = z.infer<typeof tensorRecord>;
const tensorRecords = z.record(z.string(), tensorRecord);

/** What the first 8 bytes say. `head` has fewer than 8 when the file has. */
function headerLength(head: Uint8Array, fileBytes: number, most = Number.POSITIVE_INFINITY): number {
  if (head.length < 8) return refuse(`it has ${head.length} bytes`);
  const length = Number(new DataView(head.buffer, head.byteOffset).getBigUint64(0, true));
  if (length > fileBytes - 8) return refuse(`its header claims ${length} bytes of ${fileBytes}`);
  if (length > most) return refuse(`its header has ${length} bytes, ${most} are allowed`);
  return length;
}

function parseHeader(text: Uint8Array): Record<string, Tensor> {
  try {
    const { __metadata__: _, ...tensors } = JSON.parse(new TextDecoder().decode(text));
    return tensorRecords.parse(tensors);
  } catch (cause) {
    return refuse(`its header does not parse (${messageOf(cause).slice(0, 100)})`);
  }
}

function tensorOf(tensors: Record<string, Tensor>, name: string): Tensor {
  const tensor = Object.hasOwn(tensors, name) ? tensors[name] : undefined;
  return (
    tensor ??
    refuse(`it has no "${name}", it holds ${Object.keys(tensors).slice(0, 20).join(', ') || 'nothing'}`)
  );
}

/** Where a tensor's numbers start and end in the file. */
function dataOf(
  { shape, data_offsets: [from, to] }: Tensor,
  { type, start, fileBytes }: { type: NumberType; start: number; fileBytes: number },
): [number, number] {
  const wanted = shape.reduce((product, side) => product * side, 1) * NUMBER_BYTES[type];
  if (to - from === wanted && start + to <= fileBytes) return [start + from, start + to];
  return refuse(
    `${shape.join(' x ')} of ${type} need ${wanted} bytes, ${to - from} are named and ${fileBytes - start} are there`,
  );
}

function refuse(why: string): never {
  throw new LookalikeError('bank_invalid', `not a safetensors file of vectors: ${why}`);
}
