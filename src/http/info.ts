import type { Express } from 'express';
import { noParameters } from './parameters.js';
import { resource } from './routes.js';
import type { RouteParts } from './server.js';

/** `GET /v1/info`: model, collection, index, engines, limits and versions. */
export function infoRoutes(app: Express, { service }: RouteParts): void {
  resource(app, '/v1/info', {
    get(req, res) {
      noParameters(req);
      res.set('Cache-Control', 'no-cache').json(service.info());
    },
  });
}
