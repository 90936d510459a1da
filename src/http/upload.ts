import type { Request, Response } from 'express';
import { LookalikeError } from '../core/errors.js';
import { askForBody, hasBody } from './announced-body.js';
import { createFormReader } from './form.js';
import type { RawParameters } from './parameters.js';

/**
 * The uploaded picture, from either form of body: multipart with the file field `image`, or the file itself.
 * Everything is bounded, and the bound is kept while reading: a client may announce less than it sends.
 */
export interface Upload {
  bytes: Buffer;
  fields: RawParameters; // of a multipart form
}

/** What a multipart form may weigh besides the picture, in bytes. */
export const BODY_OVERHEAD = 64 * 1024;

export interface UploadReader {
  /**
   * Refuses what can be refused by its headers alone: `unsupported_media_type`, `body_too_large`.
   * Returns the most bytes that reading the body can take, for the byte budget.
   */
  weigh(req: Request): number;
  /** Reads the picture. Throws `missing_image`, `body_too_large`, `aborted` and what the form reader throws. */
  read(req: Request, res: Response): Promise<Upload>;
}

/** A reader of pictures of at most `maxBytes` bytes. */
export function createUploadReader(maxBytes: number): UploadReader {
  const most = maxBytes + BODY_OVERHEAD;
  const tooLarge = () =>
    new LookalikeError('body_too_large', `the picture may have at most ${maxBytes} bytes`, {
      field: 'image',
    });
  const readForm = createFormReader({ maxBytes, most, tooLarge });

  function weigh(req: Request): number {
    checkBodyType(req);
    const length = req.headers['content-length'];
    if (length === undefined) return most; // chunked: it may be anything up to the limit
    const allowed = isForm(req) ? most : maxBytes;
    if (Number(length) > allowed) throw tooLarge();
    return Math.max(1, Number(length));
  }

  async function read(req: Request, res: Response): Promise<Upload> {
    askForBody(req, res);
    const upload = await (isForm(req) ? readForm(req, res) : readRaw(req, maxBytes, tooLarge));
    if (upload.bytes.length > 0) return upload;
    throw new LookalikeError('missing_image', 'the picture is empty (0 bytes)', { field: 'image' });
  }

  return { weigh, read };
}

/** Refuses a body that is neither a form nor a picture. */
function checkBodyType(req: Request): void {
  const encoding = req.get('content-encoding') ?? 'identity';
  if (encoding !== 'identity')
    throw new LookalikeError('unsupported_media_type', `the body must not be compressed, got ${encoding}`);
  if (!hasBody(req))
    throw new LookalikeError('missing_image', 'the request has no body: send a picture', { field: 'image' });
  if (isForm(req) || req.is(['image/*', 'application/octet-stream'])) return;
  throw new LookalikeError(
    'unsupported_media_type',
    `the content type must be multipart/form-data, image/* or application/octet-stream, got ${req.get('content-type') ?? 'none'}`,
  );
}

const isForm = (req: Request): boolean => Boolean(req.is('multipart/form-data'));

async function readRaw(req: Request, maxBytes: number, tooLarge: () => Error): Promise<Upload> {
  return { bytes: await readBytes(req, maxBytes, tooLarge), fields: new Map() };
}

/** The whole body, whatever it is. Throws what `tooLarge` makes when it has more than `most` bytes, and `aborted`. */
export async function readBytes(req: Request, most: number, tooLarge: () => Error): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let received = 0;
  try {
    for await (const chunk of req.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      received += chunk.length;
      if (received > most) throw tooLarge();
      chunks.push(chunk);
    }
  } catch (thrown) {
    if (thrown instanceof LookalikeError) throw thrown;
    throw new LookalikeError('aborted', 'the upload was broken off', { cause: thrown });
  }
  return Buffer.concat(chunks);
}
