#!/usr/bin/env node
// Builds what is stale, then runs the compiled command line: Node 20 strips no types.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ENVIRONMENT } from './environment.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [command, ...rest] = process.argv.slice(2);
const cli = join(root, 'dist', 'cli.js');

/** The newest change below a folder, milliseconds. */
function newest(folder, pattern) {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .reduce((latest, entry) => Math.max(latest, statSync(join(entry.parentPath, entry.name)).mtimeMs), 0);
}

function stale(project, stamp) {
  const built = join(root, stamp);
  return !existsSync(built) || statSync(built).mtimeMs < newest(project, /\.(ts|json)$/);
}

const projects = [
  ['client', 'client/dist/.tsbuildinfo'],
  ['src', 'dist/.tsbuildinfo'],
  ['web', 'dist/web/.tsbuildinfo'],
  ...(command === 'train' ? [['trainer', 'trainer/dist/.tsbuildinfo']] : []),
].filter(([project, stamp]) => stale(project, stamp));

if (projects.length > 0) {
  let compiler;
  try {
    compiler = createRequire(import.meta.url).resolve('typescript/lib/tsc.js');
  } catch {
    console.error('lookalike is not built and the compiler is not installed: run `npm ci` first');
    process.exit(1);
  }
  console.error('building …');
  const build = spawnSync(
    process.execPath,
    [compiler, '-b', ...projects.map(([project]) => join(root, project))],
    {
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  if (build.status !== 0) process.exit(build.status ?? 1);
  // tsc leaves the stamp alone when nothing had to be written.
  for (const [, stamp] of projects) spawnSync('touch', [join(root, stamp)]);
}

const env = { ...(command !== 'train' && ENVIRONMENT), ...process.env };
const child = spawn(process.execPath, [cli, ...(command ? [command] : []), ...rest], {
  stdio: 'inherit',
  env,
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
