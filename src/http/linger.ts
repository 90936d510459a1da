import type { Request, Response } from 'express';
import { hasBody, isBodyHeld } from './announced-body.js';

/**
 * Answering before the upload has been read. Closing the connection while the client still sends makes the
 * kernel reset it, and the client may lose the answer it has not read yet. So: send the whole answer, say
 * `Connection: close`, read on and throw away for a moment, then end.
 */
const LINGER_MS = 1000;

/** Ends `res` with `body`; when the request has not been read to its end, lingers first. Headers must be set. */
export function endPolitely(req: Request, res: Response, body: Buffer): void {
  res.set('Content-Length', String(body.length));
  if (req.method === 'HEAD' || req.complete || !hasBody(req)) return void res.end(body);
  res.set('Connection', 'close');
  if (isBodyHeld(req)) return void res.end(body);
  res.write(body); // all of it, by Content-Length: the client has its answer now
  const end = () => {
    clearTimeout(timer);
    res.end();
  };
  const timer = setTimeout(end, LINGER_MS);
  req.once('end', end).once('close', end);
  req.unpipe();
  req.resume();
}
