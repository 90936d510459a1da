// A peer in a process of its own: one JSON line in, one out. It times itself, so that the pipe does not count.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** Starts a peer and hands it `setup`; `ask(request)` resolves to its answer. Rejects with what it wrote when it dies. */
export async function startPeer(command, args, setup) {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk) => {
    said = (said + chunk).slice(-4000);
  });
  const waiting = [];
  createInterface({ input: child.stdout }).on('line', (line) => waiting.shift()?.resolve(JSON.parse(line)));
  child.on('exit', (code) => {
    for (const { reject } of waiting.splice(0)) reject(new Error(`${command} ended (${code}): ${said}`));
  });
  const ask = (request) =>
    new Promise((resolve, reject) => {
      waiting.push({ resolve, reject });
      child.stdin.write(`${JSON.stringify(request)}\n`);
    });
  const opened = await ask(setup);
  return {
    opened,
    ask,
    close: () =>
      new Promise((resolve) => {
        child.on('exit', resolve);
        child.stdin.end();
      }),
  };
}
