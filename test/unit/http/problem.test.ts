import { describe, expect, it } from 'vitest';
import { ERROR_CODES, LookalikeError } from '../../../src/core/errors.js';
import { STATUS, toProblem } from '../../../src/http/problem.js';

describe('a problem', () => {
  it('has a status of refusal for every code', () => {
    for (const code of ERROR_CODES) {
      expect(STATUS[code]).toBeGreaterThanOrEqual(400);
      expect(STATUS[code]).toBeLessThan(600);
    }
  });

  it('says what went wrong when it is the caller who can mend it', () => {
    const error = new LookalikeError('invalid_parameter', 'k must be small, got "9"', { field: 'k' });
    expect(toProblem(error, 'r1')).toEqual({
      type: '/docs#invalid_parameter',
      title: 'Bad Request',
      status: 400,
      detail: 'k must be small, got "9"',
      code: 'invalid_parameter',
      field: 'k',
      request_id: 'r1',
    });
  });

  it('says nothing of the cause when it is the service that failed', () => {
    const cause = new Error('the password is secret');
    for (const code of ERROR_CODES.filter((one) => STATUS[one] === 500)) {
      const problem = toProblem(
        new LookalikeError(code, '/home/x/secret.db is broken', { field: 'x', cause }),
        'r2',
      );
      expect(problem).toMatchObject({ status: 500, code: 'internal', request_id: 'r2' });
      expect(JSON.stringify(problem)).not.toContain('secret');
      expect(problem.field).toBeUndefined();
    }
  });
});
