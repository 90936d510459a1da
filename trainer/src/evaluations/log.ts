/** The log of a run read back: `log.ndjson`, one JSON object a line. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LookalikeError } from '../../../dist/offline.js';
import { LOG_FILE } from '../report.js';

export interface Entry {
  event: string;
  [field: string]: unknown;
}

/** What is told of an epoch. */
export interface EpochEntry {
  epoch: number; // from 1
  loss: number;
  knn: number | null; // 0..1; null: not measured after this epoch
  seconds: number;
}

/** Every line that is whole: the last one may have been cut by a full disk or a kill. */
export function readLog(out: string): Entry[] {
  const path = join(out, LOG_FILE);
  if (!existsSync(path))
    throw new LookalikeError('invalid_parameter', `there is no log: ${path} does not exist`);
  return readFileSync(path, 'utf8')
    .split('\n')
    .flatMap((line) => {
      try {
        return line === '' ? [] : [JSON.parse(line) as Entry];
      } catch {
        return [];
      }
    });
}

/**
 * The epochs of the run as it stands, in order. A start takes back the epochs after the checkpoint that it began
 * from: all of an earlier training in the same folder, and those that a crash made it repeat.
 */
export function epochsOf(log: readonly Entry[]): EpochEntry[] {
  const epochs = new Map<number, EpochEntry>();
  for (const entry of log) {
    if (entry.event === 'start') {
      const { epoch: done } = entry.from as { epoch: number };
      for (const epoch of [...epochs.keys()]) if (epoch > done) epochs.delete(epoch);
    }
    if (entry.event !== 'epoch') continue;
    const { epoch, loss, knn, seconds } = entry as unknown as EpochEntry;
    epochs.set(epoch, { epoch, loss, knn: knn ?? null, seconds });
  }
  return [...epochs.values()].sort((a, b) => a.epoch - b.epoch);
}
