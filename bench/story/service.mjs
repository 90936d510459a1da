// The built service and its command line as processes of their own.
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ENVIRONMENT } from '../../scripts/environment.mjs';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const CLI = join(root, 'dist', 'cli.js');
const env = { ...ENVIRONMENT, ...process.env };

/** Runs a command to its end: `{ code, stdout, stderr }`. */
export function cli(...args) {
  const child = spawn(process.execPath, [CLI, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'])
    child[name].setEncoding('utf8').on('data', (text) => {
      output[name] += text;
    });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...output }));
  });
}

/** Serves on a free port; resolves to `{ url, stop }` when it says that it is ready. `args` as of `lookalike serve`. */
export async function serve(args, variables = {}) {
  const child = spawn(process.execPath, [CLI, 'serve', '--port', '0', ...args], {
    env: { ...env, ...variables },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.on('exit', resolve));
  const url = await new Promise((resolve, reject) => {
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
      const found = /^ready: (\S+)$/m.exec(text);
      if (found) resolve(found[1]);
    });
    child.once('exit', (code) => reject(new Error(`the service ended with ${code} before it was ready`)));
  });
  return {
    url,
    pid: child.pid,
    stop() {
      child.kill('SIGTERM');
      return ended;
    },
  };
}
