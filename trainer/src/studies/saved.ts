/** What a run saved about itself, and how far that is what a study asks for. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SETTINGS, type Settings } from '../config.js';
import type { Machine } from '../machine.js';

/** What `settings.json` of a run says. Older files lack the newer settings. */
export interface SavedRun {
  settings: Partial<Settings>;
  data: { pictures: number; sha256: string };
  git_revision: string | null;
  started_at: string;
  machine?: Machine;
}

export function readSaved(folder: string): SavedRun | null {
  const path = join(folder, 'settings.json');
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as SavedRun) : null;
}

/** Settings of a run that are not those of the study, as "name 3 instead of 4". */
export function differences(wanted: Settings, { settings, data }: SavedRun): string[] {
  const asked = { ...wanted, batch: Math.min(wanted.batch, data.pictures) }; // as the trainer does
  return (Object.keys(SETTINGS) as (keyof Settings)[]).flatMap((name) => {
    const [is, should] = [settings[name] ?? SETTINGS[name].default, asked[name]].map((value) =>
      JSON.stringify(value),
    );
    return is === should ? [] : [`${name} ${is} instead of ${should}`];
  });
}
