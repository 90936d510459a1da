import type { Express } from 'express';
import { z } from 'zod';
import { LookalikeError } from '../core/errors.js';
import { JOB_KINDS, JOB_STATES } from '../core/types.js';
import { jobEvents } from './job-events.js';
import { linkNextPage } from './next-page.js';
import { noParameters, oneOf, parseParameters, queryOf, shortText, wholeNumber } from './parameters.js';
import { resource } from './routes.js';
import { withoutUndefined } from './search-parameters.js';
import type { RouteParts } from './server.js';

/** Long tasks: `/v1/jobs` lists them, `/v1/jobs/{id}` shows and cancels one, `/v1/jobs/{id}/events` tells its changes. */
const listParameters = z.object({
  limit: wholeNumber(1, 1000).default(100),
  collection: shortText(64).optional(), // also one that is gone: its history is not
  kind: oneOf(JOB_KINDS).optional(),
  state: oneOf(JOB_STATES).optional(),
  cursor: shortText(64).optional(),
});

export function jobRoutes(app: Express, parts: RouteParts): void {
  const { service } = parts;
  resource(app, '/v1/jobs', {
    get(req, res) {
      const query = queryOf(req);
      const { limit, cursor, ...asked } = parseParameters(listParameters, query);
      if (cursor !== undefined && !service.job(cursor))
        throw new LookalikeError('invalid_parameter', 'cursor is not one that this list gave', {
          field: 'cursor',
        });
      const filter = withoutUndefined({ ...asked, after: cursor });
      const found = service.jobs(limit + 1, filter);
      const jobs = found.slice(0, limit);
      const next_cursor = found.length > limit ? jobs.at(-1)!.id : null;
      linkNextPage(req, res, next_cursor);
      res.set('Cache-Control', 'no-cache').json({ jobs, next_cursor });
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
    delete(req, res) {
      noParameters(req);
      res.status(202).json(service.cancelJob(String(req.params.id)));
    },
  });

  resource(app, '/v1/jobs/:id/events', { get: jobEvents(parts) });
}
