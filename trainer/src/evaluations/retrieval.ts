/** Where a retrieval sheet's queries and neighbours come from: two folders, or a bank that asks itself. */
import { createRequire } from 'node:module';
import { basename, dirname, resolve } from 'node:path';
import { LookalikeError, readBank, readModel } from '../../../dist/offline.js';
import type { Pack } from '../pack.js';
import { PAPER, readAbout } from './about.js';
import { embedBoth } from './evaluate.js';
import { nearest, nearestAmong } from './neighbours.js';
import { openModel } from './opened.js';
import {
  chooseQueries,
  meanShare,
  NEIGHBOURS,
  type Retrieval,
  rowsOf,
  type SheetStudy,
  shareOf,
} from './sheet.js';

export type Source = { pictures: string; heldOut: string } | { bank: string };

/** Held-out pictures ask known ones; or every picture of a bank asks the others. */
export async function retrieve(out: string, source: Source): Promise<Retrieval> {
  return 'bank' in source ? withinBank(out, source.bank) : betweenFolders(out, source);
}

async function betweenFolders(
  out: string,
  folders: { pictures: string; heldOut: string },
): Promise<Retrieval> {
  const opened = await openModel(out, folders);
  const { known, asked } = await opened.packs(opened.manifest.input.width);
  const vectors = await embedBoth(opened, known, asked);
  const { dimension } = opened.manifest;
  const shown = ({ images }: Pack) => images.map(({ id, label, path }) => ({ id, label, path }));
  const found = nearest(vectors.asked.vectors, vectors.known.vectors, { dimension, k: NEIGHBOURS });
  const of = `${basename(folders.heldOut)} among ${basename(folders.pictures)}`;
  return { of, queries: shown(asked), known: shown(known), neighbours: found };
}

async function withinBank(out: string, folder: string): Promise<Retrieval> {
  const { manifest } = await readModel(out);
  const bank = await readBank(folder, manifest.sha256);
  const root = packageFolder(bank.manifest.source_package);
  const shown = bank.items.map(({ id, label, source }) => {
    if (source !== undefined) return { id, label: label ?? null, path: resolve(root, source) };
    throw new LookalikeError('bank_invalid', `the bank ${folder} does not say where the picture ${id} is`);
  });
  const neighbours = nearestAmong(bank.vectors, { dimension: manifest.dimension, k: NEIGHBOURS });
  return { of: bank.manifest.name, queries: shown, known: shown, neighbours };
}

/** Relative sources start in an npm package when the bank names one. */
function packageFolder(name: string | null): string {
  if (name === null) return '.';
  try {
    return dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
  } catch (cause) {
    throw new LookalikeError(
      'bank_invalid',
      `the bank's pictures are in the package ${name}, which is not installed`,
      {
        cause,
      },
    );
  }
}

/** What the sheet shows; `picture` is the file's name beside the JSON. */
export function sheetStudy(
  out: string,
  retrieval: Retrieval,
  { rows, seed, picture }: { rows: number; seed: number; picture: string },
): SheetStudy {
  const shares = retrieval.queries.map((_, i) => shareOf(retrieval, i));
  const labels = retrieval.queries.map(({ label }) => label);
  const { best, worst } = chooseQueries(shares, labels, { rows, seed });
  return {
    kind: 'sheet',
    about: readAbout(out),
    paper: [PAPER.retrieval],
    of: retrieval.of,
    picture,
    seed,
    queries: retrieval.queries.length,
    known: retrieval.known.length,
    mean_share: meanShare(retrieval),
    best: rowsOf(retrieval, best),
    worst: rowsOf(retrieval, worst),
  };
}
