#!/usr/bin/env node
// An encoder and its quantised form side by side in onnxruntime: time and CPU time of a run.
//   node bench/encoder-int8.mjs <model folder> <quantised folder> [--sides 112,224] [--rounds 60] [--json]
// The two take turns. On a machine that others use too, the ratio of CPU times with one thread is the steadiest figure.
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import ort from 'onnxruntime-node';
import { readModel } from '../dist/offline.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sides: { type: 'string' },
    rounds: { type: 'string', default: '60' },
    json: { type: 'boolean', default: false },
  },
});
if (positionals.length !== 2) throw new Error('which two model folders?');
const models = await Promise.all(positionals.map((folder) => readModel(folder)));
const { input } = models[0].manifest;
const sides = values.sides?.split(',').map(Number) ?? [input.width];

const open = (folder, threads) =>
  ort.InferenceSession.create(readFileSync(join(folder, 'encoder.onnx')), {
    intraOpNumThreads: threads,
    logSeverityLevel: 3,
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  });
const quantile = (list, q) => [...list].sort((a, b) => a - b)[Math.floor(q * (list.length - 1))];

async function measure(threads, batch, side) {
  const sessions = await Promise.all(positionals.map((folder) => open(folder, threads)));
  const pixels = Float32Array.from({ length: batch * 3 * side * side }, (_, i) => 2 * Math.sin(i * 0.37));
  const feeds = { [input.name]: new ort.Tensor('float32', pixels, [batch, 3, side, side]) };
  const times = sessions.map(() => ({ wall: [], cpu: [] }));
  for (let round = 0; round < Number(values.rounds) + 3; round++)
    for (const [i, session] of sessions.entries()) {
      const [cpu, wall] = [process.cpuUsage(), performance.now()];
      await session.run(feeds);
      const spent = process.cpuUsage(cpu);
      if (round < 3) continue; // warm-up
      times[i].wall.push((performance.now() - wall) / batch);
      times[i].cpu.push((spent.user + spent.system) / 1000 / batch);
    }
  for (const session of sessions) await session.release();
  const both = (pick) => times.map(pick);
  return {
    side,
    threads,
    batch,
    cpu_p50_ms: both(({ cpu }) => quantile(cpu, 0.5)),
    wall_min_ms: both(({ wall }) => quantile(wall, 0)),
    wall_p50_ms: both(({ wall }) => quantile(wall, 0.5)),
  };
}

const rows = [];
for (const side of sides)
  for (const threads of [1, 2]) for (const batch of [1, 8]) rows.push(await measure(threads, batch, side));

if (values.json) console.log(JSON.stringify(rows));
else {
  console.log(
    `${cpus().length} x ${cpus()[0].model}, node ${process.versions.node}, onnxruntime ${ort.env.versions.node}`,
  );
  console.log(`${models.map(({ manifest }) => manifest.name).join(' against ')}; milliseconds a picture`);
  const pair = ([a, b]) => `${a.toFixed(1)} / ${b.toFixed(1)} = ${(a / b).toFixed(2)}`.padEnd(21);
  console.log('side  threads  batch  CPU, median           least time            median time');
  for (const r of rows)
    console.log(
      `${String(r.side).padEnd(6)}${String(r.threads).padEnd(9)}${String(r.batch).padEnd(7)}${[r.cpu_p50_ms, r.wall_min_ms, r.wall_p50_ms].map(pair).join(' ')}`,
    );
}
