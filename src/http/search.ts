import type { Express, RequestHandler } from 'express';
import { LookalikeError } from '../core/errors.js';
import { contextOf } from './context.js';
import { queryOf } from './parameters.js';
import { resource } from './routes.js';
import { readSearchParameters, searchParameters } from './search-parameters.js';
import type { RouteParts } from './server.js';
import { createUploadReader } from './upload.js';

/** `POST /v1/search`: a picture in, its neighbours and labels out. */
export function searchRoutes(app: Express, parts: RouteParts): void {
  resource(app, '/v1/search', { post: search(parts) });
}

/**
 * Two gates: bytes first, since a body takes memory from its first chunk on; then a place to compute, taken
 * only when the picture is here, so that slow senders hold no place.
 */
function search({ service, settings, gates }: RouteParts): RequestHandler {
  const reader = createUploadReader(settings.maxBytes);
  const schema = searchParameters(settings.maxK);

  return async (req, res) => {
    const { signal, watch } = contextOf(res);
    const query = queryOf(req);
    readSearchParameters(schema, { query, fields: new Map() }); // a bad query is refused before the upload
    const weight = reader.weigh(req);
    if (gates.search.full)
      throw new LookalikeError('overloaded', 'as many searches as may run and wait are here');

    const leaveUpload = await gates.upload.enter({ weight, signal });
    try {
      const { bytes, fields } = await watch.timed('receive', () => reader.read(req, res));
      const parameters = readSearchParameters(schema, { query, fields });
      const leaveSearch = await gates.search.enter({ signal });
      try {
        res.json(await service.search({ bytes, ...parameters, signal }, watch.timed));
      } finally {
        leaveSearch();
      }
    } finally {
      leaveUpload();
    }
  };
}
