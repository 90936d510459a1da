import type { Request, Response } from 'express';
import { createJsonReader, isJson, JSON_COPIES } from './json-body.js';
import type { HttpSettings } from './server.js';
import { BODY_OVERHEAD, createUploadsReader, requireBody, type Uploads } from './upload.js';

/** The body of a request that brings pictures or asks for some: a form, the picture itself, or JSON. */
export type Body = { kind: 'pictures'; uploads: Uploads } | { kind: 'json'; value: unknown };

export interface BodyReader {
  /** As that of an upload. */
  weigh(req: Request): number;
  read(req: Request, res: Response): Promise<Body>;
}

export interface BodyOptions {
  pictures: number; // that may come with one request
  values: number; // in a JSON body
}

/** Deep enough for the vector of an example of a query of a batch. */
const DEPTH = 8;

/** Room in a JSON body for the digits of 16 examples' vectors and for parameters, in bytes. */
const JSON_OVERHEAD = 1024 * 1024;

/**
 * A reader that never takes more than its part of the byte budget: half of it for the pictures of a batch, all of it
 * for a JSON body and its copies. One picture as a file always has room.
 */
export function createBodyReader(
  { maxBytes, bodyBudgetBytes }: HttpSettings,
  { pictures, values }: BodyOptions,
): BodyReader {
  const most = Math.max(maxBytes, Math.min(pictures * maxBytes, Math.floor(bodyBudgetBytes / 2)));
  const base64 = 4 * Math.ceil(most / 3);
  const json = createJsonReader({
    most: Math.min(base64 + JSON_OVERHEAD, Math.floor(bodyBudgetBytes / JSON_COPIES)),
    values,
    depth: DEPTH,
  });
  const types = 'application/json, ';
  const uploads = createUploadsReader({ maxBytes, files: pictures, most: most + BODY_OVERHEAD, types });
  return {
    weigh(req) {
      requireBody(req);
      return (isJson(req) ? json : uploads).weigh(req);
    },
    async read(req, res) {
      if (isJson(req)) return { kind: 'json', value: await json.read(req, res) };
      return { kind: 'pictures', uploads: await uploads.read(req, res) };
    },
  };
}
