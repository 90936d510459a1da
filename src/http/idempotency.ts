import { createHash } from 'node:crypto';
import type { Request, Response } from 'express';
import { LookalikeError } from '../core/errors.js';
import type { AnswerStore, KeptAnswer } from '../core/ports.js';
import { presented } from './access.js';
import { type Reply, send } from './reply.js';

/**
 * `Idempotency-Key`: a write that is sent again under its key is not done again; its answer is. A refusal is not kept: what was
 * refused did nothing, and may be asked again. Keys belong to the API key that they came with.
 */
export interface Idempotency {
  /**
   * Answers `req`, whose body has the hash `content`. `produce` does the work; it may hand its answer to `keep` inside the
   * transaction of the work, so that no crash comes between the two. Throws `invalid_parameter` (the key),
   * `idempotency_in_progress`, `idempotency_mismatch` and what `produce` throws.
   */
  answer(exchange: Exchange, produce: (keep: (reply: Reply) => void) => Promise<Reply>): Promise<void>;
  /**
   * The same for a body that is read while the work is done. Its answer is kept after the work: that it may then be done
   * once more after a crash must be harmless.
   */
  answerStreamed(exchange: StreamedExchange, produce: () => Promise<Reply>): Promise<void>;
}

interface Exchange {
  req: Request;
  res: Response;
  content: string;
}

interface StreamedExchange extends Omit<Exchange, 'content'> {
  /** Reads what is left of the body; resolves to the hash of all of it. */
  content: () => Promise<string>;
}

export function createIdempotency(answers: AnswerStore): Idempotency {
  const running = new Map<string, string | null>(); // key -> fingerprint; null while that is not known

  const keep = (key: string, fingerprint: string, { status, headers, body }: Reply) =>
    answers.keepAnswer(key, { fingerprint, status, headers, body: JSON.stringify(body) });

  /** Alone under the key until it ends. */
  async function alone(key: string, fingerprint: string | null, step: () => Promise<Reply>): Promise<Reply> {
    running.set(key, fingerprint);
    try {
      return await step();
    } finally {
      running.delete(key);
    }
  }

  return {
    async answer({ req, res, content }, produce) {
      const key = keyOf(req);
      if (key === null) return send(res, await produce(() => undefined));
      const fingerprint = fingerprintOf(req, content);
      const kept = answers.answer(key);
      if (kept) return send(res, replayed(kept, fingerprint));
      const other = running.get(key);
      if (typeof other === 'string' && other !== fingerprint) throw mismatch();
      if (other !== undefined) throw inProgress();
      const reply = await alone(key, fingerprint, async () => {
        const made = await produce((early) => keep(key, fingerprint, early));
        keep(key, fingerprint, made); // the first one stays
        return made;
      });
      send(res, reply);
    },
    async answerStreamed({ req, res, content }, produce) {
      const key = keyOf(req);
      if (key === null) return send(res, await produce());
      const kept = answers.answer(key);
      if (kept) return send(res, replayed(kept, fingerprintOf(req, await content())));
      if (running.has(key)) throw inProgress();
      const reply = await alone(key, null, async () => {
        const made = await produce();
        keep(key, fingerprintOf(req, await content()), made);
        return made;
      });
      send(res, reply);
    },
  };
}

const REPLAYED = { 'Idempotency-Replayed': 'true' };

function replayed({ status, headers, body, ...kept }: KeptAnswer, fingerprint: string): Reply {
  if (kept.fingerprint !== fingerprint) throw mismatch();
  return { status, headers: { ...headers, ...REPLAYED }, body: JSON.parse(body) };
}

const fingerprintOf = (req: Request, content: string): string => hashOf(req.method, req.originalUrl, content);

const HEADER = 'Idempotency-Key';
const ALLOWED = /^[\x21-\x7e]{1,255}$/;

/** One hash of several parts; the lengths keep them apart. */
export function hashOf(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest('hex');
}

/** The name under which the answer is kept; it holds no API key in the clear. */
function keyOf(req: Request): string | null {
  const given = req.get(HEADER);
  if (given === undefined) return null;
  if (ALLOWED.test(given)) return hashOf(...presented(req), given);
  throw new LookalikeError(
    'invalid_parameter',
    `${HEADER} must have 1 to 255 visible ASCII characters, got ${JSON.stringify(given.slice(0, 60))}`,
    { field: HEADER },
  );
}

const mismatch = () =>
  new LookalikeError(
    'idempotency_mismatch',
    `this ${HEADER} came with another request before: a new request needs a new key`,
    { field: HEADER },
  );

const inProgress = () =>
  new LookalikeError('idempotency_in_progress', `the request with this ${HEADER} is still running`, {
    field: HEADER,
  });
