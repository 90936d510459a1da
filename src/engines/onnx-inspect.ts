import { type ErrorCode, LookalikeError } from '../core/errors.js';
import type { Inspection, InspectRequest } from '../core/inspection.js';
import { askChild } from './child-call.js';

/**
 * Tries an encoder that comes from outside. A broken or hostile file can crash or hang onnxruntime, so that happens
 * in a child process with a time limit.
 */
export interface InspectOptions extends Omit<InspectRequest, 'path' | 'threads'> {
  threads?: number; // 1 when absent
  timeoutMs?: number; // of the whole inspection, 120 s when absent
  signal?: AbortSignal | undefined;
}

/** What the child reports. */
export type InspectReport =
  | { passed: Inspection }
  | { refused: { code: ErrorCode; message: string; field?: string } };

/**
 * Opens the ONNX file at `path`, runs it on pictures made here, prepared as `preprocess` says, and checks: one float32
 * picture in and one finite vector of 16 to 2,048 numbers a picture out, the same for the same picture and another for
 * another one, a batch equal to its pictures alone (an encoder that fails this is run one picture at a time).
 * Rejects with `model_invalid`, which says what was found and what is needed, `model_missing` and `aborted`.
 */
export async function inspectModel(path: string, options: InspectOptions): Promise<Inspection> {
  const { preprocess, output, pooling, threads = 1, timeoutMs = 120_000, signal } = options;
  const request: InspectRequest = { path, preprocess, output, pooling, threads };
  const report = await askChild<InspectReport>('onnx-inspect.child', {
    argument: JSON.stringify(request),
    what: 'inspection',
    timeoutMs,
    signal,
  });
  if ('passed' in report) return report.passed;
  if ('failure' in report)
    throw new LookalikeError(
      'model_invalid',
      `${path} cannot be used: ${report.failure} while it was tried out`,
    );
  const { code, message, field } = report.refused;
  throw new LookalikeError(code, message, field === undefined ? {} : { field });
}
