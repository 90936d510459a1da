import type { Express, Request, RequestHandler } from 'express';
import { z } from 'zod';
import { parseWhere } from '../core/where.js';
import type { Added, ImageView } from '../flow/service.js';
import { contextOf } from './context.js';
import {
  addParameters,
  collectionOnly,
  cursorOf,
  imageId,
  LABEL_LENGTH,
  listParameters,
  placeOf,
  putParameters,
  readWriteParameters,
} from './image-parameters.js';
import { readJson } from './json-body.js';
import { linkNextPage } from './next-page.js';
import { parseParameters, queryOf } from './parameters.js';
import { etagOf, preconditionsOf } from './preconditions.js';
import { contentOf, createReceiver, type Receiver } from './receive.js';
import { type Reply, send } from './reply.js';
import { resource } from './routes.js';
import { withoutUndefined } from './search-parameters.js';
import type { RouteParts } from './server.js';

/** Pictures as a resource: `/v1/images` lists and adds, `/v1/images/{id}` reads, replaces, edits and removes one. */
export function imageRoutes(app: Express, parts: RouteParts): void {
  const receiver = createReceiver(parts);
  resource(app, '/v1/images', { get: list(parts), post: add(parts, receiver) });
  resource(app, '/v1/images/:id', {
    get: read(parts),
    put: put(parts, receiver),
    patch: edit(parts),
    delete: remove(parts),
  });
}

const NO_FIELDS = new Map<string, string[]>();
const idOf = (req: Request): string => String(req.params.id);

function add({ service, idempotency }: RouteParts, { receive }: Receiver): RequestHandler {
  return async (req, res) => {
    const { signal, watch } = contextOf(res);
    const query = queryOf(req);
    readWriteParameters(addParameters, { query, fields: NO_FIELDS }); // a bad query is refused before the upload
    await receive(req, res, async (upload) => {
      const given = readWriteParameters(addParameters, { query, fields: upload.fields });
      await idempotency.answer({ req, res, content: contentOf(upload) }, async (keep) => {
        const onCommit = (added: Added) => keep(replyOf(added));
        const request = { label: null, metadata: {}, ...given, bytes: upload.bytes, signal, onCommit };
        return replyOf(await service.addImage(request, watch.timed));
      });
    });
  };
}

function put({ service }: RouteParts, { receive }: Receiver): RequestHandler {
  return async (req, res) => {
    const { signal, watch } = contextOf(res);
    const query = queryOf(req);
    const id = imageId(idOf(req));
    readWriteParameters(putParameters, { query, fields: NO_FIELDS });
    await receive(req, res, async ({ bytes, fields }) => {
      const given = readWriteParameters(putParameters, { query, fields });
      const request = { label: null, metadata: {}, ...given, ...preconditionsOf(req), id, bytes, signal };
      send(res, replyOf(await service.putImage(request, watch.timed)));
    });
  };
}

/** A merge patch of what may be edited; null removes. */
const patch = z.object({
  label: z.string().min(1).max(LABEL_LENGTH).nullable().optional(),
  metadata: z.unknown().optional(),
});

function edit({ service }: RouteParts): RequestHandler {
  return async (req, res) => {
    const given = withoutUndefined(parseParameters(collectionOnly, queryOf(req)));
    const changes = withoutUndefined(await readJson(req, res, patch));
    const image = service.editImage({ ...given, ...changes, ...preconditionsOf(req), id: idOf(req) });
    send(res, { status: 200, headers: { ETag: etagOf(image) }, body: image });
  };
}

function remove({ service }: RouteParts): RequestHandler {
  return async (req, res) => {
    const given = withoutUndefined(parseParameters(collectionOnly, queryOf(req)));
    await service.removeImage({ ...given, ...preconditionsOf(req), id: idOf(req) });
    res.status(204).end();
  };
}

function read({ service }: RouteParts): RequestHandler {
  return (req, res) => {
    const { collection } = parseParameters(collectionOnly, queryOf(req));
    const image = service.image(idOf(req), collection);
    res.set({ ETag: etagOf(image), 'Cache-Control': 'no-cache' }).json(image);
  };
}

function list({ service }: RouteParts): RequestHandler {
  return async (req, res) => {
    const query = queryOf(req);
    const { cursor, limit, label: labels, where, ...rest } = parseParameters(listParameters, query);
    const { signal } = contextOf(res);
    const found = await service.images({
      ...withoutUndefined(rest),
      signal,
      ...(where !== undefined && { where: parseWhere(where) }),
      ...(labels && { labels }),
      ...(cursor !== undefined && { after: placeOf(cursor, rest.order) }),
      limit: limit + 1,
    });
    const images = found.slice(0, limit);
    const next_cursor = found.length > limit ? cursorOf(rest.order, images.at(-1)!) : null;
    linkNextPage(req, res, next_cursor);
    res.set('Cache-Control', 'no-cache').json({ images, next_cursor });
  };
}

function replyOf({ image, created }: Added): Reply {
  const headers = { ETag: etagOf(image), ...(created && { Location: pathOf(image) }) };
  return { status: created ? 201 : 200, headers, body: image };
}

/** The thumbnail lies below the picture's own path. */
const pathOf = ({ thumbnail }: ImageView): string => thumbnail.replace('/thumbnail', '');
