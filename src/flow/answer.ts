import { percentileOf } from '../core/percentile.js';
import { type Settled, succeeded, unwrap } from '../core/settled.js';
import type { Item } from '../core/types.js';
import { type Voter, vote } from '../core/vote.js';
import { calibratedVote } from './calibrated-vote.js';
import { checkLabels, type FindParts, find } from './find.js';
import { thumbnailPath } from './image-view.js';
import { type Direction, makeDirections, type QueryParts } from './query.js';
import type { SegmentHits } from './segments.js';
import type { BatchRequest, SearchAnswer, SearchOptions, SearchRequest, Timed } from './service.js';

/** The main job: a query -> decode -> embed -> search -> vote -> the answer. One at a time or many together. */

export interface AnswerParts extends QueryParts, FindParts {}

/** Throws what refuses the query. */
export async function answer(
  parts: AnswerParts,
  { query, ...options }: SearchRequest,
  timed: Timed,
): Promise<SearchAnswer> {
  const [only] = await answerAll(parts, { queries: [query], ...options }, timed);
  return unwrap(only!);
}

/** One answer a query, in their order, or why there is none; options that are wrong refuse all of them. */
export async function answerAll(
  parts: AnswerParts,
  { queries, ...options }: BatchRequest,
  timed: Timed,
): Promise<Settled<SearchAnswer>[]> {
  checkLabels(parts.collection, options.labels);
  const { beta, signal } = options;
  const directions = await makeDirections(parts, { queries, beta }, { timed, signal });
  const good = directions.filter(succeeded);
  const found = await timed('search', () => find(parts, good, options));
  const answers = new Map<Direction, SearchAnswer>();
  for (const [i, direction] of good.entries()) {
    if (i > 0) await parts.yieldToRequests();
    answers.set(
      direction,
      await timed('vote', () => judged(parts, { direction, found: found[i]!, options })),
    );
  }
  return directions.map((one) => (succeeded(one) ? answers.get(one)! : one));
}

interface Found {
  direction: Direction;
  found: SegmentHits;
  options: SearchOptions;
}

/** Labels and neighbours of what was found; rows below `min_score` take no part in either. */
function judged(parts: AnswerParts, { direction, found, options }: Found): SearchAnswer {
  const { labels: column, size: rows, calibration } = parts.collection;
  const { min_score = -1, vote_k, k, temperature = parts.manifest.temperature } = options;
  const hits = found.hits.filter(({ score }) => score >= min_score);
  const voters: Voter[] = [];
  for (const { row, score } of hits) {
    const label = voters.length < vote_k ? column.get(row) : null;
    if (label !== null) voters.push({ label, score });
  }
  const result = vote(voters, temperature);
  const table = calibration?.nearest_scores;
  let voted = 0; // hits come in the order in which they voted
  const shareOf = (row: number) => (column.get(row) === null ? 0 : (result.shares[voted++] ?? 0));
  const neighbours = hits
    .slice(0, k)
    .map(({ row, score }) => ({ item: parts.store.itemByRow(row), score, share: shareOf(row) }))
    // A row that was removed between the search and this line is left out.
    .filter((hit): hit is typeof hit & { item: Item } => hit.item !== undefined)
    .map(({ item, score, share }) => {
      const thumbnail = thumbnailPath(item.id, parts.store.collection);
      const percentile = table ? { percentile: percentileOf(score, table) } : {};
      return { id: item.id, label: item.label, score, ...percentile, share, thumbnail };
    });
  const { generation, mode, exact } = found;
  return {
    ...calibratedVote(result.labels, calibration, { ...options, temperature, kind: direction.about.kind }),
    neighbours,
    index: { generation, mode, exact, rows },
    query: direction.about,
  };
}
