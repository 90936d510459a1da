import type { components } from './schema.js';

type Body = components['schemas']['Problem'];

/** A refusal of the server, in its own words (RFC 9457). */
export class Problem extends Error {
  readonly status: number;
  readonly code: Body['code'] | 'unknown'; // unknown: the answer was none of lookalike's
  readonly field: string | undefined;
  readonly requestId: string | undefined;
  readonly retryAfter: number | undefined; // seconds

  constructor(response: Response, body: Partial<Body>) {
    super(body.detail ?? `the server answered ${response.status}`);
    this.name = 'Problem';
    this.status = response.status;
    this.code = body.code ?? 'unknown';
    this.field = body.field;
    this.requestId = body.request_id ?? response.headers.get('x-request-id') ?? undefined;
    const wait = Number(response.headers.get('retry-after') ?? Number.NaN);
    this.retryAfter = Number.isFinite(wait) ? wait : undefined;
  }
}

/** What the server refused with; its body need not be JSON when a proxy answered. */
export async function problemOf(response: Response): Promise<Problem> {
  const body: unknown = await response.json().catch(() => ({}));
  return new Problem(response, typeof body === 'object' && body !== null ? (body as Partial<Body>) : {});
}
