import type { Express } from 'express';
import { z } from 'zod';
import type { CollectionView } from '../flow/service.js';
import { hashOf } from './idempotency.js';
import { readJson } from './json-body.js';
import { noParameters } from './parameters.js';
import type { Reply } from './reply.js';
import { resource } from './routes.js';
import type { RouteParts } from './server.js';

/** Named collections: `/v1/collections` lists and makes them, `/v1/collections/{name}` reads and removes one. */
const creation = z.object({ name: z.string({ error: 'a text is wanted' }) });

export function collectionRoutes(app: Express, { service, idempotency }: RouteParts): void {
  resource(app, '/v1/collections', {
    get(req, res) {
      noParameters(req);
      res.set('Cache-Control', 'no-cache').json({ collections: service.collections() });
    },
    async post(req, res) {
      noParameters(req);
      const { name } = await readJson(req, res, creation);
      await idempotency.answer({ req, res, content: hashOf(name) }, async (keep) =>
        made(await service.createCollection(name, (view) => keep(made(view)))),
      );
    },
  });

  resource(app, '/v1/collections/:name', {
    get(req, res) {
      noParameters(req);
      res.set('Cache-Control', 'no-cache').json(service.collection(String(req.params.name)));
    },
    async delete(req, res) {
      noParameters(req);
      await service.removeCollection(String(req.params.name));
      res.status(204).end();
    },
  });
}

const made = (view: CollectionView): Reply => ({
  status: 201,
  headers: { Location: `/v1/collections/${view.name}` },
  body: view,
});
