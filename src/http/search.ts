import type { Express, RequestHandler } from 'express';
import { type Settled, succeeded, unwrap } from '../core/settled.js';
import { picturesOf } from '../flow/query.js';
import type { BatchRequest, Query, SearchRequest } from '../flow/service.js';
import { admit } from './admission.js';
import { type Body, createBodyReader } from './bodies.js';
import { queryOf, type RawParameters } from './parameters.js';
import { problemOf } from './problem.js';
import { resource } from './routes.js';
import { LIMITS, readQueries, readQuery } from './search-body.js';
import { createParameterReader, type ParameterReader } from './search-parameters.js';
import type { HttpSettings, RouteParts } from './server.js';

/** `POST /v1/search`: a query in, its neighbours and labels out. `POST /v1/search/batch`: up to 64 queries. */
export function searchRoutes(app: Express, parts: RouteParts): void {
  resource(app, '/v1/search', { post: search(parts) });
  resource(app, '/v1/search/batch', { post: searchBatch(parts) });
}

/** Values in the JSON of one query: 16 vectors of the longest kind, and what stands around them. */
const VALUES = 16 * 2048 + 2048;

function search(parts: RouteParts): RequestHandler {
  const { service, settings } = parts;
  const reader = createBodyReader(settings, { pictures: 1, values: VALUES });
  const parameters = createParameterReader(settings.maxK);
  return async (req, res) => {
    const raw = queryOf(req);
    parameters.check(raw);
    await admit(
      parts,
      { req, res },
      {
        reader,
        understand(body) {
          const asked = requestOf(body, raw, { parameters, settings });
          const milliseconds = service.searchCost(asked, 1);
          return { asked, pictures: picturesOf(asked.query).length, milliseconds };
        },
        answer: (asked, { timed, signal }) => service.search({ ...asked, signal }, timed),
      },
    );
  };
}

function searchBatch(parts: RouteParts): RequestHandler {
  const { service, settings } = parts;
  const { queries: pictures } = LIMITS;
  const reader = createBodyReader(settings, { pictures, values: pictures * VALUES });
  const parameters = createParameterReader(settings.maxK);
  return async (req, res) => {
    const raw = queryOf(req);
    parameters.check(raw);
    await admit(
      parts,
      { req, res },
      {
        reader,
        understand(body) {
          const asked = batchOf(body, raw, { parameters, settings });
          const milliseconds = service.searchCost(asked, asked.queries.length);
          return { asked, pictures: asked.queries.flatMap(picturesOf).length, milliseconds };
        },
        async answer(asked, { timed, signal }) {
          const results = await service.searchAll({ ...asked, signal }, timed);
          return {
            results: results.map((one) => (succeeded(one) ? one : { error: problemOf(one, res, parts) })),
          };
        },
      },
    );
  };
}

interface Reading {
  parameters: ParameterReader;
  settings: HttpSettings;
}

function requestOf(body: Body, raw: RawParameters, { parameters, settings }: Reading): SearchRequest {
  if (body.kind === 'json') {
    const { query, parameters: given } = readQuery(body.value, settings);
    return { query, ...parameters.withBody(raw, given) };
  }
  const { files, fields } = body.uploads;
  const query: Query = { kind: 'image', bytes: unwrap(files[0]!) };
  return { query, ...parameters.withForm(raw, fields) };
}

function batchOf(body: Body, raw: RawParameters, { parameters, settings }: Reading): BatchRequest {
  if (body.kind === 'json') {
    const { queries, parameters: given } = readQueries(body.value, settings);
    return { queries, ...parameters.withBody(raw, given) };
  }
  const { files, fields } = body.uploads;
  const asQuery = (file: Settled<Buffer>): Settled<Query> =>
    succeeded(file) ? { kind: 'image', bytes: file } : file;
  return { queries: files.map(asQuery), ...parameters.withForm(raw, fields) };
}
