/** From the folders of the runs to the result: only what `settings.json` and `log.ndjson` say counts. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type SettingName, type Settings, settingOf } from '../config.js';
import { type Entry, type EpochEntry, epochsOf, readLog } from '../evaluations/log.js';
import type { Machine } from '../machine.js';
import { LOG_FILE } from '../report.js';
import type { Floor } from './floors.js';
import type { Point, StudyResult, VariantResult } from './result.js';
import { differences, readSaved, type SavedRun } from './saved.js';
import type { Study, Variant } from './study.js';

export interface Collected {
  result: StudyResult;
  /** Variants that have not begun, and those whose settings are not the study's: to be told. */
  notes: string[];
}

export interface Beside {
  floors: Floor[];
  machine: Machine; // of runs that do not name theirs
}

/** What is there: variants without a finished epoch are left out. */
export function collect(study: Study, root: string, { floors, machine }: Beside): Collected {
  const { name, title, question, data, pictures, plot, paper, against } = study;
  const notes: string[] = [];
  const variants = study.variants.flatMap((variant) => {
    const collected = collectVariant(study, variant, join(root, variant.key));
    if (collected === null) notes.push(`${variant.key}: nothing yet`);
    else if (collected.other.length > 0) notes.push(`${variant.key}: ${collected.other.join('; ')}`);
    return collected === null ? [] : [collected.of(machine)];
  });
  const learned = new Set(variants.map(({ data_sha256 }) => data_sha256));
  for (const floor of floors)
    if (variants.length > 0 && !learned.has(floor.data_sha256))
      notes.push(`${floor.name}: measured on other pictures; remove baselines.json`);
  const head = { kind: 'study', study: name, title, question, data, pictures, plot, paper, against } as const;
  return { result: { ...head, variants, baselines: floors }, notes };
}

function collectVariant(study: Study, variant: Variant, folder: string) {
  const saved = readSaved(folder);
  if (saved === null || !existsSync(join(folder, LOG_FILE))) return null;
  const log = readLog(folder);
  const epochs = epochsOf(log);
  if (epochs.length === 0) return null;
  const { key, title, paper, reference } = variant;
  return {
    other: differences(variant.settings, saved),
    of: (machine: Machine): VariantResult => ({
      key,
      title,
      ...measured(log, epochs, saved),
      changed: changed(study.base, saved),
      machine: saved.machine ?? machine,
      paper,
      reference,
    }),
  };
}

function measured(log: readonly Entry[], epochs: readonly EpochEntry[], saved: SavedRun) {
  const { settings, data, git_revision, started_at } = saved;
  const curve = epochs.map(({ epoch, loss, knn }): Point => ({ epoch, loss, knn }));
  const done = curve.at(-1)!.epoch;
  const { seconds, views, waited } = speedOf(log, epochs);
  const last = curve.findLast(({ knn }) => knn !== null);
  const start = log.findLast(({ event }) => event === 'start');
  const setting = <Name extends SettingName>(name: Name) => settingOf(settings, name);
  return {
    finished: done >= setting('epochs'),
    epochs: done,
    pictures: data.pictures,
    held_out: Number(start?.held_out ?? 0),
    seconds,
    views_per_second: seconds > 0 ? views / seconds : null,
    wait_share: seconds > 0 ? waited / seconds : null,
    knn: last
      ? {
          epoch: last.epoch,
          value: last.knn!,
          k: setting('knn_k'),
          temperature: setting('knn_temperature'),
        }
      : null,
    exported: exportedOf(log),
    curve,
    settings,
    git_revision,
    data_sha256: data.sha256,
    started_at,
  };
}

/**
 * Seconds, views and seconds of waiting, over all epochs. An epoch that was cut tells of its second part only:
 * it is counted as a whole one at that part's speed.
 */
function speedOf(log: readonly Entry[], epochs: readonly EpochEntry[]) {
  const sums = { seconds: 0, views: 0, waited: 0 };
  for (const { epoch } of epochs) {
    const at = log.findLastIndex((entry) => entry.event === 'epoch' && entry.epoch === epoch);
    const start = log.slice(0, at).findLast(({ event }) => event === 'start');
    const from = start?.from as { epoch: number; step: number } | undefined;
    const skipped = from?.epoch === epoch - 1 ? from.step / Number(start!.steps) : 0;
    const { seconds, viewsPerSecond, waitShare } = log[at] as unknown as Record<string, number>;
    const whole = seconds! / (1 - skipped);
    sums.seconds += whole;
    sums.views += whole * viewsPerSecond!;
    sums.waited += whole * waitShare!;
  }
  return sums;
}

/** Only of the training as it stands: an encoder exported before the last start is another's. */
function exportedOf(log: readonly Entry[]): VariantResult['exported'] {
  const now = log.slice(log.findLastIndex(({ event }) => event === 'start'));
  const verified = now.findLast(({ event }) => event === 'verified');
  const accuracy = now.findLast(({ event }) => event === 'measured');
  if (!verified || !accuracy) return null;
  return { size: Number(verified.size), knn: Number(accuracy.knn_top1) };
}

function changed(base: Settings, { settings, data }: SavedRun): Partial<Settings> {
  const common: Settings = { ...base, batch: Math.min(base.batch, data.pictures) };
  const other = Object.entries(settings).filter(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify(common[name as keyof Settings]),
  );
  return Object.fromEntries(other);
}
