/** CUDA from PyPI: the `nvidia-*` wheels that the TensorFlow wheel names as its extra `and-cuda`. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { needSpace, SetupError, say } from './run.mjs';
import { unpackedWheels, unpackWheel } from './wheels.mjs';

/** Measured with TensorFlow 2.21.0; newer wheels of the same ranges may differ. */
const SIZES = { download: 'about 2.8 GB', disk: '4.4 GB', gigabytes: 6 };

/** Libraries, programs and device code; no headers, no static libraries. */
const WANTED = 'nvidia/(?!.*(/include/|\\.a$|\\.h$))';

/** The requirements, as pip writes them, that the wheel unpacked into `vendor` has and that are not unpacked. */
export function missingCuda(vendor) {
  const folder = readdirSync(vendor).find((name) => name.endsWith('.dist-info'));
  if (!folder) throw new SetupError(`${vendor} lacks the description of its wheel: remove it, run again`);
  const description = readFileSync(join(vendor, folder, 'METADATA'), 'utf8');
  const lines = [...description.matchAll(/^Requires-Dist: (nvidia-[^;]+?)\s*;.*extra == ['"]and-cuda['"]/gm)];
  if (lines.length === 0) throw new SetupError(`${folder} names no nvidia wheels under and-cuda`);
  const unpacked = unpackedWheels(vendor);
  return lines.map(([, requirement]) => requirement).filter((requirement) => !(requirement in unpacked));
}

export function downloadCuda(vendor) {
  const missing = missingCuda(vendor);
  if (missing.length === 0) return;
  needSpace(vendor, SIZES.gigabytes);
  say(
    `downloading ${missing.length} CUDA wheels from PyPI (in all ${SIZES.download}, ${SIZES.disk} on disk)`,
  );
  say('--no-cuda leaves them out, for machines with CUDA 12 and cuDNN 9');
  for (const requirement of missing) unpackWheel(requirement, WANTED, vendor);
}
