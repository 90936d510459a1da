/** Asks an engine, in a process of its own, to train a little; `doctor.ts` and `bench/trainer-engines.mjs` tell the answer. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { TRAINER } from './tensorflow-path.js';

/** What to train: the real network on random pictures. */
export interface ProbeOrder {
  place: string; // a name of PLACES
  trainer: string; // the folder in which it is looked for
  settings: Readonly<Record<string, unknown>>; // as in a recipe
  steps: number; // on the same batch: the loss has to fall
  gradients?: string; // a file for all gradients at the start, float32
}

export interface TrainingReport {
  library: string;
  device: string;
  onGpu: boolean;
  losses: number[]; // by step
  milliseconds: number[];
  cuda: string[]; // paths of the CUDA libraries that were loaded
}

/** `noDevice`: the engine is as it should be, but finds nothing to compute on. */
export type ProbeReport = TrainingReport | { failure: string; noDevice?: boolean };

/** `notes`: what the libraries printed meanwhile. */
export type Answer = ProbeReport & { notes: string[] };

const TIMEOUT_MS = 180_000; // a software GPU compiles its shaders slowly

/** Never rejects for what the engine does: a crash, a hang and a missing library are answers. */
export function askEngine(
  order: ProbeOrder,
  { timeoutMs = TIMEOUT_MS, env = {} }: { timeoutMs?: number; env?: NodeJS.ProcessEnv } = {},
): Promise<Answer> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [probeFile(), JSON.stringify(order)], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    let [output, notes] = ['', ''];
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, timeoutMs);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      notes += text;
    });
    const settle = (report: ProbeReport) => {
      clearTimeout(timer);
      resolve({ ...report, notes: notes.split('\n').filter(Boolean) });
    };
    child.on('error', (error) => settle({ failure: `no process could be started: ${error.message}` }));
    child.on('close', (code, signal) => {
      if (late) settle({ failure: `no answer within ${timeoutMs / 1000} s` });
      else
        settle(readReport(output) ?? { failure: `its process ended with ${signal ?? `exit code ${code}`}` });
    });
  });
}

/** The compiled child, also when this file runs from its source in a test. */
function probeFile(): string {
  return fileURLToPath(new URL('dist/engine-probe.js', `file://${TRAINER}`));
}

function readReport(output: string): ProbeReport | null {
  try {
    return JSON.parse(output.trim().split('\n').at(-1) ?? '') as ProbeReport;
  } catch {
    return null;
  }
}
