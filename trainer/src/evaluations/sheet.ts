/** E8: which queries a retrieval sheet shows, and the sheet itself: a query with its nearest, best half and worst half. */
import { readFile } from 'node:fs/promises';
import { composeSheet, type SheetPart, type SheetTile } from '../../../dist/offline.js';
import { drawFor, permutation } from '../random.js';
import { percent } from '../report.js';
import type { About, Published } from './about.js';
import type { Neighbours } from './neighbours.js';

export const NEIGHBOURS = 10;

/** A picture that a sheet can show. */
export interface Shown {
  id: string;
  label: string | null;
  path: string;
}

/** Queries with their neighbours among `known`. */
export interface Retrieval {
  of: string; // which pictures, in words
  queries: readonly Shown[];
  known: readonly Shown[];
  neighbours: Neighbours;
}

export interface SheetRow {
  query: string; // id
  label: string | null;
  share: number | null; // of neighbours with the query's label, 0..1
  neighbours: { id: string; label: string | null; score: number }[];
}

export interface SheetStudy {
  kind: 'sheet';
  about: About;
  paper: readonly Published[];
  of: string; // which pictures, in words
  picture: string; // file beside the JSON
  seed: number;
  queries: number;
  known: number;
  mean_share: number | null; // over all queries with a label
  best: SheetRow[];
  worst: SheetRow[];
}

/** Share of a query's neighbours with its own label; null without a label. */
export function shareOf({ queries, known, neighbours }: Retrieval, query: number): number | null {
  const { label } = queries[query]!;
  if (label === null) return null;
  const { width, rows } = neighbours;
  let same = 0;
  for (let j = 0; j < width; j++) if (known[rows[query * width + j]!]!.label === label) same++;
  return same / width;
}

export function meanShare(retrieval: Retrieval): number | null {
  const shares = retrieval.queries.map((_, i) => shareOf(retrieval, i)).filter((share) => share !== null);
  return shares.length === 0 ? null : shares.reduce((a, b) => a + b, 0) / shares.length;
}

/**
 * Half of the rows from the queries with the largest share, half from those with the smallest. Among equal shares
 * every label has its turn; which of its queries is drawn by the seed. Without labels all rows are drawn.
 */
export function chooseQueries(
  shares: readonly (number | null)[],
  labels: readonly (string | null)[],
  { rows, seed }: { rows: number; seed: number },
): { best: number[]; worst: number[] } {
  const drawn = [...permutation(drawFor(seed, -6), shares.length)];
  const seen = new Map<string, number>(); // of a share and label so far
  const turn = new Map(
    drawn.map((query) => {
      const key = `${shares[query]} ${labels[query]}`;
      seen.set(key, (seen.get(key) ?? -1) + 1);
      return [query, seen.get(key)!];
    }),
  );
  const rated = drawn.filter((query) => shares[query] !== null);
  if (rated.length === 0) return { best: drawn.slice(0, rows), worst: [] };
  const by = (sign: number) =>
    rated.toSorted((a, b) => sign * (shares[b]! - shares[a]!) || turn.get(a)! - turn.get(b)!);
  const best = by(1).slice(0, Math.ceil(Math.min(rows, rated.length) / 2));
  const left = by(-1).filter((query) => !best.includes(query));
  return { best, worst: left.slice(0, rows - best.length) };
}

export function rowsOf(retrieval: Retrieval, chosen: readonly number[]): SheetRow[] {
  const { queries, known, neighbours } = retrieval;
  const { width, rows, scores } = neighbours;
  return chosen.map((query) => ({
    query: queries[query]!.id,
    label: queries[query]!.label,
    share: shareOf(retrieval, query),
    neighbours: Array.from({ length: width }, (_, j) => {
      const { id, label } = known[rows[query * width + j]!]!;
      return { id, label, score: Math.round(scores[query * width + j]! * 1e4) / 1e4 };
    }),
  }));
}

/** The PNG of a study: the pictures are read from where `retrieval` says they are. */
export async function drawSheet(
  { best, worst }: Pick<SheetStudy, 'best' | 'worst'>,
  { queries, known }: Pick<Retrieval, 'queries' | 'known'>,
): Promise<Uint8Array> {
  const paths = {
    query: new Map(queries.map(({ id, path }) => [id, path])),
    known: new Map(known.map(({ id, path }) => [id, path])),
  };
  const tilesOf = async (row: SheetRow): Promise<SheetTile[]> => [
    { bytes: await readFile(paths.query.get(row.query)!), caption: row.label ?? row.query, frame: 'query' },
    ...(await Promise.all(
      row.neighbours.map(async ({ id, label, score }) => ({
        bytes: await readFile(paths.known.get(id)!),
        caption: `${score.toFixed(2)} ${label ?? id}`,
        frame: frameOf(row.label, label),
      })),
    )),
  ];
  const part = async (title: string, rows: SheetRow[]): Promise<SheetPart> => ({
    title,
    rows: await Promise.all(rows.map(tilesOf)),
  });
  if (worst.length === 0) return composeSheet([await part(titleOf('Queries', best), best)]);
  return composeSheet([
    await part(titleOf('Best half', best), best),
    await part(titleOf('Worst half', worst), worst),
  ]);
}

function frameOf(query: string | null, neighbour: string | null): SheetTile['frame'] {
  if (query === null || neighbour === null) return 'none';
  return query === neighbour ? 'same' : 'other';
}

function titleOf(name: string, rows: readonly SheetRow[]): string {
  const shares = rows.map(({ share }) => share).filter((share) => share !== null);
  const order = 'left the query, right its nearest';
  if (shares.length === 0) return `${name}: ${order}`;
  const mean = shares.reduce((a, b) => a + b, 0) / shares.length;
  return `${name}: ${order}; green: the query's label (${percent(mean)} here), red: another`;
}
