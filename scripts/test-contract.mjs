#!/usr/bin/env node
// Schemathesis (PyPI) against a live server, driven by openapi.yaml: no 5xx, no answer that differs from the contract.
//   npm run test:contract [-- --examples 30] [--seed 1] [--include /v1/search] [--python python3] [--venv folder] [--no-install]
// The server is the real one on a free port, with the shipped encoder and the demo, in a data folder that is removed
// afterwards. Needs `npm run build`. Exit codes: 0 the contract holds, 1 it does not, 2 there is no Python for it.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { findPython, makePython, NoPythonError } from './python-venv.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { values } = parseArgs({
  options: {
    examples: { type: 'string', default: '30' },
    seed: { type: 'string', default: '1' },
    include: { type: 'string', multiple: true, default: [] },
    python: { type: 'string', default: process.env.LOOKALIKE_PYTHON ?? 'python3' },
    venv: { type: 'string', default: join(tmpdir(), 'lookalike-schemathesis') },
    'no-install': { type: 'boolean', default: false },
  },
});

function pythonWithSchemathesis() {
  const wanted = { python: values.python, folder: values.venv, modules: ['schemathesis'] };
  const found = findPython(wanted);
  if (found) return found;
  if (values['no-install']) throw new NoPythonError(`${values.python} lacks schemathesis`);
  console.error(`installing schemathesis into ${values.venv}`);
  return makePython({ ...wanted, requirements: join(root, 'scripts', 'test-contract-requirements.txt') });
}

const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
];

const ended = (child) => new Promise((resolve) => child.on('exit', (code) => resolve(code ?? 1)));

/** The demo, served in a process of its own from a new data folder; resolves to its address once it is ready. */
async function startServer(dataDir) {
  const child = spawn(
    process.execPath,
    [join(root, 'dist', 'cli.js'), 'serve', '--port', '0', '--data-dir', dataDir],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const url = await new Promise((resolve, reject) => {
    child.stdout.on('data', (line) => {
      const found = /ready: (\S+)/.exec(String(line));
      if (found) resolve(found[1]);
    });
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
  });
  return { child, url };
}

const dataDir = mkdtempSync(join(tmpdir(), 'lookalike-contract-'));
try {
  const python = pythonWithSchemathesis();
  const { child, url } = await startServer(dataDir);
  const args = [
    ...['-m', 'schemathesis.cli', 'run', join(root, 'openapi.yaml'), '--url', url],
    ...['--checks', CHECKS.join(','), '--max-examples', values.examples, '--seed', values.seed],
    ...['--phases', 'examples,coverage,fuzzing', '--request-timeout', '30', '--continue-on-failure'],
    ...values.include.flatMap((path) => ['--include-path', path]),
  ];
  const env = { ...process.env, PYTHONPATH: join(root, 'scripts'), SCHEMATHESIS_HOOKS: 'contract_hooks' };
  const code = await ended(
    spawn(python, args, { cwd: dataDir, env, stdio: ['ignore', 'inherit', 'inherit'] }),
  );
  const alive = child.exitCode === null && (await fetch(`${url}/livez`)).ok;
  child.kill('SIGTERM');
  await ended(child);
  if (!alive) console.error('the server did not survive');
  process.exitCode = code === 0 && alive ? 0 : 1;
} catch (error) {
  console.error(error.message);
  process.exitCode = error instanceof NoPythonError ? 2 : 1;
} finally {
  rmSync(dataDir, { recursive: true, force: true });
}
