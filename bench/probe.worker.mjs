// Reads bytes and does nothing with them, in as many threads as asked: what any search that reads them all must take.
import { parentPort, workerData } from 'node:worker_threads';

const part = Buffer.from(workerData.buffer, workerData.from, workerData.length);
parentPort.on('message', () => {
  // memchr of the C library: vector loads at the memory's speed. The byte is not there, so it reads to the end.
  parentPort.postMessage(part.indexOf(0x80));
});
