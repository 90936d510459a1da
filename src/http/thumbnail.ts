import { createHash } from 'node:crypto';
import type { Express, RequestHandler } from 'express';
import { z } from 'zod';
import { contextOf } from './context.js';
import { collectionParameter, parseParameters, queryOf } from './parameters.js';
import { resource } from './routes.js';
import type { RouteParts } from './server.js';

/** `GET /v1/images/{id}/thumbnail`: our own small WebP of a picture, never the file that was given to us. */
export function thumbnailRoutes(app: Express, parts: RouteParts): void {
  resource(app, '/v1/images/:id/thumbnail', { get: thumbnail(parts) });
}

/** Answers 304 by ETag; a browser asks again after five minutes, since an id may get another picture. */
function thumbnail({ service, gates }: RouteParts): RequestHandler {
  return async (req, res) => {
    const { collection } = parseParameters(z.object({ collection: collectionParameter }), queryOf(req));
    const leave = await gates.thumbnail.enter({ signal: contextOf(res).signal });
    try {
      const bytes = Buffer.from(await service.thumbnail(String(req.params.id), collection));
      const etag = `"${createHash('sha256').update(bytes).digest('base64url')}"`;
      res.set({ ETag: etag, 'Cache-Control': 'private, max-age=300' }).type('image/webp').send(bytes);
    } finally {
      leave();
    }
  };
}
