import { createHash, timingSafeEqual } from 'node:crypto';
import type { Request, RequestHandler } from 'express';
import { LookalikeError } from '../core/errors.js';
import { contextOf } from './context.js';
import type { HttpSettings } from './server.js';

/** Who may ask: by key where keys are set; by the name of this machine where not. Both before a body is read. */

const digest = (key: string): Buffer => createHash('sha256').update(key).digest();

/**
 * Asks for one of `keys` in `Authorization: Bearer` or `X-API-Key`; with no keys it lets everyone pass.
 * Digests have one length and every key is compared, so the time taken says nothing about a key.
 */
export function requireKey(keys: readonly string[]): RequestHandler {
  const known = keys.map(digest);
  return (req, res, next) => {
    if (known.length === 0) return next();
    const places = presented(req).map((key) => placeOf(digest(key), known));
    const key = places.find((place) => place >= 0);
    if (key !== undefined) {
      contextOf(res).key = key;
      return next();
    }
    throw new LookalikeError(
      'unauthorized',
      'a valid key is needed: send "Authorization: Bearer <key>" or "X-API-Key: <key>"',
    );
  };
}

/** The keys that a request shows, right or wrong. */
export function presented(req: Request): string[] {
  const bearer = /^Bearer +(\S+) *$/i.exec(req.get('authorization') ?? '')?.[1];
  return [bearer, req.get('x-api-key')].filter((key) => key !== undefined);
}

/** The place of the candidate among the known, -1 when it is none of them. */
function placeOf(candidate: Buffer, known: readonly Buffer[]): number {
  let found = -1;
  known.forEach((key, place) => {
    if (timingSafeEqual(candidate, key)) found = place;
  });
  return found;
}

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];
const SAFE_METHODS = new Set(['GET', 'HEAD']);

/**
 * Without keys, every page that the user visits could talk to this server. Two checks keep them out:
 * the `Host` must be one of ours (a foreign name that resolves to this machine is DNS rebinding), and what
 * changes or costs something must not come from a page of another origin.
 * With keys, both pass: a foreign page has no key, and browsers keep none for it.
 */
export function checkHost({ apiKeys, noAuth, allowedHosts }: HttpSettings): RequestHandler {
  const ours = new Set([...LOOPBACK, ...allowedHosts.map((host) => host.toLowerCase())]);
  return (req, _res, next) => {
    if (apiKeys.length > 0) return next();
    const host = req.get('host') ?? '';
    if (!noAuth && !ours.has(hostName(host)))
      throw new LookalikeError(
        'forbidden',
        `this server does not answer to the host name "${hostName(host)}"`,
      );
    const origin = req.get('origin');
    if (origin !== undefined && !SAFE_METHODS.has(req.method) && !isSameOrigin(origin, host))
      throw new LookalikeError(
        'forbidden',
        `requests from pages of another origin need a key, got "${origin}"`,
      );
    next();
  };
}

/** `name:port`, `1.2.3.4:port` or `[::1]:port` without the port, in lower case. */
function hostName(host: string): string {
  return host.toLowerCase().replace(/:\d*$/, '');
}

function isSameOrigin(origin: string, host: string): boolean {
  return URL.canParse(origin) && new URL(origin).host === host.toLowerCase();
}
