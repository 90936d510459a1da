import { z } from 'zod';
import { LookalikeError } from './errors.js';
import { isObject, isWellFormed, MOST_CHARACTERS, type Scalar, shown, valuesAt } from './facets.js';
import { compareIds } from './vector.js';

/**
 * Filters on metadata. A filter is a JSON object; its keys are dotted paths (`camera.maker`), and all of its
 * conditions must hold:
 *
 *   {"colour": "red"}                    equal: a string, a number, true or false
 *   {"colour": {"in": ["red", "blue"]}}  equal to one of them
 *   {"colour": {"not": "red"}}           not that value, or (with a list) none of them; an absent field fits
 *   {"year": {"gte": 1990, "lt": 2000}}  gt, gte, lt, lte: numbers, or strings by their UTF-8 bytes
 *   {"year": {"exists": true}}           a string, number or boolean is there; null and an object alone are not
 *
 * Types never mix: "1" is not 1. Of a list one element must fit (both bounds of a range: the same one), for `not`
 * none may. Operators in one object must all hold, each by itself.
 */
export type Where = readonly Condition[];

export type Condition =
  | { path: string; kind: 'in' | 'not'; values: readonly Scalar[] }
  | { path: string; kind: 'range'; bounds: readonly Bound[] } // one or two, all numbers or all strings
  | { path: string; kind: 'exists'; wanted: boolean };

export interface Bound {
  sign: (typeof SIGNS)[number];
  value: string | number;
}

const SIGNS = ['gt', 'gte', 'lt', 'lte'] as const;

export const WHERE_LIMITS = { conditions: 16, values: 100 };

const TEXT = `a string of at most ${MOST_CHARACTERS.text} characters`;
const VALUE = `${TEXT}, a number, true or false`;
const LIST = `a list of 1 to ${WHERE_LIMITS.values} values, each ${VALUE}`;

const path = z
  .string()
  .max(MOST_CHARACTERS.path)
  .regex(/^[^.]+(\.[^.]+)*$/)
  .refine(isWellFormed);
const text = z.string().max(MOST_CHARACTERS.text).refine(isWellFormed);
const scalar = z.union([text, z.number(), z.boolean()], `must be ${VALUE}`);
const scalars = z
  .array(scalar, `must be ${LIST}`)
  .min(1, `must be ${LIST}`)
  .max(WHERE_LIMITS.values, `must be ${LIST}`);
const bound = z.union([text, z.number()], `must be a number or ${TEXT}`).optional();

const operators = z
  .object({
    in: scalars.optional(),
    not: z.union([scalar.transform((one) => [one]), scalars], `must be ${VALUE}, or ${LIST}`).optional(),
    gt: bound,
    gte: bound,
    lt: bound,
    lte: bound,
    exists: z.boolean('must be true or false').optional(),
  })
  .refine(({ gt, gte }) => gt === undefined || gte === undefined, 'takes gt or gte, not both')
  .refine(({ lt, lte }) => lt === undefined || lte === undefined, 'takes lt or lte, not both')
  .refine(
    (given) => new Set(boundsOf(given).map((one) => typeof one.value)).size <= 1,
    'needs bounds of one kind, two numbers or two strings',
  );

const KNOWN = Object.keys(operators.shape);

/**
 * Reads a filter, given as JSON text or as the object itself. `{}` has no condition and fits everything.
 * Throws `invalid_parameter` with the field `where`; the message names the path and what is allowed there.
 */
export function parseWhere(input: unknown): Where {
  const given = typeof input === 'string' ? fromJson(input) : input;
  if (!isObject(given)) throw refused(`must be a JSON object such as {"colour":"red"}, got ${shown(given)}`);
  const entries = Object.entries(given);
  const where = entries
    .slice(0, WHERE_LIMITS.conditions + 1)
    .flatMap(([at, wanted]) => conditions(at, wanted));
  if (where.length > WHERE_LIMITS.conditions)
    throw refused(`has more than the ${WHERE_LIMITS.conditions} conditions that are allowed`);
  return where;
}

function fromJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw refused(`must be JSON such as {"colour":"red"}, got ${shown(json)}`, cause);
  }
}

function conditions(at: string, wanted: unknown): Condition[] {
  if (!path.safeParse(at).success)
    throw refused(
      `has the path ${shown(at)}: keys with dots between them, 1 to ${MOST_CHARACTERS.path} characters in all`,
    );
  if (isObject(wanted)) return fromOperators(at, wanted);
  const equal = scalar.safeParse(wanted);
  if (equal.success) return [{ path: at, kind: 'in', values: [equal.data] }];
  throw refused(`${shown(at)} must be ${VALUE}, or an object with ${KNOWN.join(', ')}; got ${shown(wanted)}`);
}

function fromOperators(at: string, wanted: Record<string, unknown>): Condition[] {
  const unknown = Object.keys(wanted).find((name) => !KNOWN.includes(name));
  if (unknown !== undefined) throw refusedName(at, `has no operator ${shown(unknown)}`);
  const parsed = operators.safeParse(wanted);
  if (!parsed.success) throw refusedOperator(at, wanted, parsed.error.issues[0]!);
  const { in: oneOf, not, exists, ...range } = parsed.data;
  const bounds = boundsOf(range);
  const found: Condition[] = [];
  if (oneOf) found.push({ path: at, kind: 'in', values: oneOf });
  if (bounds.length > 0) found.push({ path: at, kind: 'range', bounds });
  if (exists !== undefined) found.push({ path: at, kind: 'exists', wanted: exists });
  if (not) found.push({ path: at, kind: 'not', values: not });
  if (found.length === 0) throw refusedName(at, 'has no operator');
  return found;
}

const refusedName = (at: string, what: string) =>
  refused(`${shown(at)} ${what}: known are ${KNOWN.join(', ')}`);

function boundsOf(given: { [sign in Bound['sign']]?: Bound['value'] | undefined }): Bound[] {
  return SIGNS.flatMap((sign) => {
    const limit = given[sign];
    return limit === undefined ? [] : [{ sign, value: limit }];
  });
}

function refusedOperator(
  at: string,
  wanted: Record<string, unknown>,
  issue: z.core.$ZodIssue,
): LookalikeError {
  const [operator, index] = issue.path;
  if (operator === undefined) return refused(`${shown(at)} ${issue.message}`);
  const operand = wanted[String(operator)];
  const culprit = Array.isArray(operand) && typeof index === 'number' ? operand[index] : operand;
  return refused(`${shown(at)} ${String(operator)} ${issue.message}, got ${shown(culprit)}`);
}

const refused = (message: string, cause?: unknown) =>
  new LookalikeError('invalid_parameter', `where ${message}`, { field: 'where', cause });

/** Whether metadata fits: the meaning of a filter. Whatever else evaluates one must say the same. */
export function matches(where: Where, metadata: Record<string, unknown>): boolean {
  return where.every((condition) => holds(condition, valuesAt(metadata, condition.path)));
}

function holds(condition: Condition, found: readonly Scalar[]): boolean {
  switch (condition.kind) {
    case 'in':
      return found.some((one) => condition.values.includes(one));
    case 'not':
      return !found.some((one) => condition.values.includes(one));
    case 'range':
      return found.some((one) => condition.bounds.every((limit) => within(one, limit)));
    case 'exists':
      return found.length > 0 === condition.wanted;
  }
}

function within(found: Scalar, { sign, value: limit }: Bound): boolean {
  if (typeof found !== typeof limit) return false;
  const order =
    typeof limit === 'string' ? compareIds(found as string, limit) : Math.sign((found as number) - limit);
  return { gt: order > 0, gte: order >= 0, lt: order < 0, lte: order <= 0 }[sign];
}
