import { createHash } from 'node:crypto';
import type { Express, Request } from 'express';
import { z } from 'zod';
import { LookalikeError } from '../core/errors.js';
import { POOLINGS } from '../core/manifests.js';
import type { Service } from '../flow/service.js';
import { askForBody, hasBody } from './announced-body.js';
import { contextOf } from './context.js';
import { decimal, noParameters, oneOf, parseParameters, queryOf, shortText } from './parameters.js';
import type { Reply } from './reply.js';
import { resource } from './routes.js';
import type { RouteParts } from './server.js';

/** `/v1/models`: the encoders that collections may be of. A model is sent as a tar of its folder. */
const addParameters = z.object({
  name: shortText(100).optional(),
  output: shortText(256).optional(),
  pooling: oneOf(POOLINGS).optional(),
  temperature: decimal(0.01, 10).optional(),
});

export function modelRoutes(app: Express, { service, settings, idempotency }: RouteParts): void {
  const { models } = service;
  resource(app, '/v1/models', {
    async get(req, res) {
      noParameters(req);
      res.set('Cache-Control', 'no-cache').json({ models: await models.list() });
    },
    async post(req, res) {
      const asked = parseParameters(addParameters, queryOf(req));
      checkBody(req, settings.maxModelBytes);
      askForBody(req, res);
      const { signal } = contextOf(res);
      const body = hashed(bounded(req, settings.maxModelBytes));
      await idempotency.answerStreamed({ req, res, content: body.hash }, async () =>
        registered(await models.add(body, { ...asked, signal })),
      );
    },
  });

  resource(app, '/v1/models/:id', {
    async get(req, res) {
      noParameters(req);
      const id = String(req.params.id);
      const found = (await models.list()).find(({ sha256 }) => sha256 === id);
      if (!found)
        throw new LookalikeError('not_found', `there is no model ${JSON.stringify(id.slice(0, 70))}`);
      res.set('Cache-Control', 'no-cache').json(found);
    },
    async delete(req, res) {
      noParameters(req);
      await models.remove(String(req.params.id));
      res.status(204).end();
    },
  });
}

function checkBody(req: Request, most: number): void {
  if (!hasBody(req))
    throw new LookalikeError('malformed_body', 'the request has no body: send a tar of the model');
  if (!req.is(['application/x-tar', 'application/octet-stream']))
    throw new LookalikeError(
      'unsupported_media_type',
      `the content type must be application/x-tar, got ${req.get('content-type') ?? 'none'}`,
    );
  if (Number(req.get('content-length') ?? 0) > most) throw tooLarge(most);
}

const tooLarge = (most: number) =>
  new LookalikeError('body_too_large', `a model may have at most ${most} bytes (LOOKALIKE_MAX_MODEL_BYTES)`);

/** The body, up to its limit: a client may announce less than it sends. */
async function* bounded(req: Request, most: number): AsyncGenerator<Buffer> {
  let received = 0;
  for await (const chunk of req.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    received += chunk.length;
    if (received > most) throw tooLarge(most);
    yield chunk;
  }
}

/** The same bytes; `hash` reads what nobody has read yet, and is of all of them. */
function hashed(body: AsyncGenerator<Buffer>): AsyncIterable<Buffer> & { hash(): Promise<string> } {
  const hash = createHash('sha256');
  const next = async () => {
    const step = await body.next();
    if (!step.done) hash.update(step.value);
    return step;
  };
  return {
    [Symbol.asyncIterator]: () => ({ next }), // left early, it can still be read on
    async hash() {
      while (!(await next()).done);
      return hash.digest('hex');
    },
  };
}

const registered = (answer: Awaited<ReturnType<Service['models']['add']>>): Reply => ({
  status: answer.added ? 201 : 200,
  headers: { Location: `/v1/models/${answer.model.sha256}` },
  body: answer,
});
