/** The command line as a user runs it: a process, what it prints and how it ends. Built by `npm test`. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, expect } from 'vitest';
import { ROOT } from '../fixtures/data.js';

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface CliProcess {
  child: ChildProcess;
  ended: Promise<Ended>;
  /** Waits until a line of either output matches; rejects with what was printed when the process ends first. */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
}

const running = new Set<ChildProcess>();
afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
  running.clear();
});

/** Starts `lookalike <args>`; it is killed when the test ends. */
export function startCli(...args: string[]): CliProcess {
  const child = spawn(process.execPath, [join(ROOT, 'dist/cli.js'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, HOME: process.env.HOME },
  });
  running.add(child);
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name]!.on('data', (chunk) => {
      output[name] += chunk;
    });
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, ...output }));
  });
  const printed = (pattern: RegExp) =>
    new Promise<RegExpExecArray>((resolve, reject) => {
      const look = () => {
        const found = pattern.exec(output.stdout) ?? pattern.exec(output.stderr);
        if (found) resolve(found);
      };
      child.stdout!.on('data', look);
      child.stderr!.on('data', look);
      look();
      void ended.then((end) => reject(new Error(`it ended before ${pattern}: ${JSON.stringify(end)}`)));
    });
  return { child, ended, printed };
}

/** Runs a command to its end. */
export const runCli = (...args: string[]): Promise<Ended> => startCli(...args).ended;

/** One sentence on standard error, nothing on standard output, no stack. */
export function expectRefusal(ended: Ended, code: number, ...parts: string[]): void {
  expect({ code: ended.code, stdout: ended.stdout }).toEqual({ code, stdout: '' });
  for (const part of parts) expect(ended.stderr).toContain(part);
  expect(ended.stderr).not.toMatch(/\n {4}at /);
}

/** The address that a serving process says it is ready at. */
export const readyAt = async (cli: CliProcess): Promise<string> =>
  (await cli.printed(/^ready: (http:\/\/\S+)$/m))[1]!;

/** A JSON answer of the service. */
export async function getJson<T>(url: string, path: string): Promise<T> {
  const response = await fetch(new URL(path, url));
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}
