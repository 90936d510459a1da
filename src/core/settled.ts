import { LookalikeError } from './errors.js';

/** What came out of one of many: the thing itself, or why there is none. One bad picture fails no other. */
export type Settled<T> = T | LookalikeError;

/** Runs a step; a refusal becomes the result. Anything else that is thrown is nobody's item and passes through. */
export async function settled<T>(step: () => T | Promise<T>): Promise<Settled<T>> {
  try {
    return await step();
  } catch (thrown) {
    if (thrown instanceof LookalikeError) return thrown;
    throw thrown;
  }
}

/** The thing itself; throws the refusal. */
export function unwrap<T>(one: Settled<T>): T {
  if (one instanceof LookalikeError) throw one;
  return one;
}

export const succeeded = <T>(one: Settled<T>): one is T => !(one instanceof LookalikeError);
