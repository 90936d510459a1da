import { LookalikeError } from './errors.js';

/** JSON Merge Patch, RFC 7396. */

const LEVELS = 32;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * `target` with `patch` laid over it: what the patch names is replaced, objects within objects likewise, and null
 * removes. A patch that is no object takes the target's place. Neither is changed.
 * Throws `invalid_parameter` for a patch of more than 32 levels.
 */
export function mergePatch(target: unknown, patch: unknown, levels = LEVELS): unknown {
  if (!isObject(patch)) return patch;
  if (levels === 0)
    throw new LookalikeError('invalid_parameter', `a patch has at most ${LEVELS} levels, got more`, {
      field: 'metadata',
    });
  const merged = new Map(Object.entries(isObject(target) ? target : {}));
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name);
    else merged.set(name, mergePatch(merged.get(name), value, levels - 1));
  }
  return Object.fromEntries(merged);
}
