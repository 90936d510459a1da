/** The machine that a run is done on: seconds mean nothing without it. */
import { availableParallelism, cpus } from 'node:os';
import { findTensorflow } from '../tensorflow-path.js';

export interface Machine {
  cpu: string;
  cores: number;
  node: string; // version
  tensorflow: string | null; // version of the native library; null: not installed
}

export async function thisMachine(): Promise<Machine> {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    node: process.version.slice(1),
    tensorflow: findTensorflow() === null ? null : await tensorflowVersion(),
  };
}

async function tensorflowVersion(): Promise<string> {
  const { backend } = await import('../native.js');
  // Beyond the part of the binding that a training step needs.
  return (backend.binding as unknown as { TF_Version: string }).TF_Version;
}
