/** The machine that a run is done on: seconds mean nothing without it. */
import { availableParallelism, cpus } from 'node:os';
import { findTensorflow } from './tensorflow-path.js';

export interface Machine {
  cpu: string;
  cores: number;
  node: string; // version
  library: string | null; // what computes and its version; null: not installed
}

export async function thisMachine(): Promise<Machine> {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    node: process.version.slice(1),
    library: findTensorflow() === null ? null : (await import('./tensorflow.js')).engine.library,
  };
}
