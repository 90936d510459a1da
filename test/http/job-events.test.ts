/** A job's changes as server-sent events, as a browser would read them. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { JobAnswer } from '../../src/flow/service.js';
import { startTestServer, type TestServer } from './start.js';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

interface Event {
  id: number;
  job: JobAnswer;
}

const listen = (id: string, lastEventId?: number) =>
  fetch(`${server.url}/v1/jobs/${id}/events`, {
    headers: lastEventId === undefined ? {} : { 'last-event-id': `${lastEventId}` },
  });

/** All events until the answer ends. */
async function events(response: Response): Promise<Event[]> {
  const text = await response.text();
  return text.split('\n\n').flatMap((block) => {
    const [, id, data] = /^id: (\d+)\nevent: job\ndata: (.*)$/s.exec(block) ?? [];
    return id === undefined ? [] : [{ id: Number(id), job: JSON.parse(data!) as JobAnswer }];
  });
}

async function start(): Promise<string> {
  const response = await fetch(`${server.url}/v1/reindex`, { method: 'POST' });
  return ((await response.json()) as JobAnswer).id;
}

it('tell the job as it is, then its changes, and end with it', async () => {
  const id = await start();
  const response = await listen(id);
  expect([response.status, response.headers.get('content-type')]).toEqual([
    200,
    'text/event-stream; charset=utf-8',
  ]);
  const seen = await events(response);
  expect(seen.length).toBeGreaterThan(0);
  expect(seen.every(({ job }) => job.id === id)).toBe(true);
  const ids = seen.map((event) => event.id);
  expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
  expect(seen.at(-1)!.job).toMatchObject({ state: 'succeeded', seconds_left: null, result: { rows: 12 } });
  expect(seen.at(-1)!.job).toEqual(server.app.service.job(id));
});

it('tell who comes back only what is newer', async () => {
  const id = await start();
  const [last] = (await events(await listen(id))).slice(-1);
  const late = await events(await listen(id, last!.id - 10_000));
  expect(late.map(({ job }) => job.state)).toEqual(['succeeded']);
  const nothing = await listen(id, last!.id);
  expect([nothing.status, await nothing.text()]).toEqual([204, '']);
});

it('are refused where there is no such job or no such id of an event', async () => {
  expect((await listen('nobody')).status).toBe(404);
  const id = await start();
  const response = await fetch(`${server.url}/v1/jobs/${id}/events`, { headers: { 'last-event-id': 'x' } });
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ code: 'invalid_parameter', field: 'Last-Event-ID' });
});

it('have headers without a body for HEAD', async () => {
  const response = await fetch(`${server.url}/v1/jobs/${await start()}/events`, { method: 'HEAD' });
  expect([response.status, await response.text()]).toEqual([200, '']);
});

it('leave no listener behind', async () => {
  const gone = new AbortController();
  const url = `${server.url}/v1/jobs/${await start()}/events`;
  await fetch(url, { signal: gone.signal });
  gone.abort();
  await expect
    .poll(async () => (await fetch(`${server.url}/metrics`)).text())
    .toMatch(/lookalike_gate_running\{gate="events"\} 0/);
});
