import type { Express } from 'express';
import { z } from 'zod';
import { LookalikeError } from '../core/errors.js';
import { collectionParameter, oneOf, parseParameters, queryOf, shortText } from './parameters.js';
import { queueing } from './reply.js';
import { resource } from './routes.js';
import type { RouteParts } from './server.js';

/**
 * `POST /v1/reindex`: the index anew from the bank, or with another model; `/v1/reindex/switch` and
 * `/v1/reindex/rollback` choose between models that are prepared. Each is a job.
 */
const model = shortText(256).optional();
const missing = oneOf(['refuse', 'drop']).optional();
const keep_previous = oneOf(['true', 'false'])
  .transform((word) => word === 'true')
  .optional();
const when = oneOf(['auto', 'manual']).optional();

const reindexParameters = z.object({
  collection: collectionParameter,
  model,
  switch: when,
  missing,
  keep_previous,
});
const switchParameters = z.object({ collection: collectionParameter, model, missing, keep_previous });
const rollbackParameters = z.object({ collection: collectionParameter, missing });

export function reindexRoutes(app: Express, { service, idempotency }: RouteParts): void {
  resource(app, '/v1/reindex', {
    async post(req, res) {
      const { model, ...others } = given(parseParameters(reindexParameters, queryOf(req)));
      const { collection, ...ofSwap } = others;
      const [pointless] = Object.keys(ofSwap);
      if (model === undefined && pointless !== undefined)
        throw new LookalikeError(
          'invalid_parameter',
          `${pointless} says how to swap to another model; it needs model`,
          { field: pointless },
        );
      const request = { ...others, ...(model !== undefined && { model }) };
      await idempotency.answer(
        { req, res, content: '' },
        queueing((onCommit) => service.reindex(request, onCommit)),
      );
    },
  });

  resource(app, '/v1/reindex/switch', {
    async post(req, res) {
      const request = given(parseParameters(switchParameters, queryOf(req)));
      await idempotency.answer(
        { req, res, content: '' },
        queueing((onCommit) => service.switchModel(request, onCommit)),
      );
    },
  });

  resource(app, '/v1/reindex/rollback', {
    async post(req, res) {
      const request = given(parseParameters(rollbackParameters, queryOf(req)));
      await idempotency.answer(
        { req, res, content: '' },
        queueing((onCommit) => service.rollback(request, onCommit)),
      );
    },
  });
}

type Given<T> = { [key in keyof T]?: Exclude<T[key], undefined> };

/** Without the parameters that were not given. */
function given<T extends object>(parameters: T): Given<T> {
  return Object.fromEntries(
    Object.entries(parameters).filter(([, value]) => value !== undefined),
  ) as Given<T>;
}
