import type { Request, Response } from 'express';
import type { z } from 'zod';
import { LookalikeError } from '../core/errors.js';
import { parseJson } from '../core/json.js';
import { askForBody, hasBody } from './announced-body.js';
import { announcedBytes, readBytes } from './body-bytes.js';

/** A JSON body, bounded before it is read and before it is parsed. */
export interface JsonBodyOptions {
  most: number; // bytes of the text
  values: number; // in all lists and objects together
  depth: number; // objects and lists inside each other
}

export interface JsonReader {
  /** Refuses what can be refused by its headers alone. Returns the most memory that reading the body can take. */
  weigh(req: Request): number;
  /** The value. Throws `malformed_body`, `body_too_large`, `aborted`. */
  read(req: Request, res: Response): Promise<unknown>;
}

/** The bytes, their text, the strings parsed out of it and the pictures in those: each about the size of the body. */
export const JSON_COPIES = 4;

export const isJson = (req: Request): boolean => Boolean(req.is('application/json'));

export function createJsonReader({ most, ...limits }: JsonBodyOptions): JsonReader {
  const tooLarge = () =>
    new LookalikeError('body_too_large', `a JSON body may have at most ${most} bytes here`);
  return {
    weigh: (req) => JSON_COPIES * announcedBytes(req, most, tooLarge),
    async read(req, res) {
      announcedBytes(req, most, tooLarge);
      askForBody(req, res);
      return parseJson(textOf(await readBytes(req, most, tooLarge)), limits);
    },
  };
}

function textOf(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new LookalikeError('malformed_body', 'the body is not UTF-8', { cause });
  }
}

/** Small bodies: an object of known fields, with the metadata of an item at most. */
const small = createJsonReader({ most: 64 * 1024, values: 16 * 1024, depth: 32 });

/**
 * Reads a small body and checks it against `schema`. Throws `unsupported_media_type`, `body_too_large`, `malformed_body`,
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
  return checked(await small.read(req, res), schema);
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
