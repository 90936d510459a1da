import type { Express } from 'express';
import { z } from 'zod';
import { collectionParameter, parseParameters, queryOf } from './parameters.js';
import { resource } from './routes.js';
import type { RouteParts } from './server.js';

/** `GET /v1/info`: model, collection, index, engines, limits and versions. */
const parameters = z.object({ collection: collectionParameter });

export function infoRoutes(app: Express, { service }: RouteParts): void {
  resource(app, '/v1/info', {
    get(req, res) {
      const { collection } = parseParameters(parameters, queryOf(req));
      res.set('Cache-Control', 'no-cache').json(service.info(collection));
    },
  });
}
