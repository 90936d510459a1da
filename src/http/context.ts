import { randomUUID } from 'node:crypto';
import type { Request, RequestHandler, Response } from 'express';
import type { ErrorCode } from '../core/errors.js';
import { type Stopwatch, startStopwatch } from '../ops/timed.js';
import type { RequestSpan } from '../ops/tracing.js';
import type { ServerParts } from './server.js';

/**
 * What belongs to one request: its id (in, out, and in the log), its stopwatch, the signal that fires when
 * the client goes away, and what is counted and logged when the answer has left.
 */
export interface RequestContext {
  readonly id: string;
  readonly watch: Stopwatch;
  readonly signal: AbortSignal;
  /** Where traces are asked for. */
  readonly span: RequestSpan | undefined;
  /** Which of the keys was given, by its place in the settings; never the key itself. */
  key?: number;
  /** Set when the request was refused. */
  code?: ErrorCode;
}

const contexts = new WeakMap<Response, RequestContext>();

/** The context of the request that `res` answers; it is opened before every route. */
export function contextOf(res: Response): RequestContext {
  const context = contexts.get(res);
  if (!context) throw new Error('the request has no context: openContext must come first');
  return context;
}

/** Ids from outside end up in logs and headers: only harmless ones are kept. */
const HARMLESS_ID = /^[\w.:-]{1,128}$/;

/** Opens the context, and closes the books on it when the connection is done with the answer. */
export function openContext({ metrics, logger, tracing }: ServerParts): RequestHandler {
  return (req, res, next) => {
    const given = req.get('x-request-id');
    const id = given !== undefined && HARMLESS_ID.test(given) ? given : randomUUID();
    const gone = new AbortController();
    const { method, headers } = req;
    const span = tracing?.begin({ method: knownMethod(method), path: req.path, requestId: id, headers });
    const watch = startStopwatch((stage, ran) => {
      metrics.stageDone(stage, (ran.ended - ran.started) / 1000);
      span?.stage(stage, ran);
    });
    const context: RequestContext = { id, watch, signal: gone.signal, span };
    contexts.set(res, context);
    metrics.requestStarted();
    res.set('X-Request-Id', id);
    writeServerTiming(res, context.watch);
    res.once('close', () => {
      if (!res.writableFinished) gone.abort();
      const seconds = context.watch.total() / 1000;
      const [route, status] = [routeOf(req), statusOf(res)];
      metrics.requestDone({ route, method: knownMethod(method), status, seconds });
      span?.end({ route, status, code: context.code });
      logger[levelOf(req, res)](describe(req, res, context), 'request');
    });
    next();
  };
}

/** The times are known only when the headers leave, so they are added at that moment. */
function writeServerTiming(res: Response, watch: Stopwatch): void {
  const writeHead = res.writeHead;
  res.writeHead = function (this: Response, ...args: Parameters<typeof writeHead>) {
    if (!res.headersSent) res.setHeader('Server-Timing', watch.header());
    return Reflect.apply(writeHead, res, args) as Response;
  } as typeof writeHead;
}

/** The pattern of the route, so that ids in paths make no new series. */
function routeOf(req: Request): string {
  const route = req.route as { path?: unknown } | undefined;
  return typeof route?.path === 'string' ? route.path : 'other';
}

/** A client that leaves before its answer has no status of its own: 499, as for `aborted`. */
const statusOf = (res: Response): number => (res.headersSent ? res.statusCode : 499);

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
const knownMethod = (method: string): string => (METHODS.has(method) ? method : 'other');

const QUIET = new Set(['/livez', '/readyz', '/metrics']);

function levelOf(req: Request, res: Response): 'debug' | 'info' | 'warn' {
  if (statusOf(res) >= 500) return 'warn';
  return QUIET.has(routeOf(req)) ? 'debug' : 'info';
}

function describe(
  req: Request,
  res: Response,
  { id, watch, code, span }: RequestContext,
): Record<string, unknown> {
  return {
    request_id: id,
    method: req.method,
    path: req.path,
    status: statusOf(res),
    ms: Math.round(watch.total() * 100) / 100,
    stages: watch.stages(),
    ...(code ? { code } : {}),
    ...(span ? { trace_id: span.traceId } : {}),
    ...(res.writableFinished ? {} : { client_gone: true }),
  };
}
