import { describe, expect, it } from 'vitest';
import { createLogger } from '../../../src/ops/logger.js';

describe('the log', () => {
  const lines: string[] = [];
  const logger = createLogger('info', { write: (line) => lines.push(line) });

  it('never shows a key, wherever the headers are put', () => {
    const headers = {
      authorization: 'Bearer secret-1',
      'x-api-key': 'secret-2',
      cookie: 'secret-3',
      accept: '*/*',
    };
    logger.info(headers, 'flat');
    logger.info({ headers }, 'nested');
    logger.info({ req: { headers } }, 'deeper');
    const text = lines.join('');
    expect(lines).toHaveLength(3);
    expect(text).not.toContain('secret');
    expect(text).toContain('[redacted]');
    expect(text).toContain('*/*');
  });

  it('is one JSON object a line, with a time that can be read', () => {
    lines.length = 0;
    logger.info({ status: 200 }, 'request');
    logger.debug('not at this level');
    expect(lines).toHaveLength(1);
    const line = JSON.parse(lines[0]!);
    expect(line).toMatchObject({ name: 'lookalike', status: 200, msg: 'request' });
    expect(Number.isNaN(Date.parse(line.time))).toBe(false);
  });
});
