import type { Request } from 'express';
import { z } from 'zod';
import { LookalikeError } from '../core/errors.js';
import type { ImportFormat } from '../core/import-entry.js';
import { ON_DUPLICATE } from '../flow/service.js';
import { announcedBytes } from './body-bytes.js';
import { collectionParameter, oneOf } from './parameters.js';

/** The parameters of an import, and what its body may be. */

const flag = oneOf(['true', 'false']).transform((word) => word === 'true');

export const importParameters = z.object({
  collection: collectionParameter,
  on_duplicate: oneOf(ON_DUPLICATE).optional(),
  update: flag.optional(),
  prune: flag.optional(),
  holds: oneOf(['pictures', 'bank']).optional(),
});

const path = z.string().min(1, 'must not be empty').max(4096, 'may have at most 4096 characters');

/** The body that names what lies on the machine of the service. */
export const importBody = z.object({ path, items: path.optional() });

const FORMATS: Record<string, Exclude<ImportFormat, 'folder'>> = {
  'application/x-tar': 'tar',
  'application/gzip': 'tar',
  'application/zip': 'zip',
  'application/x-ndjson': 'ndjson',
};
export const UPLOAD_TYPES = Object.keys(FORMATS);

/** What is sent, by its content type; a tar holds pictures, or a bank when that is said. */
export function formatOf(
  req: Request,
  holds: 'pictures' | 'bank' | undefined,
): Exclude<ImportFormat, 'folder'> {
  const type = req.is(UPLOAD_TYPES);
  const encoding = req.get('content-encoding') ?? 'identity';
  if (!type || encoding !== 'identity')
    throw new LookalikeError(
      'unsupported_media_type',
      `the content type must be application/json, ${UPLOAD_TYPES.join(', ')}, without a content encoding, got ${req.get('content-type') ?? 'none'} (${encoding})`,
    );
  if (holds === undefined || holds === 'pictures') return FORMATS[type]!;
  if (type === 'application/x-tar') return 'bank';
  throw new LookalikeError('invalid_parameter', `a bank is sent as application/x-tar, got ${type}`, {
    field: 'holds',
  });
}

/** The bytes that are announced, null when none are. Throws `body_too_large` and `malformed_body` (no body). */
export function announced(req: Request, most: number): number | null {
  const length = req.get('content-length');
  if (length === '0')
    throw new LookalikeError('malformed_body', 'the body is empty: send what is to be imported');
  announcedBytes(req, most, () => tooLarge(most));
  return length === undefined ? null : Number(length);
}

export const tooLarge = (most: number): LookalikeError =>
  new LookalikeError(
    'body_too_large',
    `an import may have at most ${most} bytes (LOOKALIKE_MAX_IMPORT_BYTES)`,
  );
