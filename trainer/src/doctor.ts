/** `lookalike train doctor`: which engines work here, which not and why, and what to run to mend it. */

import { CUDA_NOTES, explainCuda } from './cuda-check.js';
import { type Answer, askEngine } from './engine-report.js';
import { checkMachine } from './machine-check.js';
import { findPlace, type Installed, PLACES, type Place, TRAINER } from './tensorflow-path.js';

export interface DoctorOptions {
  trainer?: string; // the folder whose engines are looked at; the running one
  folder?: string; // where a training would write; the current one
  timeoutMs?: number; // of one engine
  env?: NodeJS.ProcessEnv; // added to that of the engines' processes
}

export interface Diagnosis {
  lines: string[];
  ok: boolean; // training can run, with the engine that `train` uses by itself
}

/** Small enough for a software GPU, and the real network all the same: every kernel of a training step runs. */
const TRAINING = { width: 0.125, size: 16, batch: 4, dimension: 16 };
const STEPS = 4;

/** Never throws for what it finds. Takes some seconds: every engine that is installed trains a little. */
export async function doctor(options: DoctorOptions = {}): Promise<Diagnosis> {
  const machine = await checkMachine(options.folder ?? process.cwd());
  const engines: EngineFinding[] = [];
  for (const place of PLACES) engines.push(await checkEngine(place, options)); // one at a time: each takes all cores
  // The same order in which `train` looks for it.
  const used = engines.find(({ place, installed }) => place.engine === 'cpu' && installed);
  const verdict = used
    ? `train uses: ${nameOf(used.place)}${used.works ? '' : ', which does not work'}`
    : `train cannot run: run ${PLACES[0]!.setup}`;
  return {
    lines: [
      ...machine.map(({ line }) => line),
      ...engines.flatMap(({ lines }) => lines),
      verdict,
      ...others(engines).map((line) => `  ${line}`),
    ],
    ok: used?.works === true && machine.every(({ ok }) => ok),
  };
}

const nameOf = ({ name, folder }: Place) => (folder === '.' ? name : `${name} (trainer/${folder})`);

interface EngineFinding {
  place: Place;
  installed: boolean;
  works: boolean;
  onGpu: boolean;
  lines: string[];
}

async function checkEngine(place: Place, options: DoctorOptions): Promise<EngineFinding> {
  const { trainer = TRAINER, timeoutMs, env } = options;
  const where = nameOf(place);
  const installed = findPlace(place, trainer);
  const finding = { place, installed: installed !== null, works: false, onGpu: false };
  if (installed === null) {
    const mend = place.folder === '.' ? '' : `; ${place.setup} installs it`;
    return { ...finding, lines: [`${where}: not installed${mend}`] };
  }
  const order = { place: place.name, trainer, settings: TRAINING, steps: STEPS };
  const notes = place.engine === 'gpu' ? CUDA_NOTES : {};
  const answer = await askEngine(order, { env: { ...env, ...notes }, ...(timeoutMs && { timeoutMs }) });
  return { ...finding, ...judge(where, installed, answer) };
}

/** What an engine that is installed can do. */
function judge(
  where: string,
  installed: Installed,
  answer: Answer,
): Pick<EngineFinding, 'works' | 'onGpu' | 'lines'> {
  const { place } = installed;
  if ('failure' in answer) {
    // What a library said last, without its call stack.
    const said = answer.notes.map((note) => note.trim()).filter((note) => !note.startsWith('at '));
    const printed = said.slice(-3).map((note) => `  ${note}`);
    const lines = [`${where}: fails: ${answer.failure}; ${remedy(place, answer.noDevice)}`, ...printed];
    return { works: false, onGpu: false, lines };
  }
  const { library, device, losses, onGpu, cuda, notes } = answer;
  const [first, last] = [losses[0]!, losses.at(-1)!];
  const works = last < first; // false for NaN too
  const course = `loss ${first.toFixed(3)} to ${last.toFixed(3)} in ${losses.length} steps`;
  const lines = [
    `${where}: ${works ? 'works' : 'computes wrongly'} on ${device}, ${library}, ${course}`,
    ...(place.engine === 'gpu' ? explainCuda(installed, { onGpu, loaded: cuda, notes }) : []).map(
      (line) => `  ${line}`,
    ),
    ...(place.engine === 'webgpu' && !onGpu
      ? ['  this adapter is software: right, but slower than the CPU']
      : []),
  ];
  return { works, onGpu, lines };
}

function remedy({ folder, setup }: Place, noDevice = false): string {
  if (noDevice) return "install the GPU's driver (Debian: with libvulkan1), or train with another engine";
  return folder === '.' ? 'reinstall it, or remove it' : `remove trainer/${folder} and run ${setup}`;
}

/** Engines that use a real GPU, and how to choose them. */
function others(engines: readonly EngineFinding[]): string[] {
  const faster = engines.filter(({ works, onGpu }) => works && onGpu);
  return faster.map(({ place }) => `a GPU is ready: train with --engine ${place.engine}`);
}
