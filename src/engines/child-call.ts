import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { abortedError } from '../core/check-search.js';
import { workerUrl } from './worker-call.js';

/**
 * One question to a child process of our own, for native code that may crash or hang the process that runs it: a GPU
 * driver, a model file from anywhere. The child answers with one line of JSON and ends.
 */
export interface ChildOptions {
  argument: string; // what the child finds in `process.argv[2]`
  what: string; // 'probe', for messages
  timeoutMs: number;
  env?: NodeJS.ProcessEnv | undefined; // this one's when absent
  signal?: AbortSignal | undefined;
}

/** What a child that gave no report did, in a sentence. */
export interface ChildFailure {
  failure: string;
}

// Drivers print to the standard output of the process too: the report is one marked line.
const MARK = 'lookalike-report:';

/**
 * Runs `<name>.js` and resolves with its report, or with how it failed: a crash, or no answer in time. Rejects with
 * `aborted` only. Its standard error is thrown away.
 */
export function askChild<Report>(name: string, options: ChildOptions): Promise<Report | ChildFailure> {
  const { argument, what, timeoutMs, env, signal } = options;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(abortedError());
    const child = spawn(process.execPath, [fileURLToPath(workerUrl(name)), argument], {
      stdio: ['ignore', 'pipe', 'ignore'],
      ...(env && { env }),
    });
    let output = '';
    let late = false;
    const kill = () => child.kill('SIGKILL');
    const timer = setTimeout(() => {
      late = true;
      kill();
    }, timeoutMs);
    signal?.addEventListener('abort', kill, { once: true });
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.on('error', (error) => resolve({ failure: `the ${what} could not be started: ${error.message}` }));
    child.on('close', (code, ended) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', kill);
      if (signal?.aborted) reject(abortedError());
      else if (late) resolve({ failure: `no answer within ${timeoutMs / 1000} s` });
      else
        resolve(
          reportIn<Report>(output) ?? { failure: `the ${what} ended with ${ended ?? `exit code ${code}`}` },
        );
    });
  });
}

/** The report in the output of a child, or undefined when it ended before it wrote one. */
function reportIn<Report>(output: string): Report | undefined {
  const line = output.split('\n').findLast((text) => text.startsWith(MARK));
  return line === undefined ? undefined : (JSON.parse(line.slice(MARK.length)) as Report);
}

/**
 * The child's side: writes the report and ends at once, since a driver's own threads and exit handlers are no
 * longer of interest and may hang.
 */
export function reportAndEnd(report: object): void {
  const line = `${MARK}${JSON.stringify(report)}\n`;
  process.stdout.write(line, () => process.kill(process.pid, 'SIGKILL'));
}
