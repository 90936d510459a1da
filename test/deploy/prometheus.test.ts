/** A real Prometheus, configured by `deploy/prometheus/`, scrapes the real service. */
import { setTimeout as sleep } from 'node:timers/promises';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { picture } from '../fixtures/pictures.js';
import { untilMetric } from '../http/raw.js';
import { startTestServer, type TestServer } from '../http/start.js';
import { isInstalled, type Prometheus, readRules, startPrometheus } from './prometheus.js';

const KEY = 'a-key-of-enough-letters';
const prometheus = isInstalled('prometheus');
if (!prometheus) console.warn('skipped: prometheus is not installed, nothing scrapes the service');

interface Targets {
  activeTargets: { health: string; lastError: string }[];
}

describe.skipIf(!prometheus)('a real Prometheus', () => {
  let server: TestServer;
  let scraper: Prometheus;
  let red: Buffer;
  beforeAll(async () => {
    red = await picture('red', 1);
    server = await startTestServer({ apiKeys: [KEY] });
    scraper = await startPrometheus({ target: new URL(server.url).host, key: KEY });
  });
  afterAll(async () => {
    await scraper?.stop();
    await server.close();
  });
  const search = () =>
    request(server.url).post('/v1/search').set('X-API-Key', KEY).type('image/jpeg').send(red).expect(200);

  /** Asks until there is an answer that will do; the test's own time limit ends it. */
  async function until(expression: string, isDone: (value: number) => boolean): Promise<number> {
    for (;;) {
      const [found] = await scraper.query(expression);
      if (found && isDone(found.value)) return found.value;
      await sleep(200);
    }
  }

  it('scrapes it with the key', async () => {
    await until('up{job="lookalike"}', (value) => value === 1);
    const [target] = (await scraper.get<Targets>('targets')).activeTargets;
    expect(target).toMatchObject({ health: 'up', lastError: '' });
  });

  it('counts the searches that there were', async () => {
    for (let i = 0; i < 3; i++) await search();
    const series = 'lookalike_http_requests_total{route="/v1/search",method="POST",status="2xx"}';
    await untilMetric(server.url, series, 3, KEY);
    await until(series, (value) => value === 3);
  });

  it('records what the rules say: rate, quantiles and limits', async () => {
    const searching = { on: true };
    const load = (async () => {
      while (searching.on) {
        await search();
        await sleep(100);
      }
    })();
    try {
      const route = '{job="lookalike", route="/v1/search"}';
      await until(`route:lookalike_http_requests:rate5m${route}`, (value) => value > 0);
      await until(`route:lookalike_http_request_duration_seconds:p99_5m${route}`, (value) => value > 0);
      await until('stage:lookalike_stage_duration_seconds:p99_5m{stage="search"}', (value) => value > 0);
      expect(await until('lookalike:limit:recall_ratio', () => true)).toBe(0.95);
    } finally {
      searching.on = false;
      await load;
    }
  });

  it('has every rule at work without an error, and no alert of a healthy service', async () => {
    type Known = { groups: { rules: { name: string; health: string; lastError?: string }[] }[] };
    const all = async () => (await scraper.get<Known>('rules')).groups.flatMap((group) => group.rules);
    while ((await all()).some(({ health }) => health === 'unknown')) await sleep(200);
    const found = await all();
    expect(found.filter(({ health }) => health !== 'ok')).toEqual([]);
    expect(found.map(({ name }) => name).sort()).toEqual(
      readRules()
        .map(({ record, alert }) => record ?? alert!)
        .sort(),
    );
    expect(await scraper.query('ALERTS{alertstate="firing"}')).toEqual([]);
  });
});

describe.skipIf(!prometheus)('a wrong key', () => {
  it('shows as a target that is down, with the reason', async () => {
    const server = await startTestServer({ apiKeys: [KEY] });
    const scraper = await startPrometheus({ target: new URL(server.url).host, key: `${KEY}x` });
    const target = async () => (await scraper.get<Targets>('targets')).activeTargets[0];
    while ((await target())?.health !== 'down') await sleep(200);
    expect((await target())!.lastError).toContain('401');
    await scraper.stop();
    await server.close();
  });
});
