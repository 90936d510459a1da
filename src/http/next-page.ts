import type { Request, Response } from 'express';
import { queryOf } from './parameters.js';

/** Sets `Link` (RFC 8288) to the same list from `cursor` on; nothing on the last page, which has none. */
export function linkNextPage(req: Request, res: Response, cursor: string | null | undefined): void {
  if (!cursor) return;
  const query = new URLSearchParams();
  for (const [name, values] of queryOf(req)) for (const one of values) query.append(name, one);
  query.set('cursor', cursor);
  res.set('Link', `<${req.path}?${query}>; rel="next"`);
}
