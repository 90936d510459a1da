// A trainer in a process of its own that works when it is told to: one line of JSON in, one line of JSON out.
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';

/** Starts it on the first `cores` cores; `hello` is what it says of itself. Whoever starts it closes it. */
export async function startPeer(command, { cores }) {
  const pinned = cores < availableParallelism() ? ['taskset', '-c', `0-${cores - 1}`] : [];
  const [program, ...args] = [...pinned, ...command];
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise((done, failed) => child.on('close', done).on('error', failed));
  ended.catch(() => {}); // told where an answer is missing, or on closing
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`${command.slice(0, 2).join(' ')} ended with ${await ended}`);
    return JSON.parse(value);
  };
  return {
    hello: await answer(),
    ask(order) {
      child.stdin.write(`${JSON.stringify(order)}\n`);
      return answer();
    },
    async close() {
      child.stdin.end();
      await ended;
    },
  };
}
