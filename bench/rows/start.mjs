// Row 9: from the start of the process to ready, all checksums read, beside reading the same files once. The files are in the page
// cache for both.
import { createHash } from 'node:crypto';
import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { dataFolder } from '../data-folder.mjs';
import { inTurns, ratio } from '../kit.mjs';
import { startOurs } from '../services.mjs';

const READ = 'reading the files once';

export const row = {
  id: 'start',
  title: 'Start to ready (row 9)',
  needs: ['vectors'],
  async run(context) {
    const { model, rows, graphRows, quick } = context;
    const { folder } = await dataFolder(context, { rows, graph: rows === graphRows });
    const files = [...filesOf(folder), ...filesOf(model)];
    const sides = await inTurns(
      [
        { name: READ, once: () => readAll(files) },
        { name: 'reading and hashing them once', once: () => readAll(files, createHash('sha256')) },
        { name: `start to ready, ${rows} rows`, once: () => ready({ folder, model }) },
      ],
      { rounds: quick ? 2 : 5, warmUp: 1 },
    );
    const looking = await ready({ folder, model }, ['--exact-provider', 'auto']);
    const started = sides[`start to ready, ${rows} rows`].median;
    return {
      sides,
      ratios: [ratio(`to ${READ}`, started / sides[READ].median, 3)],
      facts: {
        rows,
        graph: rows === graphRows,
        mb: files.reduce((sum, file) => sum + statSync(file).size, 0) / 1e6,
        with_a_search_for_gpus_ms: looking,
      },
      notes: ['The files are the whole data folder, database included, and the model.'],
    };
  },
};

const filesOf = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));

function readAll(files, hash) {
  const buffer = Buffer.allocUnsafe(8 * 2 ** 20);
  const began = performance.now();
  for (const file of files) {
    const opened = openSync(file, 'r');
    for (let n = readSync(opened, buffer); n > 0; n = readSync(opened, buffer))
      hash?.update(buffer.subarray(0, n));
    closeSync(opened);
  }
  return performance.now() - began;
}

/** Milliseconds until it said so. */
async function ready(data, more) {
  const began = performance.now();
  const service = await startOurs(data, more);
  const took = performance.now() - began;
  await service.stop();
  return took;
}
