import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { Express, Request, RequestHandler, Response } from 'express';
import { DEFAULT_COLLECTION } from '../core/collection-name.js';
import type { SpooledUpload } from '../core/import-entry.js';
import type { ImportRequest, JobAnswer, OnCommit } from '../flow/service.js';
import { hasBody } from './announced-body.js';
import { contextOf } from './context.js';
import { hashOf } from './idempotency.js';
import { announced, formatOf, importBody, importParameters, tooLarge } from './import-parameters.js';
import { isJson, readJson } from './json-body.js';
import { longBody } from './long-body.js';
import { noParameters, parseParameters, queryOf } from './parameters.js';
import { queueing } from './reply.js';
import { resource } from './routes.js';
import { withoutUndefined } from './search-parameters.js';
import type { RouteParts } from './server.js';

/**
 * `POST /v1/imports`: many pictures or vectors as a job. What is sent goes onto the disk before anything is made of it, so
 * that it may be larger than memory and a restart goes on with it.
 */
export function importRoutes(app: Express, parts: RouteParts): void {
  resource(app, '/v1/imports', { post: start(parts) });
  resource(app, '/v1/imports/:id/errors', { get: errors(parts) });
}

function start(parts: RouteParts): RequestHandler {
  return async (req, res) => {
    const { holds, ...asked } = withoutUndefined(parseParameters(importParameters, queryOf(req)));
    parts.service.collection(asked.collection ?? DEFAULT_COLLECTION); // what is refused anyhow needs no upload
    const begin: Begin = (from) => (onCommit) => parts.service.imports.start({ ...asked, from }, onCommit);
    if (hasBody(req) && !isJson(req)) return sent(parts, { req, res, format: formatOf(req, holds) }, begin);
    const { path, items } = await readJson(req, res, importBody);
    const from = { path, ...(items !== undefined && { items }) };
    await parts.idempotency.answer({ req, res, content: JSON.stringify(from) }, queueing(begin(from)));
  };
}

interface Sent {
  req: Request;
  res: Response;
  format: ReturnType<typeof formatOf>;
}

type Begin = (from: ImportRequest['from']) => (onCommit: OnCommit<JobAnswer>) => Promise<JobAnswer>;

/** Receives the body, then queues its import; what is not queued in the end is removed. */
async function sent(
  { service, gates, settings, idempotency }: RouteParts,
  { req, res, format }: Sent,
  begin: Begin,
) {
  const { signal, watch } = contextOf(res);
  const { imports } = service;
  const most = settings.maxImportBytes;
  const bytes = announced(req, most);
  const leave = await gates.import.enter({ signal });
  let upload: SpooledUpload | null = null;
  try {
    const body = longBody(req, res, {
      most,
      tooLarge: () => tooLarge(most),
      idleMs: settings.requestTimeoutMs,
    });
    const spooled = await watch.timed('receive', () => imports.spool(body, bytes));
    upload = spooled;
    const queue = begin({ upload: spooled, format });
    const taken = queueing(async (onCommit) => {
      const job = await queue(onCommit);
      upload = null; // it is the job's now
      return job;
    });
    await idempotency.answer({ req, res, content: hashOf(format, spooled.sha256) }, taken);
  } finally {
    leave();
    if (upload) await imports.discard((upload as SpooledUpload).id);
  }
}

function errors({ service }: RouteParts): RequestHandler {
  return async (req, res) => {
    noParameters(req);
    const path = await service.imports.errors(String(req.params.id));
    res.set({ 'Content-Type': 'application/x-ndjson', 'Cache-Control': 'private, no-cache' });
    if (req.method === 'HEAD') return void res.end();
    await pipeline(createReadStream(path), res);
  };
}
