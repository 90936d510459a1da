import type { Request, RequestHandler, Response } from 'express';
import { ipKeyGenerator, rateLimit } from 'express-rate-limit';
import { LookalikeError } from '../core/errors.js';
import { contextOf } from './context.js';
import type { HttpSettings } from './server.js';

/**
 * The quota of one caller: so many requests in a minute that begins with the first of them. Every answer
 * says in `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-08) how the caller stands.
 * A caller is a key, or an address where there are no keys (a /56 of IPv6, which one customer holds).
 * One counter a caller is kept, for two minutes at most.
 */
export function limitRate({ rateLimit: limit }: HttpSettings): RequestHandler {
  if (limit === 0) return (_req, _res, next) => next();
  return rateLimit({
    windowMs: 60_000,
    limit,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    identifier: 'requests',
    keyGenerator: callerOf,
    handler(_req, res, next) {
      const wait = res.get('Retry-After');
      const message = `${limit} requests a minute are allowed; the next one in ${wait} s`;
      next(new LookalikeError('rate_limited', message));
    },
    validate: false, // its checks are meant for development and write to the console
  });
}

function callerOf(req: Request, res: Response): string {
  const { key } = contextOf(res);
  return key === undefined ? ipKeyGenerator(req.ip ?? '') : `key ${key}`;
}
