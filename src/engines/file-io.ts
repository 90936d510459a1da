import { stat } from 'node:fs/promises';
import type { FileRequest } from './file-io.worker.js';
import { WorkerThread } from './worker-call.js';

/** Large files read, written and hashed off the main thread, several at a time. Whoever opens it closes it. */
export interface FileIo {
  /** Fills `into`, over shared memory, with a file of exactly its size; resolves to the SHA-256, hex. */
  read(path: string, into: Uint8Array): Promise<string>;
  /** The SHA-256 of a file, hex. */
  hash(path: string): Promise<string>;
  /** Writes a new file, fsynced; resolves to the SHA-256, hex. `from` is best over shared memory: else it is copied. */
  write(path: string, from: Uint8Array): Promise<string>;
  /** Refuses what `checkUnitRows` refuses. */
  checkRows(vectors: Float32Array, rows: number, dimension: number): Promise<void>;
  close(): Promise<void>;
}

export async function openFileIo(threads: number): Promise<FileIo> {
  const starting = Array.from({ length: threads }, () =>
    WorkerThread.start<FileRequest, string>('file-io.worker', { data: undefined, what: 'file reader' }),
  );
  const workers = (await Promise.all(starting)).map((thread) => ({ thread, waiting: 0 }));
  const call = async (request: FileRequest, bytes: number) => {
    const worker = workers.reduce((a, b) => (b.waiting < a.waiting ? b : a));
    worker.waiting += bytes;
    try {
      return await worker.thread.call(request);
    } finally {
      worker.waiting -= bytes;
    }
  };
  return {
    read: (path, into) => call({ kind: 'read', path, into }, into.length),
    hash: async (path) => call({ kind: 'hash', path }, (await stat(path)).size),
    write: (path, from) => call({ kind: 'write', path, from }, from.length),
    checkRows: async (vectors, rows, dimension) =>
      void (await call({ kind: 'check', vectors, rows, dimension }, vectors.byteLength)),
    close: async () => void (await Promise.all(workers.map(({ thread }) => thread.close()))),
  };
}
