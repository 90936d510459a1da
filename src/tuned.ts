import { readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { LookalikeError, messageOf } from './core/errors.js';

/** Settings that `lookalike tune` measured on this machine and wrote into the data folder. */
export const TUNED_FILE = 'tuned.json';

const schema = z.strictObject({
  format_version: z.literal(1),
  machine: z.string(),
  settings: z.record(z.string(), z.string()), // by the name of the variable
  measured: z.record(z.string(), z.unknown()),
});
export type TunedSettings = z.infer<typeof schema>;

/** What figures of threads hold for: a data folder may move to another machine. */
export const thisMachine = (): string =>
  `${availableParallelism()} x ${cpus()[0]?.model.trim() ?? 'unknown'}`;

/**
 * The values by variable, empty when there is no file or it was measured on another machine. Throws `invalid_setting`
 * for a file that is damaged or sets anything but `allowed`.
 */
export function readTuned(dataDir: string, allowed: readonly string[]): Record<string, string> {
  const path = join(dataDir, TUNED_FILE);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return {};
    throw refusal(path, messageOf(error));
  }
  const found = schema.safeParse(parsed(path, text));
  if (!found.success) throw refusal(path, z.prettifyError(found.error).replaceAll('\n', ' '));
  const { machine, settings } = found.data;
  const other = Object.keys(settings).find((name) => !allowed.includes(name));
  if (other !== undefined) throw refusal(path, `it sets ${other}, only ${allowed.join(', ')} may be tuned`);
  return machine === thisMachine() ? settings : {};
}

function parsed(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw refusal(path, messageOf(error));
  }
}

const refusal = (path: string, why: string) =>
  new LookalikeError(
    'invalid_setting',
    `${path} cannot be used: ${why}. Run lookalike tune again, or delete the file`,
    {
      field: TUNED_FILE,
    },
  );
