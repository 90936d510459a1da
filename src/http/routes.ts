import type { Express, Request, RequestHandler, Response } from 'express';
import { LookalikeError } from '../core/errors.js';

/** One path and its methods, in one place: what is not among them is answered 405 with `Allow`. */
export type Methods = Partial<Record<'get' | 'post' | 'put' | 'patch' | 'delete', RequestHandler>>;

/** Adds the resource at `path`. HEAD comes with GET. */
export function resource(app: Express, path: string, methods: Methods): void {
  const route = app.route(path);
  const allowed: string[] = [];
  for (const [method, handler] of Object.entries(methods)) {
    route[method as keyof Methods](handler);
    allowed.push(...(method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()]));
  }
  route.all((req, res) => refuseMethod(req, res, allowed));
}

/** Throws `method_not_allowed` and says in `Allow` what would be. */
export function refuseMethod(req: Request, res: Response, allowed: readonly string[]): never {
  const list = allowed.join(', ');
  res.set('Allow', list);
  throw new LookalikeError('method_not_allowed', `${req.path} knows ${list}, got ${req.method}`);
}
