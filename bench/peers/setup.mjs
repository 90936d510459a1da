#!/usr/bin/env node
// `npm run bench:setup`: a Python with the peers of `npm run bench` that are not Node packages (faiss, onnxruntime, FastAPI), in
// bench/peers/python. 270 MB on disk, downloaded from PyPI once. Exit codes: 0 there, 2 it cannot be made.
import { statfsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makePython, NoPythonError } from '../../scripts/python-venv.mjs';
import { findPeers, PYTHON } from './find.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const NEEDED_GB = 0.6;

try {
  const { python, missing } = findPeers();
  if (python) console.log(`there: ${python}`);
  else install();
  for (const line of missing.filter((line) => line.includes('npm ci'))) console.log(line);
} catch (error) {
  if (!(error instanceof NoPythonError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}

function install() {
  const { bavail, bsize } = statfsSync(here);
  const free = (bavail * bsize) / 1e9;
  if (free < NEEDED_GB) throw new NoPythonError(`${NEEDED_GB} GB of disk are needed in ${here}`);
  const requirements = join(here, 'service-requirements.txt');
  console.log(`installing what ${requirements} names into ${PYTHON.folder} (from PyPI, 270 MB on disk)`);
  console.log(`installed: ${makePython({ ...PYTHON, requirements })}`);
}
