import type { Request, Response } from 'express';
import type { z } from 'zod';
import { LookalikeError } from '../core/errors.js';
import { askForBody, hasBody } from './announced-body.js';
import { readBytes } from './upload.js';

/** Small JSON bodies: an object of known fields. */
const MOST = 64 * 1024; // bytes

/**
 * Reads the body and checks it against `schema`. Throws `unsupported_media_type`, `body_too_large`, `malformed_body`,
 * `unknown_field`, `invalid_parameter` (a field's value) and `aborted`.
 */
export async function readJson<T extends z.ZodRawShape>(
  req: Request,
  res: Response,
  schema: z.ZodObject<T>,
): Promise<z.output<z.ZodObject<T>>> {
  if (!hasBody(req) || !req.is(['application/json', 'application/merge-patch+json']))
    throw new LookalikeError(
      'unsupported_media_type',
      `the body must be JSON (application/json), got ${req.get('content-type') ?? 'no content type'}`,
    );
  const tooLarge = () => new LookalikeError('body_too_large', `the body may have at most ${MOST} bytes`);
  if (Number(req.headers['content-length'] ?? 0) > MOST) throw tooLarge();
  askForBody(req, res);
  return checked(parsed(await readBytes(req, MOST, tooLarge)), schema);
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new LookalikeError('malformed_body', 'the body is not JSON in UTF-8', { cause });
  }
}

function checked<T extends z.ZodRawShape>(value: unknown, schema: z.ZodObject<T>) {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new LookalikeError('malformed_body', 'the body must be a JSON object');
  const known = Object.keys(schema.shape);
  const unknown = Object.keys(value).find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new LookalikeError(
      'unknown_field',
      `"${unknown.slice(0, 60)}" is no field here: known are ${known.join(', ')}`,
      { field: unknown.slice(0, 60) },
    );
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0]!;
  throw new LookalikeError('invalid_parameter', `${String(path[0])}: ${message}`, { field: String(path[0]) });
}
