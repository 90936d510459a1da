/** The TensorFlow library out of the PyPI wheel, and where the binding looks for it. */
import { existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { needSpace, say } from './run.mjs';
import { unpackedWheels, unpackWheel } from './wheels.mjs';

/** The two libraries, the C headers and the wheel's description; the rest of it is Python. */
const WANTED = [
  'tensorflow/libtensorflow_(cc|framework)\\.so\\.2$',
  'tensorflow/include/tensorflow/c/.*\\.h$',
  'tensorflow/include/(tensorflow/core|tsl|tensorflow/tsl)/platform/ctstring.*\\.h$',
  'tensorflow/include/(xla|tensorflow/compiler/xla)/tsl/c/.*\\.h$',
  '[^/]+\\.dist-info/METADATA$',
].join('|');

/** Downloads the library into `vendor` when it is not there. */
export function downloadLibrary(vendor, { name, version, size, gigabytes }) {
  const requirement = `${name}==${version}`;
  if (requirement in unpackedWheels(vendor)) return;
  needSpace(vendor, gigabytes);
  say(`downloading the PyPI wheel ${name} ${version} (${size})`);
  unpackWheel(requirement, WANTED, vendor);
}

/**
 * The binding looks for its library under `deps/`; an npm install wipes that folder, so it is made anew. The GPU
 * library looks for CUDA under `../nvidia` of the folder it was opened in, which is `deps/lib`.
 */
export function linkLibrary(vendor, binding) {
  const deps = join(binding, 'deps');
  rmSync(deps, { recursive: true, force: true });
  mkdirSync(join(deps, 'lib'), { recursive: true });
  symlinkSync(join(vendor, 'tensorflow', 'include'), join(deps, 'include'));
  if (existsSync(join(vendor, 'nvidia'))) symlinkSync(join(vendor, 'nvidia'), join(deps, 'nvidia'));
  for (const [part, plain] of [
    ['cc', 'libtensorflow.so'],
    ['framework', 'libtensorflow_framework.so'],
  ]) {
    const file = `libtensorflow_${part}.so.2`;
    symlinkSync(join(vendor, 'tensorflow', file), join(deps, 'lib', file));
    symlinkSync(file, join(deps, 'lib', plain));
  }
}
