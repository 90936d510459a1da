import { readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { parentPort, type TransferListItem, workerData } from 'node:worker_threads';
import { type ErrorCode, LookalikeError, messageOf } from '../core/errors.js';

/** The worker's side of `worker-call.ts`, and the messages between the two. */

/** An error as it crosses the thread boundary: structured clone would lose our class and its code. */
interface ErrorMessage {
  code: ErrorCode;
  message: string;
  field: string | undefined;
}

/** What a worker sends: once that it is prepared (or why not) and which thread it is, then progress and answers. */
export type Message =
  | { value: unknown; thread?: number | null }
  | { error: ErrorMessage }
  | { progress: unknown };

/** What a worker answers with; the buffers in `transfer` move to the caller. */
export interface Answer<Reply> {
  value: Reply;
  transfer?: readonly TransferListItem[];
}

/**
 * The worker's side: prepares itself from the caller's data once, then answers request after request
 * until it is told to close. `report` sends progress of the request at work.
 */
export async function serveCalls<Data, Request, Reply>(
  prepare: (
    data: Data,
  ) => Promise<
    (request: Request, report: (progress: unknown) => void) => Promise<Answer<Reply>> | Answer<Reply>
  >,
): Promise<void> {
  const port = parentPort!;
  const report = (progress: unknown) => port.postMessage({ progress });
  try {
    const handle = await prepare(workerData as Data);
    const answer = async (message: Request | 'close') => {
      if (message === 'close') return port.close();
      try {
        const { value, transfer = [] } = await handle(message as Request, report);
        port.postMessage({ value }, transfer);
      } catch (error) {
        port.postMessage({ error: toMessage(error) });
      }
    };
    // One after the other: `close` must not overtake the request at work.
    let last = Promise.resolve();
    port.on('message', (message: Request | 'close') => {
      last = last.then(() => answer(message));
    });
    port.postMessage({ value: 'ready', thread: kernelThread() });
  } catch (error) {
    port.postMessage({ error: toMessage(error) });
    port.close();
  }
}

/** The kernel's number of this thread, `<pid>/task/<number>` in /proc; null where there is no such thing. */
function kernelThread(): number | null {
  try {
    return Number(basename(readlinkSync('/proc/thread-self')));
  } catch {
    return null;
  }
}

const toMessage = (error: unknown): ErrorMessage =>
  error instanceof LookalikeError
    ? { code: error.code, message: error.message, field: error.field }
    : { code: 'internal', message: messageOf(error), field: undefined };

export const fromMessage = ({ code, message, field }: ErrorMessage): LookalikeError =>
  new LookalikeError(code, message, field === undefined ? {} : { field });
