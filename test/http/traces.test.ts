/** Traces of the real service, received as a collector receives them: OTLP over HTTP. */
import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HEIC } from '../fixtures/bad-pictures.js';
import { picture } from '../fixtures/pictures.js';
import { startTestServer } from './start.js';

interface Span {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: { key: string; value: Record<string, unknown> }[];
  status: { code?: number };
}
interface Sent {
  path: string;
  type: string;
  body: Buffer;
}

let collector: Server;
const received: Sent[] = [];
beforeAll(async () => {
  collector = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      received.push({ path: req.url!, type: req.headers['content-type']!, body: Buffer.concat(chunks) });
      res.setHeader('Content-Type', 'application/json').end('{}');
    });
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => collector.once('listening', resolve));
  const { port } = collector.address() as AddressInfo;
  process.env.OTEL_EXPORTER_OTLP_ENDPOINT = `http://127.0.0.1:${port}`;
  process.env.OTEL_RESOURCE_ATTRIBUTES = 'deployment.environment.name=test';
});
afterAll(() => collector.close());

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
const attributesOf = ({ attributes }: Pick<Span, 'attributes'>) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));

/** Asks a service that sends traces this way; what it sent is complete once it is closed. */
async function ask(traces: 'http/json' | 'http/protobuf'): Promise<Sent[]> {
  received.length = 0;
  const server = await startTestServer({ traces });
  const search = (bytes: Buffer) => request(server.url).post('/v1/search?k=3').type('image/jpeg').send(bytes);
  const red = await picture('red', 1);
  await search(red).set('traceparent', `00-${TRACE}-${PARENT}-01`).set('X-Request-Id', 'mine').expect(200);
  await search(HEIC).expect(415);
  await search(red)
    .set('traceparent', `00-${TRACE}-${PARENT}-00`)
    .set('X-Request-Id', 'unsampled')
    .expect(200);
  await server.close();
  return [...received];
}

describe('traces', () => {
  it('have a span a request in the caller’s trace, and one in it for each stage', async () => {
    const sent = await ask('http/json');
    expect(new Set(sent.map(({ path, type }) => `${path} ${type}`))).toEqual(
      new Set(['/v1/traces application/json']),
    );
    const resources = sent.flatMap(({ body }) => JSON.parse(body.toString()).resourceSpans);
    expect(attributesOf(resources[0].resource)).toMatchObject({
      'service.name': 'lookalike',
      'deployment.environment.name': 'test',
    });
    const spans: Span[] = resources.flatMap(({ scopeSpans }) =>
      scopeSpans.flatMap(({ spans }: never) => spans),
    );

    const whole = spans.find((span) => attributesOf(span)['lookalike.request_id'] === 'mine')!;
    expect(whole).toMatchObject({ traceId: TRACE, parentSpanId: PARENT, name: 'POST /v1/search', kind: 2 });
    expect(attributesOf(whole)).toMatchObject({
      'http.request.method': 'POST',
      'http.route': '/v1/search',
      'url.path': '/v1/search',
    });
    expect(Number(attributesOf(whole)['http.response.status_code'])).toBe(200);
    const parts = spans.filter(({ parentSpanId }) => parentSpanId === whole.spanId);
    expect(parts.map(({ name }) => name)).toEqual(['receive', 'decode', 'embed', 'search', 'vote']);
    for (const part of parts) {
      expect(part.traceId).toBe(TRACE);
      expect(BigInt(part.startTimeUnixNano)).toBeGreaterThanOrEqual(
        BigInt(whole.startTimeUnixNano) - MILLISECOND,
      );
      expect(BigInt(part.endTimeUnixNano)).toBeLessThanOrEqual(BigInt(whole.endTimeUnixNano) + MILLISECOND);
    }

    const refused = spans.find((span) => attributesOf(span)['error.type'] === 'unsupported_image')!;
    expect(refused.traceId).not.toBe(TRACE);
    expect(refused.status.code ?? 0).toBe(0); // the caller's fault, not the service's
    // The caller did not want this one recorded.
    expect(spans.some((span) => attributesOf(span)['lookalike.request_id'] === 'unsampled')).toBe(false);
  });

  it('come as protobuf too', async () => {
    const sent = await ask('http/protobuf');
    const bytes = Buffer.concat(sent.map(({ body }) => body));
    expect(sent[0]).toMatchObject({ path: '/v1/traces', type: 'application/x-protobuf' });
    for (const part of [Buffer.from(TRACE, 'hex'), Buffer.from('POST /v1/search'), Buffer.from('embed')])
      expect(bytes.includes(part)).toBe(true);
  });

  it('cost nothing where nobody wants them', async () => {
    const app = fileURLToPath(new URL('../../dist/app.js', import.meta.url));
    const script = `await import(${JSON.stringify(app)});
      const { createRequire } = await import('node:module');
      const loaded = Object.keys(createRequire(${JSON.stringify(app)}).cache);
      console.log(JSON.stringify([loaded.length > 0, loaded.some((path) => /@opentelemetry.(?:sdk|exporter|otlp)/.test(path))]));`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
    expect(JSON.parse(stdout)).toEqual([true, false]);
  });
});

/** The wall clock and the clock of the spans may differ by a part of this. */
const MILLISECOND = 1_000_000n;
