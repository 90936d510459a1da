import type { Request, Response } from 'express';
import multer from 'multer';
import { LookalikeError, messageOf } from '../core/errors.js';
import type { RawParameters } from './parameters.js';

/**
 * Reads a multipart form with multer, in memory, with every limit set: multer's guards do nothing until they
 * have a number. multer also reads a refused request to its end before it says so; the count of bytes here
 * ends that, whatever the client announced.
 */
export interface FormOptions {
  fileBytes: number; // of one picture
  files: number; // pictures at most
  most: number; // bytes of the whole form
  pictureTooLarge: () => LookalikeError;
  formTooLarge: () => LookalikeError;
}

export interface Form {
  files: Buffer[]; // at least one
  fields: RawParameters;
}

/** The one file field; it is repeated where several pictures may come. */
const FIELD = 'image';

const FORM_LIMITS = {
  fields: 128, // `label` may be repeated
  fieldSize: 20 * 1024, // bytes of a value; `metadata` and `where` are the longest
  fieldNameSize: 100,
  headerPairs: 16, // of one part
  fieldNestingDepth: 0, // no a[b]
  fieldArrayIndexLimit: 0,
};

/**
 * A reader of forms. The promise rejects with `missing_image`, `unknown_field`, `too_many_files`,
 * `body_too_large`, `malformed_body` or `aborted`.
 */
export function createFormReader(options: FormOptions) {
  const { fileBytes, files, most, formTooLarge } = options;
  const parse = multer({
    storage: multer.memoryStorage(),
    limits: { ...FORM_LIMITS, files, parts: FORM_LIMITS.fields + files + 1, fileSize: fileBytes },
  }).array(FIELD, files);

  return async (req: Request, res: Response): Promise<Form> => {
    await new Promise<void>((resolve, reject) => {
      countBytes(req, most, () => reject(formTooLarge()));
      parse(req, res, (thrown: unknown) => (thrown ? reject(asFormError(thrown, req, options)) : resolve()));
    });
    return { files: filesOf(req), fields: fieldsOf(req) };
  };
}

/** Calls `exceeded` and stops the parser when more than `most` bytes have come. */
function countBytes(req: Request, most: number, exceeded: () => void): void {
  let received = 0;
  const count = (chunk: Buffer) => {
    received += chunk.length;
    if (received <= most) return;
    req.off('data', count);
    req.unpipe();
    exceeded();
  };
  req.on('data', count);
}

function filesOf(req: Request): Buffer[] {
  const files = req.files as Express.Multer.File[];
  if (files.length > 0) return files.map(({ buffer }) => buffer);
  throw new LookalikeError('missing_image', `the form has no file in the field "${FIELD}"`, { field: FIELD });
}

/** multer leaves a text, or a list of texts where a name came twice. A text in the file's field is no parameter. */
function fieldsOf(req: Request): RawParameters {
  const body = req.body as Record<string, string | string[]>;
  return new Map(Object.entries(body).map(([name, value]) => [name, Array.isArray(value) ? value : [value]]));
}

function asFormError(thrown: unknown, req: Request, options: FormOptions): LookalikeError {
  if (thrown instanceof multer.MulterError) return refusal(thrown, options);
  if (req.destroyed && !req.complete)
    return new LookalikeError('aborted', 'the upload was broken off', { cause: thrown });
  return new LookalikeError('malformed_body', `the multipart body is broken: ${messageOf(thrown)}`);
}

function refusal(error: multer.MulterError, { files, pictureTooLarge }: FormOptions): LookalikeError {
  const field = error.field ?? '';
  const tooMany = () =>
    new LookalikeError(
      'too_many_files',
      files === 1 ? 'one picture a request, got more' : `at most ${files} pictures a request, got more`,
      { field: FIELD },
    );
  switch (error.code) {
    case 'LIMIT_FILE_SIZE':
      return pictureTooLarge();
    case 'LIMIT_FILE_COUNT':
      return tooMany();
    case 'LIMIT_UNEXPECTED_FILE':
      if (field === FIELD) return tooMany();
      return new LookalikeError('unknown_field', `the file belongs in the field "${FIELD}", got "${field}"`, {
        field,
      });
    default:
      return new LookalikeError('malformed_body', `the form is not acceptable: ${error.message}`, { field });
  }
}
