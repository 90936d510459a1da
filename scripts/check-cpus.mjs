#!/usr/bin/env node
// The exact index on processors that are not at hand, by emulation (Debian's qemu-user): lists must be those of a plain
// scan on CPUs without VNNI, where sums of products of bytes clip in 16 bits, and without AVX. Needs `npm run build`.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { fillPlanes, padPlanes } from '../dist/core/planes.js';
import { scanTopK } from '../dist/core/top-k.js';
import { normaliseRows } from '../dist/core/vector.js';
import { openInt8Session } from '../dist/engines/exact-int8.js';
import { bytesWork, kernelWorks } from '../dist/engines/exact-kernel-probe.js';
import { allocatePlanes, planesIn } from '../dist/engines/exact-memory.js';

const CPUS = ['Haswell', 'Skylake-Client', 'EPYC-Milan', 'Nehalem'];
const QEMU = 'qemu-x86_64';
const BATCH = 32;
const K = 50;

if (process.argv[2] === '--inside') await inside();
else outside();

function outside() {
  const version = spawnSync(QEMU, ['--version'], { encoding: 'utf8' });
  if (version.error) {
    console.error(`${QEMU} is not there (apt-get install qemu-user): nothing was checked`);
    process.exit(3);
  }
  console.log(version.stdout.split('\n')[0]);
  let failed = false;
  for (const cpu of CPUS) {
    const run = spawnSync(QEMU, ['-cpu', cpu, process.execPath, fileURLToPath(import.meta.url), '--inside'], {
      encoding: 'utf8',
    });
    failed ||= run.status !== 0;
    const said = run.stdout.trim() || run.stderr.trim().split('\n').slice(-3).join(' ');
    console.log(`${cpu}: ${run.status === 0 ? 'right' : 'WRONG'} (${said})`);
  }
  process.exit(failed ? 1 : 0);
}

/** Gaussian rows, rows of the largest numbers of both signs, one-hot rows, near ties: each alone and as a batch. */
async function inside() {
  if (!kernelWorks(64)) {
    console.log('no vectors in WebAssembly: the float32 graph answers');
    return;
  }
  const [rows, dimension] = [8400, 64];
  const vectors = new Float32Array(rows * dimension);
  let state = 1;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 8) / 2 ** 24 - 0.5;
  };
  for (let row = 0; row < rows; row++)
    for (let i = 0; i < dimension; i++) {
      const plain = random() + random() + random();
      const extreme = (i ^ row) & 1 ? 1 : -1;
      const made = [plain, extreme, Math.sign(plain), i === row % dimension ? 1 : 0, i + 1 + plain * 1e-6];
      vectors[row * dimension + i] = made[row % made.length];
    }
  normaliseRows(vectors, rows, dimension);
  const planes = allocatePlanes(rows, dimension, 1);
  fillPlanes(planesIn(planes), vectors, { from: 0, to: rows });
  padPlanes(planesIn(planes));
  const session = openInt8Session(planes, { vectors });
  const wide = openInt8Session(planes, { vectors }, { bytes: false });
  const queries = vectors.slice(0, BATCH * dimension);
  const query = (i) => queries.slice(i * dimension, (i + 1) * dimension);
  const batch = await session.search(queries, BATCH, { k: K });
  let wrong = 0;
  for (let i = 0; i < BATCH; i++) {
    const [alone] = await session.search(query(i), 1, { k: K });
    const [widely] = await wide.search(query(i), 1, { k: K });
    const truth = scanTopK({ vectors, rows, dimension }, query(i), { k: K });
    for (const found of [alone, widely, batch[i]])
      if (found.rows.join() !== truth.rows.join() || found.scores.join() !== truth.scores.join()) wrong++;
  }
  const how = session.counts.batches > 0 ? 'batch by onnxruntime' : 'batch by the kernel of single queries';
  const scan = bytesWork(dimension) ? 'scan of bytes' : 'no scan of bytes';
  console.log(
    `${3 * BATCH - wrong} of ${3 * BATCH} lists, ${scan}, ${how}, ${session.counts.scored} vectors read`,
  );
  await session.close();
  await wide.close();
  process.exitCode = wrong === 0 ? 0 : 1;
}
