#!/usr/bin/env node
// The trainer's speed against PyTorch's on the same network, recipe and cores, in turns on the same machine.
//   node bench/trainer-vs-pytorch.mjs [--settings x0.25-32,x0.5-64,x1-32] [--part step,whole] [--rounds 5] [--seconds 20]
//        [--warmup 4] [--cores n] [--set name=value …] [--python path | --venv folder] [--json file] [--write file.md]
//   node bench/trainer-vs-pytorch.mjs --verify        the same weights give the same vectors, losses and next weights
// Part `step`: views lie ready in memory. Part `whole`: views are made meanwhile, by the trainer's feed here, by a
// DataLoader with one worker and torchvision there. `--set` changes a setting of the trainer alone.
// Needs `npm run build`, `npm run trainer:setup`, and for PyTorch a virtual environment (850 MB to download, once).
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { findPython, makePython, must } from '../scripts/python-venv.mjs';
import { MEAN, parseSetting, resolveSettings, STD } from '../trainer/dist/config.js';
import { startPeer } from './peers/peer.mjs';
import { speedPage } from './peers/speed-page.mjs';

const MEMORY_BANK = {
  objective: 'memory-bank',
  head: 'linear',
  size: 32,
  pack: 32,
  lr: 0.03,
  flip: 0,
  jitter: 1,
  hue: 0.4,
};
const TWO_VIEW = { objective: 'two-view', head: 'mlp', size: 64, pack: 96, lr: 0.06 };
/** `goal`: the least ratio to PyTorch that is wanted. */
const CASES = {
  'x0.25-32': { goal: 0.75, pictures: 50_000, settings: { ...MEMORY_BANK, width: 0.25 } },
  'x0.5-64': { goal: 0.9, pictures: 10_000, settings: { ...TWO_VIEW, width: 0.5 } },
  'x1-32': { goal: 0.9, pictures: 50_000, settings: { ...MEMORY_BANK, width: 1 } },
};
/**
 * Every stem, both heads, both objectives. Small steps, because after large ones the two differ by rounding alone (the
 * difference grows with the rate); the decay is as much larger, so that it still shows in the weights.
 */
const CAREFUL = { lr: 3e-4, weight_decay: 0.5 };
const VERIFIED = [
  { pictures: 64, settings: { ...MEMORY_BANK, width: 0.25, batch: 32, ...CAREFUL } },
  { pictures: 64, settings: { ...TWO_VIEW, width: 0.5, batch: 16, ...CAREFUL } },
  { pictures: 64, settings: { ...TWO_VIEW, width: 0.25, size: 160, batch: 8, ...CAREFUL } },
];
const VERIFIED_STEPS = 3;
/** Most that a number of an embedding, a loss (relative) and the length of all weights (relative) may differ. */
const TOLERANCE = { before: 1e-4, losses: 1e-5, after: 1e-4, lengths: 1e-6 };
/** Seconds in which the one side's threads come to rest before it is the other's turn. */
const REST = 1.5;
const MODULES = ['torch', 'torchvision', 'numpy', 'safetensors'];

const here = dirname(fileURLToPath(import.meta.url));
const peers = join(here, 'peers');
const { values } = parseArgs({
  options: {
    settings: { type: 'string', default: Object.keys(CASES).join(',') },
    part: { type: 'string', default: 'step,whole' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '20' },
    warmup: { type: 'string', default: '4' },
    cores: { type: 'string', default: String(availableParallelism()) },
    set: { type: 'string', multiple: true, default: [] },
    python: { type: 'string', default: 'python3' },
    venv: { type: 'string', default: join(tmpdir(), 'lookalike-pytorch') },
    json: { type: 'string' },
    write: { type: 'string' },
    verify: { type: 'boolean', default: false },
  },
});
const [rounds, seconds, warmup, cores] = ['rounds', 'seconds', 'warmup', 'cores'].map((name) =>
  Number(values[name]),
);

function pythonWithTorch() {
  const wanted = { python: values.python, folder: values.venv, modules: MODULES };
  const found = findPython(wanted);
  if (found) return found;
  console.error(`${values.python} lacks ${MODULES.join(', ')}; installing them into ${values.venv}`);
  return makePython({
    ...wanted,
    requirements: join(peers, 'pytorch-requirements.txt'),
    options: ['--no-deps'],
    finish: (python) => must(python, [join(peers, 'pytorch_cpu_only.py')]),
  });
}

/** Both sides of a case, ready; they have the same number of parameters. */
async function startBoth(python, { settings, pictures }, part) {
  const common = resolveSettings(settings);
  const ours = { settings: resolveSettings(common, ownSettings()), pictures, part };
  const theirs = { settings: common, pictures, part, cores, mean: MEAN, std: STD };
  const start = (command, file, spec) =>
    startPeer([...command, join(peers, file), JSON.stringify(spec)], { cores });
  const lookalike = await start([process.execPath], 'lookalike-train.mjs', ours);
  const pytorch = await start([python, '-B'], 'pytorch_train.py', theirs); // -B: leave no compiled files here
  const [here, there] = [lookalike, pytorch].map(({ hello }) => hello.parameters);
  if (here !== there) throw new Error(`not the same network: ${here} parameters here, ${there} in PyTorch`);
  return { lookalike, pytorch };
}

