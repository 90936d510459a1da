import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The trainer is a workspace of its own that the service never imports: it runs as a child process. */
const TRAINER = fileURLToPath(new URL('../../trainer/dist/main.js', import.meta.url));

/** Hands every argument on; resolves to the trainer's exit code. It gets the terminal's signals itself. */
export function train(args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [TRAINER, ...args], { stdio: 'inherit' });
  const forward = (signal: NodeJS.Signals) => child.kill(signal);
  process.on('SIGTERM', forward);
  process.on('SIGINT', forward);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 1));
  });
}
