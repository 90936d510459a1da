// What every benchmark here shares: sides that take turns, their spread, and the machine they ran on.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, release, totalmem } from 'node:os';
import { setTimeout } from 'node:timers/promises';

export { seeded as randomFrom } from '../dist/core/random.js';

/** Milliseconds that a step took. */
export async function timed(step) {
  const began = performance.now();
  await step();
  return performance.now() - began;
}

export const quantile = (sorted, part) =>
  sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))];

/** Of milliseconds (or any other numbers): least, median, 99th percentile, how many. */
export function spread(samples) {
  const sorted = [...samples].sort((a, b) => a - b);
  return {
    min: sorted[0],
    median: quantile(sorted, 0.5),
    p99: quantile(sorted, 0.99),
    n: sorted.length,
  };
}

/**
 * Runs all sides in turns, so that what the machine does besides meets all of them alike. A side is `{name, once}`;
 * `once(i)` does round i and may return its own milliseconds (a process that times itself), else it is timed here.
 * A turn is `block` rounds, after a pause of `pause` milliseconds: what a side does after its answer (threads that spin on)
 * is not to be the next one's. Warm-up rounds are not counted, nor is the first of a block of several, which finds the
 * processor asleep. Returns `{name: {min, median, p99, n}}`, milliseconds a round.
 */
export async function inTurns(sides, { rounds, warmUp = 3, pause = 0, block = 1 }) {
  const samples = Object.fromEntries(sides.map(({ name }) => [name, []]));
  const skipped = block > 1 ? 1 : 0;
  for (let i = -warmUp; i < rounds; i += block)
    for (const { name, once } of sides) {
      if (pause > 0) await setTimeout(pause);
      for (let at = -skipped; at < block; at++) {
        let own;
        const outside = await timed(async () => {
          own = await once(i + warmUp + Math.max(0, at));
        });
        if (i >= 0 && at >= 0) samples[name].push(typeof own === 'number' ? own : outside);
      }
    }
  return Object.fromEntries(sides.map(({ name }) => [name, spread(samples[name])]));
}

/** Part of the true rows that the lists hold; `truth` has a Set a list. */
export function recallOf(lists, truth) {
  const there = lists.map((rows, i) => Array.from(rows).filter((row) => truth[i].has(row)).length);
  return sum(there) / sum(truth.map(({ size }) => size));
}

const sum = (values) => values.reduce((all, one) => all + one, 0);

/** The least breadth of the list with which `search(ef)` (all lists) finds so much, and what it finds: `{ef, recall}`. */
export async function leastBreadth(breadths, { recall: wanted, truth, search }) {
  let found;
  for (const ef of breadths) {
    found = { ef, recall: recallOf(await search(ef), truth) };
    if (found.recall >= wanted) break;
  }
  return found;
}

/** `step` for each of a list, one after the other. */
export async function inSequence(list, step) {
  const results = [];
  for (const one of list) results.push(await step(one));
  return results;
}

/** One comparison of a row: `value` is of medians unless said otherwise; null `limit` where there is only a figure. */
export function ratio(what, value, limit, { atLeast = false } = {}) {
  const met = limit === null ? null : atLeast ? value >= limit : value <= limit;
  return { what, value, limit, at_least: atLeast, met };
}

/** What the figures depend on. */
export function machine() {
  const flags = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1].split(' ') ?? [];
  const wanted = ['avx2', 'avx512f', 'avx512_vnni', 'avx_vnni'];
  return {
    cpu: cpus()[0].model.trim(),
    cores: cpus().length,
    flags: wanted.filter((flag) => flags.includes(flag)),
    memory_gib: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    date: new Date().toISOString().slice(0, 10),
    versions: versions(),
  };
}

function versions() {
  const require = createRequire(import.meta.url);
  const of = (name) => JSON.parse(readFileSync(packageFile(require, name), 'utf8')).version;
  const names = ['onnxruntime-node', 'hnswlib-node', 'better-sqlite3', 'sharp', 'express'];
  return {
    node: process.versions.node,
    v8: process.versions.v8,
    ...Object.fromEntries(names.map((name) => [name, of(name)])),
  };
}

/** Packages that do not export their package.json have one all the same. */
function packageFile(require, name) {
  const folder = require.resolve.paths(name).find((path) => {
    try {
      readFileSync(`${path}/${name}/package.json`);
      return true;
    } catch {
      return false;
    }
  });
  return `${folder}/${name}/package.json`;
}

/** Normally distributed numbers (Box and Muller 1958). */
export function normalFrom(random) {
  let spare;
  return () => {
    if (spare !== undefined) {
      const next = spare;
      spare = undefined;
      return next;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - random()));
    const angle = 2 * Math.PI * random();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
}
