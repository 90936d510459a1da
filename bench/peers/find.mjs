// The peers that are installed here.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findPython } from '../../scripts/python-venv.mjs';

const here = dirname(fileURLToPath(import.meta.url));

/** What `npm run bench:setup` makes; LOOKALIKE_PYTHON names another Python that has the packages. */
export const PYTHON = {
  python: process.env.LOOKALIKE_PYTHON ?? 'python3',
  folder: join(here, 'python'),
  modules: ['faiss', 'onnxruntime', 'fastapi', 'uvicorn', 'PIL', 'numpy', 'multipart'],
};

/**
 * `python`: a Python with faiss, onnxruntime and FastAPI; `usearch`: the folder whose node_modules holds usearch. Null
 * where there is none, and then `missing` says what to do.
 */
export function findPeers() {
  const python = findPython(PYTHON);
  const usearch = folderOf('usearch');
  const missing = [
    ...(python ? [] : ['no Python with faiss, onnxruntime and FastAPI: npm run bench:setup installs them']),
    ...(usearch ? [] : ['usearch is not installed: npm ci installs it']),
  ];
  return { python, usearch, missing };
}

/** The folder whose node_modules holds the package, or null. */
function folderOf(name) {
  try {
    const file = createRequire(import.meta.url).resolve(name);
    return file.slice(0, file.lastIndexOf(join('/node_modules', name)));
  } catch {
    return null;
  }
}
