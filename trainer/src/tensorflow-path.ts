/**
 * Which engine computes, and where it is installed. Apart from `tensorflow.ts`, so that asking does not load it: the
 * choice has to be made before that file is imported.
 */
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LookalikeError } from '../../dist/offline.js';

/** `cpu`, `gpu` (NVIDIA, CUDA): a native TensorFlow; `webgpu`: any GPU with a Vulkan, Metal or D3D12 driver. */
export const ENGINES = ['cpu', 'gpu', 'webgpu'] as const;
export type EngineName = (typeof ENGINES)[number];

/** Where an engine may be installed. */
export interface Place {
  name: string;
  engine: EngineName;
  folder: string; // below the trainer's; its node_modules, or those of a folder above it
  packages: readonly string[]; // all that it needs; the first one is loaded
  setup: string; // the command that installs it
}

const SETUP = { cpu: 'npm run trainer:setup', gpu: 'npm run trainer:setup -- --gpu' } as const;
const native = (name: string, engine: 'cpu' | 'gpu', folder: string): Place => ({
  name,
  engine,
  folder,
  packages: [engine === 'cpu' ? '@tensorflow/tfjs-node' : '@tensorflow/tfjs-node-gpu'],
  setup: SETUP[engine],
});

/** For each engine an official installation first, then the one that `npm run trainer:setup` makes. */
export const PLACES: readonly Place[] = [
  native('official tfjs-node', 'cpu', '.'),
  native('own build', 'cpu', 'native'),
  native('official tfjs-node-gpu', 'gpu', '.'),
  native('own GPU build', 'gpu', 'native-gpu'),
  {
    name: 'WebGPU',
    engine: 'webgpu',
    folder: 'native-webgpu',
    packages: ['@tensorflow/tfjs', '@tensorflow/tfjs-backend-webgpu', 'webgpu'],
    setup: 'npm run trainer:setup -- --webgpu',
  },
];

/** The trainer's own folder: the same from `src/` and from `dist/`. */
export const TRAINER = fileURLToPath(new URL('../', import.meta.url));

/** An engine that is installed. Says nothing about whether its library loads. */
export interface Installed {
  place: Place;
  require: NodeJS.Require; // resolves its packages
  path: string; // of the module to load
}

/** What is installed in `place` of the trainer's folder, or null. A package without its library does not count. */
export function findPlace(place: Place, trainer = TRAINER): Installed | null {
  const require = createRequire(join(trainer, place.folder, 'package.json'));
  try {
    const paths = place.packages.map((name) => require.resolve(name));
    if (place.engine !== 'webgpu' && !hasBinding(dirname(dirname(paths[0]!)))) return null;
    return { place, require, path: paths[0]! };
  } catch {
    return null;
  }
}

/** An npm install without install scripts, or one whose download was blocked, leaves no `lib/napi-v8/`. */
function hasBinding(folder: string): boolean {
  const lib = join(folder, 'lib');
  if (!existsSync(lib)) return false;
  return readdirSync(lib).some((name) => existsSync(join(lib, name, 'tfjs_binding.node')));
}

/** The places that are looked at: those of the CPU until something else is chosen. */
let candidates = placesOf('cpu');
let trainerFolder = TRAINER;

export function placesOf(engine: EngineName): readonly Place[] {
  return PLACES.filter((place) => place.engine === engine);
}

/**
 * Chooses what `tensorflow.ts` will load. Throws `invalid_setting` for a name that is none of `ENGINES`, and
 * `provider_unavailable`, with the command that mends it, when that engine is not installed.
 */
export function chooseEngine(name: string): void {
  const engine = ENGINES.find((known) => known === name);
  if (engine === undefined)
    throw new LookalikeError('invalid_setting', `engine is ${name}, ${ENGINES.join(', ')} are allowed`);
  const places = placesOf(engine);
  if (places.every((place) => findPlace(place, trainerFolder) === null)) throw notInstalled(places);
  candidates = places;
}

/** Chooses one place of one trainer folder, to try what it can do. */
export function choosePlace(place: Place, trainer: string): void {
  candidates = [place];
  trainerFolder = trainer;
}

/** The first place of the chosen engine that is installed, or null. */
export function findEngine(): Installed | null {
  for (const place of candidates) {
    const found = findPlace(place, trainerFolder);
    if (found) return found;
  }
  return null;
}

/** The path of the chosen engine's module, or null. Says nothing about whether its library loads. */
export function findTensorflow(): string | null {
  return findEngine()?.path ?? null;
}

export function notInstalled(places = candidates): LookalikeError {
  const { engine, setup } = places[0]!;
  const what = engine === 'cpu' ? 'TensorFlow' : `the engine ${engine}`;
  return new LookalikeError('provider_unavailable', `${what} is not installed: run ${setup}`);
}
