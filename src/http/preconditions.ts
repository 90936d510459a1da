import type { Request } from 'express';
import { LookalikeError } from '../core/errors.js';
import type { ImageView } from '../flow/service.js';
import { hashOf } from './idempotency.js';

/** `ETag` of a picture's item, and the conditions that a write may make of it (RFC 9110, section 13). */

/** Changes with everything that is shown of the item. */
export const etagOf = (image: ImageView): string => `"${hashOf(JSON.stringify(image)).slice(0, 32)}"`;

/**
 * What `If-Match` and `If-None-Match` demand of the item at the moment of the write; absent when the request has neither.
 * The check throws `precondition_failed`.
 */
export function preconditionsOf(req: Request): { check?: (current: ImageView | undefined) => void } {
  const match = req.get('if-match');
  const noneMatch = req.get('if-none-match');
  if (match === undefined && noneMatch === undefined) return {};
  return {
    check(current) {
      if (match !== undefined && !isNamed(match, current)) throw failed('If-Match', match, current);
      if (noneMatch !== undefined && isNamed(noneMatch, current))
        throw failed('If-None-Match', noneMatch, current);
    },
  };
}

/** Whether a list of entity tags, or `*` for any, names the item. */
function isNamed(list: string, current: ImageView | undefined): boolean {
  if (!current) return false;
  const tag = etagOf(current);
  return list.trim() === '*' || list.split(',').some((one) => one.trim() === tag);
}

function failed(header: string, given: string, current: ImageView | undefined): LookalikeError {
  const now = current ? `has the ETag ${etagOf(current)}` : 'is not there';
  return new LookalikeError(
    'precondition_failed',
    `${header} is ${given.slice(0, 100)}, and the picture ${now}`,
    { field: header },
  );
}