/** What `--set` says, e.g. `decoupled=true`. */
function ownSettings() {
  const pairs = values.set.map((text) => text.split('='));
  return Object.fromEntries(pairs.map(([name, text]) => [name, parseSetting(name, text)]));
}

/** The words of an option that lists some of `allowed`. */
function listed(option, allowed) {
  const words = values[option].split(',');
  const wrong = words.find((word) => !allowed.includes(word));
  if (wrong === undefined) return words;
  throw new Error(`--${option} names ${wrong}; there are ${allowed.join(', ')}`);
}

const closeBoth = (sides) => Promise.all(Object.values(sides).map((side) => side.close()));
const median = (list) => {
  const sorted = list.toSorted((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
};
const spread = (list) => ({ median: median(list), least: Math.min(...list), most: Math.max(...list) });

/** Blocks in turns; who begins changes with the round, so that neither gains by a machine that warms up. */
async function takeTurns(sides, title) {
  const blocks = { lookalike: [], pytorch: [] };
  for (let round = 0; round < rounds; round++) {
    const order = Object.keys(sides);
    for (const side of round % 2 === 0 ? order : order.reverse()) {
      const block = await sides[side].ask({ do: 'run', seconds, warmup });
      if (!Number.isFinite(block.loss)) throw new Error(`the loss of ${side} became ${block.loss}`);
      blocks[side].push(block);
      console.error(`${title} ${round + 1}/${rounds} ${side}: ${rateOf(block).toFixed(0)} views/s`);
      await setTimeout(REST * 1000);
    }
  }
  return blocks;
}

const rateOf = ({ views, seconds: took }) => views / took;
const cpuRateOf = ({ views, cpu_seconds: took }) => views / took;
const summary = (blocks) => ({
  views_per_second: spread(blocks.map(rateOf)),
  waited: median(blocks.map(({ waited }) => waited)),
  cpu_share: median(blocks.map(({ cpu_seconds, seconds: took }) => cpu_seconds / took / cores)),
  blocks,
});

async function measure(python, name, part) {
  const load = loadavg()[0];
  const sides = await startBoth(python, CASES[name], part);
  const blocks = await takeTurns(sides, `${name} ${part}`);
  await closeBoth(sides);
  const ratios = (rate) => blocks.lookalike.map((block, i) => rate(block) / rate(blocks.pytorch[i]));
  return {
    name,
    part,
    load_before: load,
    ...CASES[name],
    parameters: sides.pytorch.hello.parameters,
    versions: { ...sides.lookalike.hello.versions, ...sides.pytorch.hello.versions },
    lookalike: summary(blocks.lookalike),
    pytorch: summary(blocks.pytorch),
    ratio: spread(ratios(rateOf)),
    cpu_ratio: part === 'step' ? spread(ratios(cpuRateOf)) : null, // a worker process is not counted
  };
}

/** Largest differences between the two sides; `losses` relative. */
async function verify(python, chosen) {
  const folder = mkdtempSync(join(tmpdir(), 'lookalike-verify-'));
  try {
    const sides = await startBoth(python, chosen, 'verify');
    const order = { do: 'verify', folder, steps: VERIFIED_STEPS };
    const ours = await sides.lookalike.ask(order); // writes what the other reads
    const theirs = await sides.pytorch.ask(order);
    await closeBoth(sides);
    const apart = (a, b, what) =>
      Math.abs(a - b) / (what === 'losses' || what === 'lengths' ? Math.abs(a) : 1);
    const largest = (what) => Math.max(...ours[what].map((value, i) => apart(value, theirs[what][i], what)));
    const difference = Object.fromEntries(Object.keys(TOLERANCE).map((what) => [what, largest(what)]));
    return { ...chosen, parameters: sides.pytorch.hello.parameters, losses: ours.losses, difference };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function verifyAll(python) {
  let good = true;
  for (const chosen of VERIFIED) {
    const { settings, parameters, losses, difference } = await verify(python, chosen);
    const holds = Object.entries(TOLERANCE).every(([what, most]) => difference[what] <= most);
    good &&= holds;
    const figures = Object.entries(difference).map(([what, value]) => `${what} ${value.toExponential(1)}`);
    console.log(
      `${holds ? 'ok   ' : 'FAIL '} x${settings.width}, ${settings.size} px, ${settings.objective}, ${settings.head}: ` +
        `${parameters} parameters, losses ${losses.map((loss) => loss.toFixed(4)).join(', ')}; differences: ${figures.join(', ')}`,
    );
  }
  return good;
}

function machine() {
  const { stdout } = spawnSync('git', ['rev-parse', 'HEAD'], { cwd: here, encoding: 'utf8' });
  const about = `${cpus().length} x ${cpus()[0].model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB`;
  return { machine: about, cores, date: new Date().toISOString().slice(0, 10), git_revision: stdout.trim() };
}

async function main() {
  const names = listed('settings', Object.keys(CASES));
  const parts = listed('part', ['step', 'whole']);
  const python = pythonWithTorch();
  if (values.verify) return (await verifyAll(python)) ? 0 : 1;
  const results = [];
  for (const name of names) for (const part of parts) results.push(await measure(python, name, part));
  const result = { ...machine(), rounds, seconds, warmup, set: values.set, results };
  const text = speedPage(result);
  console.log(text);
  if (values.json) writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`);
  if (values.write) writeFileSync(values.write, text);
  return 0;
}

process.exitCode = await main();
