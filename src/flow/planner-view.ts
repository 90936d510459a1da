import { crossings } from '../core/plan.js';
import { DEFAULT_VOTE_K } from '../core/vote.js';
import type { Collection } from './collection.js';
import type { PlannerView } from './service.js';

/** What the planner would do with the usual search, and why; for `/v1/info`. */
export function plannerView({ plan, boost, choice }: Collection): PlannerView {
  const k = DEFAULT_VOTE_K;
  const { engine, reason, ef, costs } = choice(1, { k, mode: 'auto' });
  const crossing = plan ? crossings(plan, { k, boost }) : { rows: null, allowed: null };
  const rounded = (ms: number | null) => (ms === null ? null : Math.round(ms * 1000) / 1000);
  return {
    engine,
    reason: reason as PlannerView['reason'], // nothing was asked for
    k,
    ef,
    costs_ms: { exact: rounded(costs.exact), hnsw: rounded(costs.hnsw) },
    crossing_rows: crossing.rows,
    crossing_filter: crossing.allowed,
    recall_target: plan?.recall_target ?? null,
    breadths: plan?.breadths ?? [],
    breadth_factor: boost,
    measured_at: plan?.measured_at ?? null,
  };
}
