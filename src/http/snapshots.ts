import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { Express } from 'express';
import { noParameters } from './parameters.js';
import { queueing } from './reply.js';
import { resource } from './routes.js';
import type { RouteParts } from './server.js';

/** Backups: `POST /v1/snapshots` writes one as a job, the other routes list, hand out and remove what was written. */
export function snapshotRoutes(app: Express, { service, idempotency }: RouteParts): void {
  const { snapshots } = service;
  resource(app, '/v1/snapshots', {
    async get(req, res) {
      noParameters(req);
      res.set('Cache-Control', 'no-cache').json({ snapshots: await snapshots.list() });
    },
    async post(req, res) {
      noParameters(req);
      await idempotency.answer({ req, res, content: '' }, queueing(snapshots.start));
    },
  });

  resource(app, '/v1/snapshots/:id', {
    async get(req, res) {
      noParameters(req);
      const id = String(req.params.id);
      const path = await snapshots.path(id);
      const { size } = await stat(path);
      res.set({
        'Content-Type': 'application/x-tar',
        'Content-Length': String(size),
        'Content-Disposition': `attachment; filename="lookalike-${id}.tar"`,
        'Cache-Control': 'private, no-cache',
      });
      if (req.method === 'HEAD') return void res.end();
      await pipeline(createReadStream(path), res);
    },
    async delete(req, res) {
      noParameters(req);
      await snapshots.remove(String(req.params.id));
      res.status(204).end();
    },
  });
}
