import { createHash } from 'node:crypto';
import type { Request, Response } from 'express';
import { LookalikeError } from '../core/errors.js';
import type { AnswerStore } from '../core/ports.js';
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
}

interface Exchange {
  req: Request;
  res: Response;
  content: string;
}

export function createIdempotency(answers: AnswerStore): Idempotency {
  const running = new Map<string, string>(); // key -> fingerprint

  return {
    async answer({ req, res, content }, produce) {
      const key = keyOf(req);
      if (key === null) return send(res, await produce(() => undefined));
      const fingerprint = hashOf(req.method, req.originalUrl, content);
      const kept = answers.answer(key);
      const before = kept?.fingerprint ?? running.get(key);
      if (before !== undefined && before !== fingerprint) throw mismatch();
      if (kept) {
        const { status, headers, body } = kept;
        return send(res, { status, headers: { ...headers, ...REPLAYED }, body: JSON.parse(body) });
      }
      if (before !== undefined) throw inProgress();
      running.set(key, fingerprint);
      const keep = ({ status, headers, body }: Reply) =>
        answers.keepAnswer(key, { fingerprint, status, headers, body: JSON.stringify(body) });
      try {
        const reply = await produce(keep);
        keep(reply); // the first one stays
        send(res, reply);
      } finally {
        running.delete(key);
      }
    },
  };
}

const REPLAYED = { 'Idempotency-Replayed': 'true' };
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
