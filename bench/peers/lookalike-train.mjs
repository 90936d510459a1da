// The trainer's side of bench/trainer-vs-pytorch.mjs: the only file there that calls the trainer.
// Its argument is {settings, pictures, part}: `step` (views lie ready), `whole` (views are made meanwhile) or `verify`.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setImmediate } from 'node:timers/promises';
import { writeCheckpoint } from '../../trainer/dist/checkpoint.js';
import { MEAN, STD } from '../../trainer/dist/config.js';
import { Feed } from '../../trainer/dist/feed.js';
import { createNetwork, embed } from '../../trainer/dist/network.js';
import { drawFor, normals, permutation } from '../../trainer/dist/random.js';
import { createStepper } from '../../trainer/dist/step.js';
import { tf } from '../../trainer/dist/tensorflow.js';
import { createRun, groupsOf } from '../../trainer/dist/train.js';
import { viewParts } from '../../trainer/dist/views.js';

const READY = 4; // batches of the step part, used in turns

const { settings, pictures, part } = JSON.parse(process.argv[2]);
const { batch, size, lr, seed } = settings;
const network = createNetwork(settings);
const run = createRun(settings, network, { pictures, classes: null });
const viewsOfStep = batch * run.objective.views;
const stepper = await createStepper(run);
const closing = [stepper];
const batches = part === 'whole' ? fedBatches() : readyBatches();
let step = 0;

/** Endless batches of views that lie in memory. */
async function* readyBatches() {
  const ready = Array.from({ length: READY }, (_, i) => ({
    parts: [{ side: size, views: normals(drawFor(seed, i), viewsOfStep * size * size * 3) }],
    pictures: permutation(drawFor(seed, i), pictures).slice(0, batch),
    waitedMs: 0,
  }));
  for (let i = 0; ; i++) yield ready[i % READY];
}

/** Endless batches of views that the feed's thread cuts from a pack of random pixels. */
async function* fedBatches() {
  const side = settings.pack;
  const data = new SharedArrayBuffer(pictures * side * side * 3);
  const draw = drawFor(seed);
  const pixels = new Uint8Array(data);
  for (let i = 0; i < pixels.length; i++) pixels[i] = draw() * 256;
  const augmentation = { ...settings, mean: MEAN, std: STD };
  const feed = new Feed(
    { count: pictures, side, data },
    { batch, seed, parts: viewParts(run), augmentation },
  );
  closing.push(feed);
  for (let epoch = 0; ; epoch++) yield* feed.epoch(epoch);
}

async function oneStep() {
  const { value } = await batches.next();
  const loss = await stepper.step(value, { lr, epoch: 0, step: step++ });
  await setImmediate(); // as the training loop does
  return { loss, waitedMs: value.waitedMs };
}

const ORDERS = {
  /** Trains for `seconds` after `warmup` steps that are not counted. */
  async run({ seconds, warmup }) {
    for (let i = 0; i < warmup; i++) await oneStep();
    const began = performance.now();
    const cpuBefore = process.cpuUsage();
    const elapsed = () => (performance.now() - began) / 1000;
    let steps = 0;
    let waited = 0;
    let loss = 0;
    for (; elapsed() < seconds; steps++) {
      const done = await oneStep();
      waited += done.waitedMs / 1000;
      loss = done.loss;
    }
    const took = elapsed();
    const { user, system } = process.cpuUsage(cpuBefore);
    const views = steps * viewsOfStep;
    return { views, loss, seconds: took, cpu_seconds: (user + system) / 1e6, waited: waited / took };
  },

  /** Leaves weights and views in `folder` for the other side, then tells what `steps` steps on them do. */
  async verify({ folder, steps }) {
    const { value } = await batches.next();
    const { views } = value.parts[0];
    writeCheckpoint(join(folder, 'weights.safetensors'), groupsOf(run), {});
    writeFileSync(join(folder, 'views.f32'), views);
    writeFileSync(join(folder, 'pictures.i32'), value.pictures);
    const embeddings = () =>
      tf.tidy(() => [...embed(network, tf.tensor4d(views, [viewsOfStep, size, size, 3]), false).dataSync()]);
    const before = embeddings();
    const losses = [];
    for (let i = 0; i < steps; i++) losses.push(await stepper.step(value, { lr, epoch: 0, step: i }));
    return { before, losses, after: embeddings(), lengths: lengths() };
  },
};

/** Of all kernels and matrices as one vector, and of all other weights: weight decay shows in the first alone. */
function lengths() {
  const squares = [0, 0];
  for (const { rank, values } of [...network.trained.values()].map(valuesOf))
    for (const value of values) squares[rank > 1 ? 0 : 1] += value ** 2;
  return squares.map(Math.sqrt);
}

const valuesOf = (variable) => ({ rank: variable.rank, values: variable.dataSync() });

function hello() {
  const parameters = [...network.trained.values()].reduce((sum, { size }) => sum + size, 0);
  const tensorflow = tf.backend().binding.TF_Version;
  return { parameters, versions: { node: process.versions.node, 'tfjs-core': tf.version_core, tensorflow } };
}

const say = (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`);
say(hello());
for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line);
  say(await ORDERS[order.do](order));
}
await Promise.all(closing.map((part) => part.close()));
