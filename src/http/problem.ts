import { STATUS_CODES } from 'node:http';
import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express';
import { type ErrorCode, isDiskFull, LookalikeError, messageOf } from '../core/errors.js';
import { contextOf } from './context.js';
import { endPolitely } from './linger.js';
import type { RouteParts } from './server.js';

/**
 * What a code means over HTTP: RFC 9457 `application/problem+json`. The one table from code to status.
 * Codes of status 500 are the service's own trouble: the caller reads `internal`, the log reads the cause.
 */
export const STATUS: Record<ErrorCode, number> = {
  invalid_parameter: 400,
  unknown_parameter: 400,
  unknown_label: 400,
  unknown_field: 400,
  missing_image: 400,
  too_many_files: 400,
  malformed_body: 400,
  malformed_request: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  unknown_collection: 404,
  already_exists: 409,
  duplicate: 409,
  limit_reached: 409,
  model_in_use: 409,
  unusable_model: 422,
  idempotency_in_progress: 409,
  job_finished: 409,
  nothing_to_switch: 409,
  pictures_missing: 409,
  method_not_allowed: 405,
  request_timeout: 408,
  precondition_failed: 412,
  body_too_large: 413,
  image_too_large: 413,
  unsupported_media_type: 415,
  unsupported_image: 415,
  undecodable_image: 422,
  idempotency_mismatch: 422,
  rate_limited: 429,
  headers_too_large: 431,
  aborted: 499, // nobody reads it: the caller has gone; nginx counts it under this number too
  overloaded: 503,
  not_ready: 503,
  storage_full: 507,
  invalid_setting: 500,
  invalid_vector: 500,
  model_missing: 500,
  model_invalid: 500,
  bank_invalid: 500,
  bank_mismatch: 500,
  generation_invalid: 500,
  generation_mismatch: 500,
  database_invalid: 500,
  database_mismatch: 500,
  snapshot_invalid: 500,
  data_dir_busy: 500,
  nothing_to_index: 500,
  provider_unavailable: 500,
  insufficient_memory: 503,
  internal: 500,
};

/** Seconds after which a refused caller may try again. */
const RETRY_AFTER = 1;

/** The body of every refusal; `additionalProperties: false` in the contract. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: ErrorCode;
  field?: string;
  request_id: string;
  duplicates?: unknown; // of the code `duplicate`
}

/** The public face of an error: nothing of an unknown one but that it happened. */
export function toProblem(error: LookalikeError, requestId: string): Problem {
  const status = STATUS[error.code];
  const code = status === 500 ? 'internal' : error.code;
  return {
    type: `/docs#${code}`,
    title: STATUS_CODES[status] ?? 'Client Closed Request',
    status,
    detail: status === 500 ? 'The service failed. The request id finds the cause in its log.' : error.message,
    code,
    ...(error.field !== undefined && status !== 500 ? { field: error.field } : {}),
    request_id: requestId,
    ...(status === 500 ? {} : error.details),
  };
}

/** The problem of one item among many, counted and logged as that of a request is. */
export function problemOf(error: LookalikeError, res: Response, { metrics, logger }: RouteParts): Problem {
  const { id } = contextOf(res);
  const problem = toProblem(error, id);
  metrics.refused(error.code);
  if (problem.status === 500) logger.error({ request_id: id, err: error.cause ?? error }, error.message);
  return problem;
}

/** Anything thrown as one of our errors. Express throws its own for a path that does not decode. */
function asLookalikeError(thrown: unknown, gone: AbortSignal): LookalikeError {
  if (thrown instanceof LookalikeError) return thrown;
  if (gone.aborted) return new LookalikeError('aborted', 'the caller has gone', { cause: thrown });
  if (thrown instanceof URIError)
    return new LookalikeError('malformed_request', 'the path is not valid percent-encoded UTF-8');
  if (isDiskFull(thrown))
    return new LookalikeError('storage_full', 'the disk of the data folder is full; nothing was changed', {
      cause: thrown,
    });
  return new LookalikeError('internal', messageOf(thrown), { cause: thrown });
}

function writeHeaders(res: Response, problem: Problem): void {
  res.status(problem.status).type('application/problem+json').set('Cache-Control', 'no-store');
  if (problem.status === 401) res.set('WWW-Authenticate', 'Bearer realm="lookalike"');
  if (problem.status === 503) res.set('Retry-After', String(RETRY_AFTER));
}

/** The last handler: turns whatever was thrown into a problem, and counts it. */
export function problemHandler(parts: RouteParts): ErrorRequestHandler {
  return (thrown: unknown, req, res, _next) => {
    const context = contextOf(res);
    const error = asLookalikeError(thrown, context.signal);
    const problem = problemOf(error, res, parts);
    context.code = error.code;
    if (res.headersSent) return void res.destroy();
    writeHeaders(res, problem);
    endPolitely(req, res, Buffer.from(JSON.stringify(problem)));
  };
}

/** No route has this path. */
export const unknownRoute: RequestHandler = (req: Request) => {
  throw new LookalikeError('not_found', `there is no ${req.path}; /docs lists what there is`);
};
