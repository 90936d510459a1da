// The streaming-read probe: how long it takes to read so many bytes once.
import { Worker } from 'node:worker_threads';

/** `read()` resolves when all threads have read their part of `bytes` bytes; `close()` ends them. */
export async function readProbe(bytes, threads) {
  const buffer = new SharedArrayBuffer(bytes);
  new Uint8Array(buffer).fill(1); // memory that nobody wrote is one page of zeros for all of it, and stays in the cache
  const length = Math.floor(bytes / threads);
  const workers = Array.from(
    { length: threads },
    (_, i) =>
      new Worker(new URL('./probe.worker.mjs', import.meta.url), {
        workerData: { buffer, from: i * length, length },
      }),
  );
  const read = () =>
    Promise.all(
      workers.map(
        (worker) =>
          new Promise((resolve) => {
            worker.once('message', resolve);
            worker.postMessage('read');
          }),
      ),
    );
  await read();
  return { read, close: () => Promise.all(workers.map((worker) => worker.terminate())) };
}
