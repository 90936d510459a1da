import { type Agreement, agreement, type Compared, type Opinion, sampleOf } from '../core/agreement.js';
import type { LabelColumn } from '../core/label-column.js';
import type { Generation, Store } from '../core/ports.js';
import { DEFAULT_VOTE_K, vote } from '../core/vote.js';
import type { Active } from './collections.js';

/**
 * The report before a switch: both models are asked for the neighbours of the same stored pictures, each left out of
 * its own answer, by exact search. Only pictures that both have a vector of take part.
 */
export interface Candidate {
  store: Store;
  generation: Generation;
  temperature: number; // of the vote
}

export interface Report extends Agreement {
  before: { model: string; name: string };
  after: { model: string; name: string };
}

/** Enough for shares within two hundredths or so. */
const SAMPLE = 500;

export async function compareModels(
  active: Active,
  candidate: Candidate & { name: string },
  signal: AbortSignal,
): Promise<Report> {
  const { rows } = candidate.generation;
  const inBoth = new Set(rows.filter((row) => active.collection.labels.has(row)));
  const compared: Compared[] = [];
  for (const row of sampleOf(rows, SAMPLE)) {
    signal.throwIfAborted();
    const before = await opinionOfActive(active, row, inBoth);
    const after = await opinionOfCandidate(active.collection.labels, candidate, { row, inBoth });
    // Removed while this went on.
    if (before && after) compared.push({ label: active.collection.labels.get(row), before, after });
  }
  return {
    ...agreement(compared),
    before: { model: active.manifest.sha256, name: active.manifest.name },
    after: { model: candidate.store.identity.model_sha256, name: candidate.name },
  };
}

type Found = { row: number; score: number }[]; // best first

async function opinionOfActive(
  { store, collection, manifest }: Active,
  row: number,
  inBoth: ReadonlySet<number>,
): Promise<Opinion | null> {
  const vector = store.vector(row);
  if (!vector) return null;
  const wanted = WANTED + 1 + spare(collection.size - inBoth.size);
  const { hits } = await collection.search(vector, { k: wanted, mode: 'exact' });
  return opinion(hits, collection.labels, { row, inBoth, temperature: manifest.temperature });
}

async function opinionOfCandidate(
  labels: LabelColumn,
  { store, generation, temperature }: Candidate,
  { row, inBoth }: { row: number; inBoth: ReadonlySet<number> },
): Promise<Opinion | null> {
  const vector = store.vector(row);
  if (!vector) return null;
  const k = WANTED + 1 + spare(generation.rows.length - inBoth.size);
  const [hits] = await generation.exact.search(vector, 1, { k });
  const found = Array.from(hits!.rows, (position, i) => {
    return { row: generation.rows[position]!, score: hits!.scores[i]! };
  });
  return opinion(found, labels, { row, inBoth, temperature });
}

/** Of the nearest that are in both, without the picture itself. */
function opinion(
  found: Found,
  labels: LabelColumn,
  { row, inBoth, temperature }: { row: number; inBoth: ReadonlySet<number>; temperature: number },
): Opinion {
  const others = found.filter((hit) => hit.row !== row && inBoth.has(hit.row)).slice(0, WANTED);
  const voters = others.flatMap(({ row, score }) => {
    const label = labels.get(row);
    return label === null ? [] : [{ label, score }];
  });
  return {
    rows: others.map((hit) => hit.row),
    scores: others.map(({ score }) => score),
    label: vote(voters, temperature).labels[0]?.label ?? null,
  };
}

const WANTED = DEFAULT_VOTE_K;
/** More hits are asked for where some will be passed over; few enough to stay cheap. */
const spare = (others: number): number => Math.min(Math.max(others, 0), 1000);
