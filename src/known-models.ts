import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { LookalikeError } from './core/errors.js';
import { type Model, readModel } from './engines/manifest.js';

/** The encoders that a data folder may use: the one that the service starts with, and those in `models/<sha256>/`. */
export interface KnownModels {
  /** By SHA-256, by name, or by the beginning of one SHA-256 (4 digits or more). Throws `not_found`, `invalid_parameter`, `model_invalid`. */
  get(which: string): Promise<Model>;
}

export function createKnownModels({ base, folder }: { base: Model; folder: string }): KnownModels {
  return {
    async get(which) {
      const others = (await readdir(folder).catch(() => [])).filter((name) => /^[0-9a-f]{64}$/.test(name));
      if (base.manifest.sha256 === which || base.manifest.name === which) return base;
      if (others.includes(which)) return readModel(join(folder, which));
      const known = [base, ...(await readAll(folder, others))];
      const found = known.filter(({ manifest }) => manifest.name === which);
      if (found.length === 0 && /^[0-9a-f]{4,}$/.test(which))
        found.push(...known.filter(({ manifest }) => manifest.sha256.startsWith(which)));
      if (found.length === 1) return found[0]!;
      const listed = (found.length > 1 ? found : known)
        .map(({ manifest }) => `${manifest.name} (${manifest.sha256.slice(0, 12)})`)
        .join(', ');
      throw found.length > 1
        ? refusal('invalid_parameter', `"${which}" can mean ${listed}`)
        : refusal('not_found', `there is no model "${which.slice(0, 100)}"; known are ${listed}`);
    },
  };
}

const refusal = (code: 'invalid_parameter' | 'not_found', message: string) =>
  new LookalikeError(code, message, { field: 'model' });

/** A damaged one is not among them: whoever names it by its hash is told. */
async function readAll(folder: string, names: readonly string[]): Promise<Model[]> {
  const read = await Promise.all(names.map((name) => readModel(join(folder, name)).catch(() => null)));
  return read.filter((model) => model !== null);
}
