import type { Express, Request, Response } from 'express';
import { z } from 'zod';
import { LookalikeError } from '../core/errors.js';
import { NEAR_DUPLICATE } from '../core/leave-one-out.js';
import type { Reported, ReportPage, ReportPlace } from '../flow/service.js';
import { linkNextPage } from './next-page.js';
import {
  collectionParameter,
  decimal,
  parseParameters,
  queryOf,
  shortText,
  wholeNumber,
} from './parameters.js';
import { resource } from './routes.js';
import type { RouteParts } from './server.js';

/** `GET /v1/duplicates` and `GET /v1/reports/labels`: a page of a report, or 202 with the job that makes it. */

/** Scores are told apart in hundredths: each one that is asked for is a report of its own. */
const hundredths = (score: number) => Math.round(score * 100) / 100;

const pageParameters = z.object({
  collection: collectionParameter,
  limit: wholeNumber(1, 100).default(20),
  cursor: shortText(200).optional(),
});
const duplicatesParameters = pageParameters.extend({
  min_score: decimal(0.5, 1).default(NEAR_DUPLICATE).transform(hundredths),
});

export function reportRoutes(app: Express, { service }: RouteParts): void {
  resource(app, '/v1/duplicates', {
    get(req, res) {
      const { min_score, ...page } = parseParameters(duplicatesParameters, queryOf(req));
      tell(req, res, service.duplicates({ min_score, ...requestOf(page) }));
    },
  });
  resource(app, '/v1/reports/labels', {
    get(req, res) {
      tell(req, res, service.labelReport(requestOf(parseParameters(pageParameters, queryOf(req)))));
    },
  });
}

function requestOf({ collection, limit, cursor }: z.output<typeof pageParameters>) {
  return {
    limit,
    ...(collection !== undefined && { collection }),
    ...(cursor !== undefined && { after: placeOf(cursor) }),
  };
}

/** Seconds after which to look again for a report that is being made. */
const RETRY_AFTER = 2;

function tell(req: Request, res: Response, { page, job }: Reported<ReportPage>): void {
  res.set('Cache-Control', 'no-cache');
  if (job) res.set('Location', `/v1/jobs/${encodeURIComponent(job.id)}`);
  if (!page) return void res.status(202).set('Retry-After', String(RETRY_AFTER)).json(job);
  const { next, ...shown } = page;
  const next_cursor = next && cursorOf(next);
  linkNextPage(req, res, next_cursor);
  res.json({ ...shown, next_cursor, job: job?.id ?? null });
}

const place = z.tuple([z.iso.datetime(), z.int().positive()]);

/** Where a page ended, for the caller to hand back as it is. */
const cursorOf = ({ computed_at, place }: ReportPlace): string =>
  Buffer.from(JSON.stringify([computed_at, place])).toString('base64url');

/** Throws `invalid_parameter` for a cursor that is none of ours. */
function placeOf(text: string): ReportPlace {
  try {
    const [computed_at, at] = place.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
    return { computed_at, place: at };
  } catch (cause) {
    throw new LookalikeError(
      'invalid_parameter',
      `the cursor must be one that a report gave, got ${JSON.stringify(text.slice(0, 60))}`,
      { field: 'cursor', cause },
    );
  }
}
