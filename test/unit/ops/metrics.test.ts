import { describe, expect, it } from 'vitest';
import { createMetrics } from '../../../src/ops/metrics.js';
import { metricIn } from '../../http/raw.js';

describe('the metrics of votes', () => {
  it('count each vote by its confidence, and those that abstain', async () => {
    const metrics = createMetrics();
    metrics.voteDone({ confidence: 0.97, abstained: false });
    metrics.voteDone({ confidence: 0.25, abstained: true });
    metrics.voteDone({ confidence: null, abstained: true }); // no label in reach: nothing to be sure of
    const { text } = await metrics.scrape();
    const below = (bound: string) => metricIn(text, `lookalike_vote_confidence_bucket{le="${bound}"}`);
    expect([below('0.2'), below('0.3'), below('0.95'), below('0.99')]).toEqual([0, 1, 1, 2]);
    expect(metricIn(text, 'lookalike_vote_confidence_count')).toBe(2);
    expect(metricIn(text, 'lookalike_abstentions_total')).toBe(2);
  });
});

describe('what is rare', () => {
  it('is there with 0 before it happens, so that Prometheus sees it grow', async () => {
    const metrics = createMetrics();
    const before = (await metrics.scrape()).text;
    metrics.jobFinished({ kind: 'reindex', state: 'failed' });
    metrics.workerRestarted('index');
    const after = (await metrics.scrape()).text;
    for (const series of [
      'lookalike_jobs_finished_total{kind="reindex",outcome="failed"}',
      'lookalike_worker_restarts_total{worker="index"}',
    ])
      expect([metricIn(before, series), metricIn(after, series)]).toEqual([0, 1]);
  });

  it('stays apart between two services of one process', async () => {
    const [one, other] = [createMetrics(), createMetrics()];
    one.workerRestarted('embedder');
    const series = 'lookalike_worker_restarts_total{worker="embedder"}';
    expect(metricIn((await other.scrape()).text, series)).toBe(0);
  });
});
