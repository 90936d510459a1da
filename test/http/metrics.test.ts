import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUCKETS } from '../../src/ops/metrics.js';
import { picture } from '../fixtures/pictures.js';
import { metricIn, startUpload, untilMetric } from './raw.js';
import { startTestServer, type TestServer } from './start.js';

const promtool = spawnSync('promtool', ['--version']).status === 0;
if (!promtool) console.warn('skipped: promtool (of Prometheus) is not installed, the metrics are not linted');

let server: TestServer;
let red: Buffer;
beforeAll(async () => {
  red = await picture('red', 1);
  server = await startTestServer({ recallSample: 0 });
});
afterAll(() => server.close());

const scrape = async (): Promise<string> => (await request(server.url).get('/metrics').expect(200)).text;
const search = (query = '') => request(server.url).post(`/v1/search${query}`).type('image/jpeg').send(red);

describe('the metrics', () => {
  it('count what happened', async () => {
    const done = 'lookalike_http_requests_total{route="/v1/search",method="POST",status="2xx"}';
    const refused = 'lookalike_refusals_total{reason="unknown_label"}';
    const before = await scrape();
    await search();
    await search('?label=unicorn');
    const after = await scrape();
    const grown = (series: string) => (metricIn(after, series) ?? 0) - (metricIn(before, series) ?? 0);
    expect(grown(done)).toBe(1);
    expect(grown(refused)).toBe(1);
    for (const stage of ['decode', 'embed', 'search', 'vote'])
      expect(grown(`lookalike_stage_duration_seconds_count{stage="${stage}"}`)).toBe(1);
    expect(grown('lookalike_http_request_duration_seconds_count{route="/v1/search"}')).toBe(2);
  });

  it.runIf(existsSync('/proc/self/task'))('tell what each kind of thread computes', async () => {
    const series = (text: string, thread: string) =>
      metricIn(text, `lookalike_thread_cpu_seconds{thread="${thread}"}`) ?? 0;
    const before = await scrape();
    for (let i = 0; i < 50; i++) await search();
    const after = await scrape();
    for (const thread of ['main', 'others']) expect(series(after, thread)).toBeGreaterThan(0);
    expect(series(after, 'main')).toBeGreaterThanOrEqual(series(before, 'main'));
    expect(after).toContain('thread="embedder"');
  });

  it('do not count an upload broken off as answered', async () => {
    const series = (status: string) =>
      `lookalike_http_requests_total{route="/v1/search",method="POST",status="${status}"}`;
    const before = await scrape();
    startUpload(server.url, 1000).socket.end();
    await untilMetric(server.url, series('4xx'), (metricIn(before, series('4xx')) ?? 0) + 1);
    expect(metricIn(await scrape(), series('2xx'))).toBe(metricIn(before, series('2xx')));
  });

  it('say what is there', async () => {
    const info = server.app.service.info();
    const text = await scrape();
    expect(metricIn(text, 'lookalike_bank_rows{collection="default"}')).toBe(info.bank.rows);
    expect(metricIn(text, 'lookalike_index_generation{collection="default"}')).toBe(info.index.generation);
    expect(metricIn(text, 'lookalike_index_rows{collection="default"}')).toBe(info.index.rows);
    expect(metricIn(text, 'lookalike_index_age_seconds{collection="default"}')).toBeGreaterThan(0);
    expect(metricIn(text, 'lookalike_jobs{kind="import",state="succeeded"}')).toBe(1);
    const ended = (outcome: string) => `lookalike_jobs_finished_total{kind="import",outcome="${outcome}"}`;
    expect(metricIn(text, ended('succeeded'))).toBe(1);
    expect(metricIn(text, ended('failed'))).toBe(0); // there before it grows
    expect(metricIn(text, 'lookalike_worker_restarts_total{worker="embedder"}')).toBe(0);
    expect(metricIn(text, 'lookalike_http_requests_in_flight')).toBe(1); // the scrape itself
    expect(text).toContain(`sha256="${info.model.sha256}"`);
    expect(text).toContain(`lookalike_build_info{version="${info.version}"`);
  });

  it('say no recall before it is measured, then what the graph finds, as /v1/info does', async () => {
    expect(metricIn(await scrape(), 'lookalike_index_recall_ratio{collection="default"}')).toBeUndefined();
    expect(metricIn(await scrape(), 'lookalike_index_recall_samples{collection="default"}')).toBe(0);
    const sampling = await startTestServer({ recallSample: 1 });
    const post = (query: string) =>
      request(sampling.url).post(`/v1/search?${query}`).type('image/jpeg').send(red).expect(200);
    await post('mode=exact'); // says nothing of the graph
    await post('label=red&mode=hnsw'); // nor does this
    await post('mode=hnsw');
    await untilMetric(sampling.url, 'lookalike_index_recall_samples{collection="default"}', 1);
    const { text } = await request(sampling.url).get('/metrics');
    expect(metricIn(text, 'lookalike_index_recall_ratio{collection="default"}')).toBe(1); // in so small a collection it finds all
    const { body } = await request(sampling.url).get('/v1/info');
    expect(body.index.recall).toEqual({ ratio: 1, samples: 1 });
    await sampling.close();
  });

  it('say of each collection what its index is, as long as it is there', async () => {
    await request(server.url).post('/v1/collections').send({ name: 'shoes' }).expect(201);
    const put = request(server.url).put('/v1/images/one?collection=shoes').type('image/jpeg');
    await put.send(red).expect(201);
    const text = await scrape();
    const info = server.app.service.info('shoes');
    expect(metricIn(text, 'lookalike_bank_rows{collection="shoes"}')).toBe(1);
    expect(metricIn(text, 'lookalike_index_recall_samples{collection="shoes"}')).toBe(0);
    expect(text).toContain(`lookalike_model_info{collection="shoes",name="${info.model.name}"`);
    await request(server.url).delete('/v1/collections/shoes').expect(204);
    expect(await scrape()).not.toContain('shoes');
  });

  it('make no series of paths that are made up', async () => {
    await request(server.url).get('/made/up/path').expect(404);
    await request(server.url).get('/v1/images/made-up/thumbnail').expect(404);
    const text = await scrape();
    expect(text).not.toContain('made');
    expect(text).toContain('route="/v1/images/:id/thumbnail"');
  });

  it('have buckets in seconds around 20 ms', () => {
    expect(BUCKETS).toEqual([0.001, 0.002, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.25, 1]);
  });

  it.skipIf(!promtool)('are clean for promtool', async () => {
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: await scrape() });
    expect(`${stdout}${stderr}`).toBe('');
    expect(status).toBe(0);
  });
});
