/** How the setup talks, runs other programs and gives up. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, statfsSync } from 'node:fs';

/** What ends the setup, in words for the person who started it. */
export class SetupError extends Error {}

export function say(line) {
  console.log(`trainer setup: ${line}`);
}

/** Runs a program to its end; what it prints is shown when `show` is set, otherwise only when it fails. */
export function run(command, args, { cwd, show = false }) {
  const stdio = show ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe'];
  const done = spawnSync(command, args, { cwd, encoding: 'utf8', stdio, maxBuffer: 2 ** 28 });
  if (done.error) throw new SetupError(`${command} cannot be started: ${done.error.message}`);
  if (done.status === 0) return done.stdout ?? '';
  const printed = `${done.stdout ?? ''}\n${done.stderr ?? ''}`.trim().split('\n').slice(-40).join('\n');
  throw new SetupError(`${command} ${args.join(' ')} failed:\n${printed}`);
}

/** Each of `tools` (a program and an argument that only asks for its version) must start. */
export function needTools(tools) {
  for (const [tool, ...question] of tools)
    if (spawnSync(tool, question, { stdio: 'ignore' }).status !== 0)
      throw new SetupError(`${[tool, ...question].join(' ')} does not work, and it is needed`);
}

/** Refuses to begin what the disk cannot hold. `gigabytes`: the most that is needed at one time. */
export function needSpace(folder, gigabytes) {
  mkdirSync(folder, { recursive: true });
  const { bavail, bsize } = statfsSync(folder);
  const free = (bavail * bsize) / 1e9;
  if (free < gigabytes)
    throw new SetupError(`about ${gigabytes} GB are needed in ${folder}, ${free.toFixed(1)} GB are free`);
}
