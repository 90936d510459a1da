/**
 * What can go wrong, by name. The core and the engines throw `LookalikeError` with one of these codes;
 * the edges (HTTP, command line) decide what a code means there (`http/problem.ts`, `cli/exit-codes.ts`).
 */
export const ERROR_CODES = [
  // the caller's request
  'invalid_parameter',
  'unknown_parameter',
  'unknown_label',
  'unknown_collection',
  'already_exists',
  'duplicate',
  'limit_reached',
  'precondition_failed',
  'idempotency_in_progress',
  'idempotency_mismatch',
  'model_in_use',
  'unusable_model',
  'job_finished',
  'nothing_to_switch',
  'pictures_missing',
  'unknown_field',
  'missing_image',
  'too_many_files',
  'malformed_body',
  'unauthorized',
  'forbidden',
  'not_found',
  'method_not_allowed',
  'body_too_large',
  'unsupported_media_type',
  'malformed_request',
  'headers_too_large',
  'request_timeout',
  // the picture
  'image_too_large',
  'unsupported_image',
  'undecodable_image',
  // the state of the service
  'rate_limited',
  'overloaded',
  'not_ready',
  'storage_full',
  'aborted',
  // files and settings
  'invalid_setting',
  'invalid_vector',
  'model_missing',
  'model_invalid',
  'bank_invalid',
  'bank_mismatch',
  'generation_invalid',
  'generation_mismatch',
  'database_invalid',
  'database_mismatch',
  'snapshot_invalid',
  'data_dir_busy',
  'nothing_to_index',
  'provider_unavailable',
  'insufficient_memory',
  'internal',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/**
 * The one error type of the project.
 * `message` is public: it names what was given and what is allowed, never a stack or a secret.
 * `field` names the parameter or file at fault; `details` are further public facts, by name; `cause` is for the log only.
 */
export class LookalikeError extends Error {
  readonly code: ErrorCode;
  readonly field: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    code: ErrorCode,
    message: string,
    options: { field?: string; details?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'LookalikeError';
    this.code = code;
    this.field = options.field;
    this.details = options.details ?? {};
  }
}

/** The message of anything that was thrown, for logs and error reports. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

const FULL = ['ENOSPC', 'EDQUOT', 'SQLITE_FULL'];

/** Whether it was thrown because the disk, or what one may have of it, is used up; by the system or by SQLite. */
export const isDiskFull = (thrown: unknown): boolean =>
  thrown instanceof Error && 'code' in thrown && FULL.includes(String(thrown.code));
