import { Problem } from '../../client/dist/index.js';
import { LookalikeError } from '../core/errors.js';

/** What a command ends with: the one table from the code of an error, ours or the service's, to an exit code. */
export const EXIT = {
  done: 0,
  failed: 1,
  wrong: 2,
  unusable: 3,
  nothing: 4,
  unreachable: 5,
  interrupted: 130,
} as const;

/** The table in words, for `--help`. */
export const EXIT_CODES_HELP = `Exit codes:
  0    done
  1    failed
  2    wrong arguments, settings or picture
  3    model, data folder or snapshot unusable
  4    nothing found, or nothing to do
  5    the service cannot be reached, is busy or has no room
  130  interrupted`;

/** The error codes by what they end with; 1 for all others. */
export const CODES: Record<Exclude<keyof typeof EXIT, 'done' | 'failed'>, readonly string[]> = {
  wrong: [
    'invalid_setting',
    'invalid_parameter',
    'unknown_parameter',
    'unknown_label',
    'unknown_field',
    'invalid_vector',
    'missing_image',
    'too_many_files',
    'malformed_body',
    'malformed_request',
    'unsupported_media_type',
    'unauthorized',
    'forbidden',
    'already_exists',
    'body_too_large',
    'image_too_large',
    'unsupported_image',
    'undecodable_image',
    'pictures_missing',
    'duplicate',
    'limit_reached',
    'precondition_failed',
    'idempotency_mismatch',
    'model_in_use',
    'unusable_model',
  ],
  unusable: [
    'model_missing',
    'model_invalid',
    'bank_invalid',
    'bank_mismatch',
    'generation_invalid',
    'database_invalid',
    'database_mismatch',
    'snapshot_invalid',
    'data_dir_busy',
    'provider_unavailable',
  ],
  nothing: ['nothing_to_index', 'not_found', 'unknown_collection', 'job_finished', 'nothing_to_switch'],
  unreachable: [
    'not_ready',
    'overloaded',
    'rate_limited',
    'request_timeout',
    'idempotency_in_progress',
    'storage_full',
  ],
  interrupted: ['aborted'],
};

const BY_CODE = new Map(
  Object.entries(CODES).flatMap(([name, codes]) =>
    codes.map((code) => [code, EXIT[name as keyof typeof CODES]] as const),
  ),
);

/** 1 for whatever has no place in the table. */
export function exitCodeOf(error: unknown): number {
  const known = error instanceof LookalikeError || error instanceof Problem;
  return known ? exitCodeOfCode(error.code) : EXIT.failed;
}

/** The same for the code alone, as it stands in an answer. */
export const exitCodeOfCode = (code: string): number => BY_CODE.get(code) ?? EXIT.failed;
