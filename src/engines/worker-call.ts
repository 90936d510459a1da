import { type TransferListItem, Worker } from 'node:worker_threads';
import { abortedError, closedError } from '../core/check-search.js';
import { LookalikeError, messageOf } from '../core/errors.js';
import { fromMessage, type Message } from './worker-serve.js';

export { serveCalls } from './worker-serve.js';

/**
 * Promises over a worker thread, for the engines whose native calls block the thread they run on.
 *
 * A worker answers one request at a time; the others wait here, on the caller's side, so that an aborted
 * one is never sent and messages need no numbers. A worker that dies fails the request it was working on
 * with `internal` and is started again with the same data; what waited goes to the new one.
 */

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

  /**
   * Refuses what waits, lets the request at work end, then ends the thread. There is no quicker way on
   * purpose: a thread that is terminated inside a native addon takes the process with it.
   */
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

  async #start(): Promise<void> {
    const events = {
      message: (message: Message) => this.#receive(message),
      exit: (cause: unknown) => this.#exited(cause),
    };
    this.#starting = startPrepared(this.#name, this.#options, events).then((worker) => {
      this.#worker = worker;
    });
    try {
      await this.#starting;
    } finally {
      this.#starting = undefined;
    }
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

  #exited(cause: unknown): void {
    this.#worker = undefined;
    if (this.#closed) {
      this.#current?.reject(closedError(this.#options.what));
      return;
    }
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

const names = new Map<number, string>();

/** What the workers that run now do, by the kernel's number of their thread; empty where the kernel tells none. */
export const threadNames = (): ReadonlyMap<number, string> => names;

interface WorkerEvents {
  message(message: Message): void;
  exit(cause: unknown): void;
}

function startPrepared(name: string, { data, what }: WorkerOptions, events: WorkerEvents): Promise<Worker> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(workerUrl(name), { workerData: data });
    let prepared = false;
    let thread: number | null = null;
    let cause: unknown;
    // One listener for the thread's whole life: Node stops the channel when the last one is removed, and
    // what was sent in between can be left lying.
    worker.on('message', (message: Message) => {
      if (prepared) events.message(message);
      else if ('error' in message) reject(fromMessage(message.error));
      else {
        prepared = true;
        if ('thread' in message) thread = message.thread ?? null;
        if (thread !== null) names.set(thread, what);
        resolve(worker);
      }
    });
    worker.on('error', (error) => {
      cause = error;
    });
    worker.on('exit', (code) => {
      cause ??= `exit code ${code}`;
      if (thread !== null) names.delete(thread);
      if (prepared) events.exit(cause);
      else
        reject(
          new LookalikeError('internal', `the worker of the ${what} does not start: ${messageOf(cause)}`, {
            cause,
          }),
        );
    });
  });
}
