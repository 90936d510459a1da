/** docs/errors.md has every code, with the status and the exit code that it really has. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { exitCodeOf } from '../../src/cli/exit-codes.js';
import { ERROR_CODES, LookalikeError } from '../../src/core/errors.js';
import { STATUS } from '../../src/http/problem.js';
import { ROOT } from '../fixtures/data.js';

it('the page of errors says what the code says', () => {
  const page = readFileSync(join(ROOT, 'docs/errors.md'), 'utf8');
  const rows = [...page.matchAll(/^\| `(\w+)` \| (\d+) \| (\d+) \| (.+) \|$/gm)];
  const documented = rows.map(([, code, status, exit]) => [code, Number(status), Number(exit)]);
  expect(documented).toEqual(
    ERROR_CODES.map((code) => [code, STATUS[code], exitCodeOf(new LookalikeError(code, ''))]),
  );
  for (const [, , , , meaning] of rows) expect(meaning).toMatch(/^[A-Z`].+\.$/);
});
