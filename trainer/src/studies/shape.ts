/** Checks of a JSON object at the edge by a table of its fields: an unknown or missing one stops the run. */
import { LookalikeError } from '../../../dist/offline.js';

export interface Field {
  allowed: string; // in words
  fits(value: unknown): boolean;
  optional?: boolean;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
const isText = (value: unknown): value is string => typeof value === 'string' && value.trim() !== '';
const isKey = (value: unknown) => isText(value) && KEY.test(value);

/** A name that is also one of a folder. */
export const KEY = /^[a-z][a-z0-9-]*$/;

export const text: Field = { allowed: 'a text', fits: isText };
export const texts: Field = {
  allowed: 'a list of texts',
  fits: (value) => Array.isArray(value) && value.every(isText),
};
export const object: Field = { allowed: 'an object', fits: isObject };
export const percentage: Field = {
  allowed: 'a percentage',
  fits: (value) => isNumber(value) && value >= 0 && value <= 100,
};
export const numbers: Field = {
  allowed: 'a list of numbers',
  fits: (value) => Array.isArray(value) && value.length > 0 && value.every(isNumber),
};
export const count: Field = {
  allowed: 'a whole number above 0',
  fits: (value) => Number.isInteger(value) && Number(value) > 0,
};
/** An object whose keys are names, in the order of the file. */
export const named: Field = {
  allowed: 'an object with at least one key; keys are small letters, digits and hyphens, a letter first',
  fits: (value) =>
    isObject(value) && Object.keys(value).length > 0 && Object.keys(value).every((key) => isKey(key)),
};
export const oneOf = (names: readonly string[]): Field => ({
  allowed: names.join(' or '),
  fits: (value) => names.includes(value as string),
});
export const someOf = (names: readonly string[]): Field => ({
  allowed: `a list of ${names.join(', ')}`,
  fits: (value) => Array.isArray(value) && value.every((one) => names.includes(one)),
});
export const may = (field: Field): Field => ({ ...field, optional: true });

/** The value as T; throws `invalid_setting` that names the place (`where.field`), what is there and what is allowed. */
export function shaped<T>(value: unknown, fields: Readonly<Record<string, Field>>, where: string): T {
  if (!isObject(value)) throw wrong(where, value, object.allowed);
  for (const name of Object.keys(value))
    if (!(name in fields))
      throw new LookalikeError(
        'invalid_setting',
        `${where} has no "${name}"; there are ${Object.keys(fields).join(', ')}`,
        { field: name },
      );
  for (const [name, field] of Object.entries(fields)) {
    if (field.optional && value[name] === undefined) continue;
    if (!field.fits(value[name])) throw wrong(`${where}.${name}`, value[name], field.allowed);
  }
  return value as T;
}

export function wrong(where: string, value: unknown, allowed: string): LookalikeError {
  const given = value === undefined ? 'missing' : JSON.stringify(value);
  return new LookalikeError('invalid_setting', `${where} is ${given}, allowed: ${allowed}`, { field: where });
}
