/** The table from error code to exit code: whole, and the one of the page. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CODES, EXIT, EXIT_CODES_HELP, exitCodeOf } from '../../../src/cli/exit-codes.js';
import { ERROR_CODES, type ErrorCode, LookalikeError } from '../../../src/core/errors.js';
import { ROOT } from '../../fixtures/data.js';

/** Exit code -> error codes, as docs/operations.md says them. */
function documented(): Map<number, string[]> {
  const page = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8');
  const rows = [...page.matchAll(/^\| (\d+) \| [^|]+ \|([^|]*)\|$/gm)];
  return new Map(rows.map(([, exit, codes]) => [Number(exit), codes!.match(/\w+(?=`)/g) ?? []]));
}

describe('exit codes', () => {
  it('name only error codes that there are, each once', () => {
    const named = Object.values(CODES).flat();
    expect(new Set(named).size).toBe(named.length);
    for (const code of named) expect(ERROR_CODES).toContain(code);
  });

  it('are 1 for the codes that have no place, and for what is not ours', () => {
    const others = ERROR_CODES.filter((code) => exitCodeOf(new LookalikeError(code, '')) === 1);
    expect(others).toEqual([
      'method_not_allowed',
      'headers_too_large',
      'generation_mismatch',
      'insufficient_memory',
      'internal',
    ]);
    expect(exitCodeOf(new TypeError('x'))).toBe(1);
    expect(exitCodeOf(Object.assign(new Error('x'), { code: 'not_found' }))).toBe(1);
  });

  it('stand in docs/operations.md and in the help', () => {
    const page = documented();
    expect([...page.keys()]).toEqual(Object.values(EXIT));
    for (const [name, codes] of Object.entries(CODES)) {
      expect(page.get(EXIT[name as keyof typeof CODES])).toEqual(codes);
      for (const code of codes)
        expect(exitCodeOf(new LookalikeError(code as ErrorCode, ''))).toBe(EXIT[name as keyof typeof CODES]);
    }
    for (const exit of page.keys()) expect(EXIT_CODES_HELP).toMatch(new RegExp(`^ +${exit} +\\w`, 'm'));
  });
});
