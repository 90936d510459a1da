import { parentPort, type TransferListItem, Worker, workerData } from 'node:worker_threads';
import { abortedError, closedError } from '../core/check-search.js';
import { type ErrorCode, LookalikeError, messageOf } from '../core/errors.js';

/**
 * Promises over a worker thread, for the engines whose native calls block the thread they run on.
 *
 * A worker answers one request at a time; the others wait here, on the caller's side, so that an aborted
 * one is never sent and messages need no numbers. A worker that dies fails the request it was working on
 * with `internal` and is started again with the same data; what waited goes to the new one.
 */

/** An error as it crosses the thread boundary: structured clone would lose our class and its code. */
interface ErrorMessage {
  code: ErrorCode;
  message: string;
  field: string | undefined;
}

type Message = { value: unknown } | { error: ErrorMessage } | { progress: unknown };

interface Call {
  request: unknown;
  transfer: readonly TransferListItem[];
  onProgress: ((progress: never) => void) | undefined;
  resolve(value: unknown): void;
  reject(error: Error): void;
}

export interface CallOptions<Progress> {
  transfer?: readonly TransferListItem[]; // buffers that move to the worker and are empty here afterwards
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
}

export interface WorkerOptions {
  /** What the worker prepares itself from; cloned, shared memory stays shared. Sent again after a crash. */
  data: unknown;
  what: string; // 'embedder', for messages
  onCrash?: ((error: LookalikeError) => void) | undefined;
}

/**
 * Where a compiled worker lies. Node 20 cannot run TypeScript, so workers are always the compiled files:
 * beside this module when it runs compiled itself, in `dist/` when a test runner loads it from `src/`.
 */
export function workerUrl(name: string): URL {
  return new URL(`./${name}.js`, import.meta.url.replace(/\/src\/engines\/([^/]+)$/, '/dist/engines/$1'));
}

export class WorkerThread<Request, Reply> {
  readonly #name: string;
  readonly #options: WorkerOptions;
  readonly #waiting: Call[] = [];
  #current: Call | undefined;
  #worker: Worker | undefined;
  #starting: Promise<void> | undefined;
  #closed = false;

  private constructor(name: string, options: WorkerOptions) {
    this.#name = name;
    this.#options = options;
  }

  /** Starts `<name>.js` and resolves when it is prepared; rejects with what its preparation threw. */
  static async start<Request, Reply>(name: string, options: WorkerOptions) {
    const thread = new WorkerThread<Request, Reply>(name, options);
    await thread.#start();
    return thread;
  }

  /** Sends a request once those before it are answered. Rejects with `aborted`, `not_ready`, or the worker's error. */
  call<Progress = never>(request: Request, options: CallOptions<Progress> = {}): Promise<Reply> {
    const { signal, transfer = [], onProgress } = options;
    if (this.#closed) return Promise.reject(closedError(this.#options.what));
    if (signal?.aborted) return Promise.reject(abortedError());
    const call = { request, transfer, onProgress } as Call;
    const giveUp = () => {
      const at = this.#waiting.indexOf(call);
      if (at >= 0) this.#waiting.splice(at, 1);
      call.reject(abortedError());
    };
    signal?.addEventListener('abort', giveUp, { once: true });
    const answer = new Promise<unknown>((resolve, reject) => {
      call.resolve = resolve;
      call.reject = reject;
    });
    this.#waiting.push(call);
    this.#next();
    return answer.finally(() => signal?.removeEventListener('abort', giveUp)) as Promise<Reply>;
  }

  /** Refuses what waits, lets the request at work end, then ends the thread. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#refuseWaiting(closedError(this.#options.what));
    await this.#starting?.catch(() => {});
    const worker = this.#worker;
    if (!worker) return;
    const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    worker.postMessage('close');
    await exited;
  }

  /** Ends the thread at once; the request at work rejects with `aborted`. */
  async terminate(): Promise<void> {
    this.#closed = true;
    this.#refuseWaiting(abortedError());
    this.#current?.reject(abortedError());
    await this.#worker?.terminate();
  }

  async #start(): Promise<void> {
    this.#starting = startPrepared(this.#name, this.#options).then((worker) => this.#adopt(worker));
    try {
      await this.#starting;
    } finally {
      this.#starting = undefined;
    }
  }

  #adopt(worker: Worker): void {
    let cause: unknown;
    worker.on('message', (message: Message) => this.#receive(message));
    worker.on('error', (error) => {
      cause = error;
    });
    worker.on('exit', (code) => {
      this.#worker = undefined;
      if (this.#closed) this.#current?.reject(closedError(this.#options.what));
      else this.#crashed(cause ?? `exit code ${code}`);
    });
    this.#worker = worker;
  }

  #receive(message: Message): void {
    const call = this.#current;
    if (!call) return;
    if ('progress' in message) {
      call.onProgress?.(message.progress as never);
      return;
    }
    this.#current = undefined;
    if ('error' in message) call.reject(fromMessage(message.error));
    else call.resolve(message.value);
    this.#next();
  }

  #crashed(cause: unknown): void {
    const text = `the worker of the ${this.#options.what} stopped (${messageOf(cause)}) and is started again`;
    const error = new LookalikeError('internal', text, { cause });
    this.#current?.reject(error);
    this.#current = undefined;
    this.#options.onCrash?.(error);
    this.#restart();
  }

  // Tried once after a crash and again with the next call, never in a loop.
  #restart(): void {
    this.#start().then(
      () => this.#next(),
      (error) => this.#refuseWaiting(error),
    );
  }

  #next(): void {
    if (this.#current || this.#starting || this.#waiting.length === 0) return;
    if (!this.#worker) {
      this.#restart();
      return;
    }
    const call = this.#waiting.shift()!;
    try {
      this.#worker.postMessage(call.request, call.transfer);
      this.#current = call;
    } catch (cause) {
      call.reject(
        new LookalikeError('internal', `the request cannot be sent: ${messageOf(cause)}`, { cause }),
      );
      this.#next();
    }
  }

  #refuseWaiting(error: Error): void {
    for (const call of this.#waiting.splice(0)) call.reject(error);
  }
}

function startPrepared(name: string, { data, what }: WorkerOptions): Promise<Worker> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(workerUrl(name), { workerData: data });
    const failed = (cause: unknown) =>
      reject(
        new LookalikeError('internal', `the worker of the ${what} does not start: ${messageOf(cause)}`, {
          cause,
        }),
      );
    const exited = (code: number) => failed(`exit code ${code}`);
    worker.once('error', failed);
    worker.once('exit', exited);
    worker.once('message', (first: Message) => {
      // Only our own: removeAllListeners would take Node's too, and the port would never deliver again.
      worker.off('error', failed).off('exit', exited);
      if ('error' in first) reject(fromMessage(first.error));
      else resolve(worker);
    });
  });
}

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
    port.postMessage({ value: 'ready' });
  } catch (error) {
    port.postMessage({ error: toMessage(error) });
    port.close();
  }
}

const toMessage = (error: unknown): ErrorMessage =>
  error instanceof LookalikeError
    ? { code: error.code, message: error.message, field: error.field }
    : { code: 'internal', message: messageOf(error), field: undefined };

const fromMessage = ({ code, message, field }: ErrorMessage): LookalikeError =>
  new LookalikeError(code, message, field === undefined ? {} : { field });
