import type { Request, Response } from 'express';
import { LookalikeError } from '../core/errors.js';
import { type Settled, unwrap } from '../core/settled.js';
import { askForBody, hasBody } from './announced-body.js';
import { announcedBytes, readBytes } from './body-bytes.js';
import { createFormReader } from './form.js';
import type { RawParameters } from './parameters.js';

/**
 * Uploaded pictures, from either form of body: multipart with the file field `image`, or the file itself.
 * Everything is bounded, and the bound is kept while reading: a client may announce less than it sends.
 */
export interface Upload {
  bytes: Buffer;
  fields: RawParameters; // of a multipart form
}

export interface Uploads {
  files: Settled<Buffer>[]; // at least one; one that is empty or too large is refused by itself
  fields: RawParameters;
}

/** What a multipart form may weigh besides its pictures, in bytes. */
export const BODY_OVERHEAD = 64 * 1024;

export interface UploadReader<T = Upload> {
  /**
   * Refuses what can be refused by its headers alone: `unsupported_media_type`, `body_too_large`.
   * Returns the most bytes that reading the body can take, for the byte budget.
   */
  weigh(req: Request): number;
  /** Reads what was sent. Throws `missing_image`, `body_too_large`, `aborted` and what the form reader throws. */
  read(req: Request, res: Response): Promise<T>;
}

/** A reader of one picture of at most `maxBytes` bytes. */
export function createUploadReader(maxBytes: number): UploadReader {
  const { weigh, read } = createUploadsReader({ maxBytes, files: 1, most: maxBytes + BODY_OVERHEAD });
  return {
    weigh,
    async read(req, res) {
      const { files, fields } = await read(req, res);
      return { bytes: unwrap(files[0]!), fields };
    },
  };
}

export interface UploadsOptions {
  maxBytes: number; // of one picture
  files: number; // pictures in a form
  most: number; // bytes of a form
  types?: string; // what else the route takes, for its refusals
}

/** A reader of up to so many pictures in a form, or of one that is the body. */
export function createUploadsReader({
  maxBytes,
  files,
  most,
  types = '',
}: UploadsOptions): UploadReader<Uploads> {
  const tooLarge = (bytes: number, what: string) => () =>
    new LookalikeError('body_too_large', `${what} may have at most ${bytes} bytes`, { field: 'image' });
  const pictureTooLarge = tooLarge(maxBytes, 'the picture');
  const formTooLarge = files === 1 ? pictureTooLarge : tooLarge(most, 'the pictures together');
  const fileBytes = files === 1 ? maxBytes : most; // one of many that is too large must not end the others
  const readForm = createFormReader({ fileBytes, files, most, pictureTooLarge, formTooLarge });
  const checked = (file: Buffer): Settled<Buffer> => {
    if (file.length > maxBytes) return pictureTooLarge();
    if (file.length > 0) return file;
    return new LookalikeError('missing_image', 'the picture is empty (0 bytes)', { field: 'image' });
  };
  return {
    weigh(req) {
      checkBodyType(req, types);
      return isForm(req)
        ? announcedBytes(req, most, formTooLarge)
        : announcedBytes(req, maxBytes, pictureTooLarge);
    },
    async read(req, res) {
      askForBody(req, res);
      if (!isForm(req))
        return { files: [checked(await readBytes(req, maxBytes, pictureTooLarge))], fields: new Map() };
      const form = await readForm(req, res);
      return { ...form, files: form.files.map(checked) };
    },
  };
}

/** Refuses a body that is compressed, or none at all. */
export function requireBody(req: Request): void {
  const encoding = req.get('content-encoding') ?? 'identity';
  if (encoding !== 'identity')
    throw new LookalikeError('unsupported_media_type', `the body must not be compressed, got ${encoding}`);
  if (!hasBody(req))
    throw new LookalikeError('missing_image', 'the request has no body: send a picture', { field: 'image' });
}

/** Refuses a body that is neither a form nor a picture. */
function checkBodyType(req: Request, types: string): void {
  requireBody(req);
  if (isForm(req) || req.is(['image/*', 'application/octet-stream'])) return;
  throw new LookalikeError(
    'unsupported_media_type',
    `the content type must be multipart/form-data, ${types}image/* or application/octet-stream, got ${req.get('content-type') ?? 'none'}`,
  );
}

const isForm = (req: Request): boolean => Boolean(req.is('multipart/form-data'));
