// A Python that has certain packages, for checks and benchmarks against Python: one that is there, or a virtual
// environment that is made once. The service and the trainer need no Python.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** What a script ends with when there is no such Python, in words for the person who started it. */
export class NoPythonError extends Error {}

/**
 * The first of `python` and the environment in `folder` that can import all `modules`, or null.
 * Importing takes a second or more: some modules load large libraries.
 */
export function findPython({ python, folder, modules }) {
  return [python, inside(folder)].find((path) => imports(path, modules)) ?? null;
}

/**
 * Makes the environment in `folder` with what the file `requirements` names, `options` being pip's, and returns its
 * Python. `finish` may complete what was installed. Throws NoPythonError with what Python said.
 */
export function makePython({ python, folder, modules, requirements, options = [], finish = () => {} }) {
  // Debian's python3 lacks the pip that venv would put inside; the pip outside can install into it as well.
  must(python, ['-m', 'venv', '--clear', '--without-pip', folder]);
  must(python, ['-m', 'pip', '--python', folder, 'install', '-q', ...options, '-r', requirements]);
  finish(inside(folder));
  must(inside(folder), ['-c', importing(modules)]);
  return inside(folder);
}

/** Runs a program to its end and returns what it printed. */
export function must(command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status === 0) return stdout;
  const why = error?.message ?? stderr.trim().split('\n').slice(-20).join('\n');
  throw new NoPythonError(`${command} ${args.join(' ')} failed:\n${why}`);
}

const inside = (folder) => join(folder, 'bin', 'python');
const importing = (modules) => `import ${modules.join(', ')}`;

function imports(python, modules) {
  return spawnSync(python, ['-c', importing(modules)], { stdio: 'ignore' }).status === 0;
}
