/** Why the GPU build uses no GPU, or with which CUDA libraries it does. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Installed } from './tensorflow-path.js';

/** What TensorFlow needs, by what has to be installed when it is missing. */
const DRIVER = 'libcuda.so.1';
const CUDA = ['libcudart.so.12', 'libcublas.so.12', 'libcudnn.so.9'];

/** Makes TensorFlow say which libraries it cannot load; `explainCuda` reads it. */
export const CUDA_NOTES = { TF_CPP_MIN_LOG_LEVEL: '0', TF_CPP_VMODULE: 'dso_loader=1' };

/** Lines about the driver and the libraries; `loaded`: paths mapped while it trained, `notes`: what it printed. */
export function explainCuda(
  { path }: Installed,
  { onGpu, loaded, notes }: { onGpu: boolean; loaded: readonly string[]; notes: readonly string[] },
): string[] {
  const nvidia = join(dirname(path), '..', 'deps', 'nvidia');
  const lines = CUDA.map((name) => {
    const mapped = loaded.find((file) => file.includes(`/${name}`));
    if (mapped) return `${name}: loaded from ${mapped}`;
    const found = findLibrary(name, nvidia);
    return found
      ? `${name}: found at ${found}, loaded when there is a device`
      : `${name}: missing; run npm run trainer:setup -- --gpu`;
  });
  return onGpu ? lines : [`no GPU is used: ${reason(notes)}`, ...lines];
}

function reason(notes: readonly string[]): string {
  const missing = [
    ...new Set(notes.flatMap((note) => /Could not load dynamic library '([^']+)'/.exec(note)?.[1] ?? [])),
  ];
  if (missing.includes(DRIVER))
    return `${DRIVER} cannot be loaded: there is no NVIDIA GPU here, or its driver is not installed`;
  if (missing.length > 0) return `${missing.join(', ')} cannot be loaded`;
  const failed = notes.find((note) =>
    /cuInit|no CUDA-capable|Cannot dlopen|Skipping registering GPU/.test(note),
  );
  return failed ? failed.replace(/^.*?\] /, '') : 'TensorFlow found no device; nvidia-smi should list one';
}

/** Where the loader would find a library: the wheels of the setup, LD_LIBRARY_PATH, the system. */
function findLibrary(name: string, nvidia: string): string | null {
  const wheels = existsSync(nvidia) ? readdirSync(nvidia).map((part) => join(nvidia, part, 'lib')) : [];
  const own = (process.env.LD_LIBRARY_PATH ?? '').split(':').filter(Boolean);
  const file = [...wheels, ...own].map((folder) => join(folder, name)).find((path) => existsSync(path));
  if (file) return file;
  const { stdout } = spawnSync('ldconfig', ['-p'], { encoding: 'utf8' });
  const line = stdout?.split('\n').find((entry) => entry.trim().startsWith(`${name} `));
  return line ? line.slice(line.indexOf('=> ') + 3) : null;
}
