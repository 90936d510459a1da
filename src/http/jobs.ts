import type { Express } from 'express';
import { z } from 'zod';
import { LookalikeError } from '../core/errors.js';
import { collectionParameter, noParameters, parseParameters, queryOf, wholeNumber } from './parameters.js';
import { resource } from './routes.js';
import type { RouteParts } from './server.js';

/** Long tasks: `POST /v1/reindex` starts one, `/v1/jobs` and `/v1/jobs/{id}` show them. */
const listParameters = z.object({ limit: wholeNumber(1, 1000).default(100) });

const reindexParameters = z.object({ collection: collectionParameter });

export function jobRoutes(app: Express, { service }: RouteParts): void {
  resource(app, '/v1/reindex', {
    post(req, res) {
      const { collection } = parseParameters(reindexParameters, queryOf(req));
      const job = service.reindex({ ...(collection !== undefined && { collection }) });
      res
        .status(202)
        .set('Location', `/v1/jobs/${encodeURIComponent(job.id)}`)
        .json(job);
    },
  });

  resource(app, '/v1/jobs', {
    get(req, res) {
      const { limit } = parseParameters(listParameters, queryOf(req));
      res.set('Cache-Control', 'no-cache').json({ jobs: service.jobs(limit) });
    },
  });

  resource(app, '/v1/jobs/:id', {
    get(req, res) {
      noParameters(req);
      const id = String(req.params.id);
      const job = service.job(id);
      if (!job) throw new LookalikeError('not_found', `there is no job "${id.slice(0, 60)}"`);
      res.set('Cache-Control', 'no-cache').json(job);
    },
  });
}
