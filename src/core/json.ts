import { LookalikeError, messageOf } from './errors.js';

/** JSON from outside, checked before it is parsed: what is parsed takes many times the memory of its text. */
export interface JsonLimits {
  depth: number; // objects and lists inside each other
  values: number; // in all lists and objects together
}

/**
 * The value of a JSON text. Throws `malformed_body` when it is no JSON, is nested deeper or has more values than
 * allowed, or gives a name twice in one object (`JSON.parse` would quietly take the last).
 */
export function parseJson(text: string, limits: JsonLimits): unknown {
  try {
    scan(text, limits);
    return JSON.parse(text);
  } catch (cause) {
    if (cause instanceof LookalikeError) throw cause;
    throw malformed(`is not JSON: ${messageOf(cause).slice(0, 200)}`, cause);
  }
}

const malformed = (what: string, cause?: unknown) =>
  new LookalikeError('malformed_body', `the body ${what}`, { cause });

/** Looks at marks and names only; whether it is JSON at all is for the parser to say. */
function scan(text: string, limits: JsonLimits): void {
  const names: (Set<string> | null)[] = []; // of the objects that are open; null for a list
  let values = 0;
  let string = '';
  for (let at = 0; at < text.length; at++) {
    const mark = text[at]!;
    if (mark === '"') {
      const end = endOfString(text, at);
      string = text.slice(at, end + 1);
      at = end;
    } else if (mark === ':') checkName(names.at(-1), string);
    else if (mark === '{' || mark === '[') names.push(mark === '{' ? new Set() : null);
    else if (mark === '}' || mark === ']') names.pop();
    if (names.length > limits.depth)
      throw malformed(`is nested deeper than the ${limits.depth} levels that are allowed`);
    // Every value but the first of a list or object follows a comma.
    if ((mark === ',' || mark === '{' || mark === '[') && ++values > limits.values)
      throw malformed(`has more than the ${limits.values} values that are allowed`);
  }
}

/** `string` is the name as it is written: two spellings with escapes may be one name. */
function checkName(known: Set<string> | null | undefined, string: string): void {
  if (!known) return;
  const name = string.includes('\\') ? JSON.stringify(JSON.parse(string)) : string;
  if (known.has(name)) throw malformed(`has the name ${name.slice(0, 60)} twice in one object`);
  known.add(name);
}

/** The place of the quote that ends the string which begins at `start`; the text's end when none does. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; ; at++) {
    at = text.indexOf('"', at);
    if (at < 0) return text.length;
    let first = at;
    while (text[first - 1] === '\\') first--;
    if ((at - first) % 2 === 0) return at;
  }
}
