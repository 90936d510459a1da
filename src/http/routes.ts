import type { Express, Request, RequestHandler, Response } from 'express';
import { LookalikeError } from '../core/errors.js';

/** One path and its methods, in one place: what is not among them is answered 405 with `Allow`. */
export type Methods = { get?: RequestHandler; post?: RequestHandler };

/** Adds the resource at `path`. HEAD comes with GET. */
export function resource(app: Express, path: string, { get, post }: Methods): void {
  const route = app.route(path);
  if (get) route.get(get);
  if (post) route.post(post);
  const allowed = [...(get ? ['GET', 'HEAD'] : []), ...(post ? ['POST'] : [])];
  route.all((req, res) => refuseMethod(req, res, allowed));
}

/** Throws `method_not_allowed` and says in `Allow` what would be. */
export function refuseMethod(req: Request, res: Response, allowed: readonly string[]): never {
  const list = allowed.join(', ');
  res.set('Allow', list);
  throw new LookalikeError('method_not_allowed', `${req.path} knows ${list}, got ${req.method}`);
}
