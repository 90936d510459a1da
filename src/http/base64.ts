import { LookalikeError } from '../core/errors.js';

/** A picture as base64 text (RFC 4648, either alphabet, with or without padding). */
export interface PictureText {
  field: string; // where it stands in the body
  maxBytes: number; // of the picture
}

/** Throws `invalid_parameter`, `missing_image` and `body_too_large`, all with the field. */
export function fromBase64(text: string, { field, maxBytes }: PictureText): Uint8Array {
  const digits = text.length - (/={1,2}$/.exec(text.slice(-2))?.[0].length ?? 0);
  const bytes = Math.floor((digits * 3) / 4);
  if (bytes > maxBytes)
    throw new LookalikeError('body_too_large', `${field} may have at most ${maxBytes} bytes, got ${bytes}`, {
      field,
    });
  if (text.length === 0) throw new LookalikeError('missing_image', `${field} is empty`, { field });
  const decoded = Buffer.from(text, 'base64');
  // Node passes over what is no base64; then there are fewer bytes than digits for them.
  if (digits % 4 !== 1 && decoded.length === bytes) return decoded;
  throw new LookalikeError(
    'invalid_parameter',
    `${field} must be a picture in base64, without "data:" before it; got ${JSON.stringify(text.slice(0, 30))}`,
    { field },
  );
}
