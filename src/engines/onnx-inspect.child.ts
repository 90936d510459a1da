import { readFileSync, writeFileSync } from 'node:fs';
import { chooseInput, chooseOutput } from '../core/encoder-choice.js';
import { LookalikeError, messageOf } from '../core/errors.js';
import type { Inspection, InspectRequest } from '../core/inspection.js';
import { reportAndEnd } from './child-call.js';
import { sha256Of } from './files.js';
import type { InspectReport } from './onnx-inspect.js';
import { externalFiles } from './onnx-model.js';
import { encoderRun, factsOf, openEncoderSession } from './onnx-session.js';
import { tryEncoder } from './onnx-trial.js';

/** The child process of `onnx-inspect.ts`: `node onnx-inspect.child.js <request as JSON>`. */
dieFirst();
await inspect(JSON.parse(process.argv[2]!)).then(
  (passed) => end({ passed }),
  (error) => end({ refused: refusal(error) }),
);

function end(report: InspectReport): void {
  reportAndEnd(report);
}

function refusal(error: unknown): Extract<InspectReport, { refused: object }>['refused'] {
  if (!(error instanceof LookalikeError)) return { code: 'internal', message: messageOf(error) };
  const { code, message, field } = error;
  return { code, message, ...(field !== undefined && { field }) };
}

/** A file can ask for all the memory there is: then this process is to be ended, not the service. Linux only. */
function dieFirst(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', '1000');
  } catch {
    // Elsewhere the time limit is all there is.
  }
}

async function inspect(request: InspectRequest): Promise<Inspection> {
  const { path } = request;
  const bytes = read(path);
  try {
    return await inspectBytes(bytes, request);
  } catch (cause) {
    const field = cause instanceof LookalikeError ? cause.field : undefined;
    const message = `${path} cannot be used as an encoder: ${messageOf(cause)}`;
    throw new LookalikeError('model_invalid', message, { cause, ...(field !== undefined && { field }) });
  }
}

function read(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new LookalikeError('model_missing', `${path} cannot be read: ${messageOf(cause)}`, { cause });
  }
}

async function inspectBytes(bytes: Uint8Array, request: InspectRequest): Promise<Inspection> {
  const { preprocess, threads, pooling = 'none' } = request;
  checkWhole(bytes);
  const session = await openEncoderSession(bytes, { intraOpThreads: threads }).catch((cause) => {
    throw new LookalikeError('model_invalid', `onnxruntime does not load it: ${messageOf(cause)}`, { cause });
  });
  const facts = factsOf(session);
  const input = chooseInput(facts, preprocess.crop);
  const output = { name: chooseOutput(facts, request.output), pooling };
  const { batchFault, ...found } = await tryEncoder(encoderRun(session, { input, output }), preprocess);
  const notes: string[] = [];
  if (batchFault) notes.push(`it is run one picture at a time: ${batchFault}`);
  if (output.name === 'logits')
    notes.push('the output "logits" holds the scores of a classifier, not an embedding');
  return {
    sha256: sha256Of(bytes),
    input: batchFault ? { ...input, batch: 1 } : input,
    output,
    ...found,
    threads,
    notes,
  };
}

function checkWhole(bytes: Uint8Array): void {
  const files = filesOf(bytes);
  if (files.length === 0) return;
  throw new LookalikeError(
    'model_invalid',
    `it keeps numbers in other files (${files.slice(0, 3).join(', ')}): save it as one file, ` +
      'in Python with onnx.save_model(onnx.load(path), new_path, save_as_external_data=False)',
  );
}

function filesOf(bytes: Uint8Array): string[] {
  try {
    return externalFiles(bytes);
  } catch (cause) {
    throw new LookalikeError(
      'model_invalid',
      `it is no ONNX file, or not a whole one (${messageOf(cause)})`,
      {
        cause,
      },
    );
  }
}
