// The encoder in 8-bit integers, made once for all rows.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Its folder, beside the row's own scratch folder; made by `lookalike quantise` when it is not there yet. */
export function int8Model({ root, model, pictures, scratch, say }) {
  const out = join(dirname(scratch), 'model-int8');
  if (existsSync(join(out, 'manifest.json'))) return out;
  say('quantising the encoder');
  const options = ['quantise', model, '--pictures', pictures, '--out', out];
  execFileSync(process.execPath, [join(root, 'dist', 'cli.js'), ...options], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return out;
}
