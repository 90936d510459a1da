/** Where a run works: the request, its report, its pictures. Every step of `build.ts` gets one. */
import { join } from 'node:path';
import type { ListedImage } from '../../dist/offline.js';
import type { Settings } from './config.js';
import { type Split, splitFolder } from './folder.js';
import { type Pack, packImages } from './pack.js';
import { createReport, type Report } from './report.js';

export interface BuildRequest {
  folder: string;
  out: string;
  heldOut: string | null; // a labelled folder
  settings: Settings;
  resume: boolean;
  /** A checkpoint whose weights the run begins with, e.g. for fine-tuning; null: random weights. */
  startFrom: string | null;
  exportOnly: boolean;
  timeLimitMinutes: number | null;
  words: Partial<ModelWords>;
  /** True after Ctrl-C: a training finishes its step and writes a checkpoint, all else ends by `Interrupted`. */
  interrupted(): boolean;
}

/** What the manifest says in words. */
export interface ModelWords {
  name: string;
  trained_on: string;
  terms: string; // under which the weights may be used
}

export interface Place {
  request: BuildRequest;
  report: Report;
  split: Split;
  checkpoint: string; // path
  /** The pictures decoded to squares of this side; cached below `out`. */
  pack(images: readonly ListedImage[], side: number): Promise<Pack>;
}

export async function openPlace(request: BuildRequest): Promise<Place> {
  const { out, folder, heldOut, settings } = request;
  const report = createReport(out);
  const split = await splitFolder(folder, heldOut, settings.seed);
  const named = new Set<string>();
  return {
    request,
    report,
    split,
    checkpoint: join(out, 'checkpoint.safetensors'),
    async pack(images, side) {
      const pack = await packImages(images, side, {
        cacheDir: join(out, 'pack'),
        interrupted: request.interrupted,
        progress: (done, total) => report.live(`decoding to ${side} px: ${done} of ${total}`),
      });
      for (const { path, reason } of pack.unreadable) {
        if (!named.has(path)) report.say(`left out ${path}: ${reason}`);
        named.add(path);
      }
      return pack;
    },
  };
}
