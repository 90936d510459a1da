import { LookalikeError, messageOf } from '../core/errors.js';

/** The value of JSON that was typed or lies in a file; what it may be is the service's to see. Throws `invalid_parameter`. */
export function jsonOf(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new LookalikeError('invalid_parameter', `${what} must be JSON: ${messageOf(cause)}`, { cause });
  }
}
