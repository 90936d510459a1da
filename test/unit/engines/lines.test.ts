/** Lines out of bytes: the same however the bytes were cut, and never longer than the limit. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { linesOf } from '../../../src/engines/lines.js';

async function* chunksOf(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** `number:text`, or `number!code`. */
async function read(bytes: Uint8Array | string, { limit = 100, chunk = 7 } = {}): Promise<string[]> {
  const lines: string[] = [];
  const from = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
  for await (const line of linesOf(chunksOf(from, chunk), limit))
    lines.push(
      'text' in line ? `${line.number}:${line.text.replace('\r', '')}` : `${line.number}!${line.error.code}`,
    );
  return lines;
}

describe('linesOf', () => {
  it('takes LF and CRLF, with and without one at the end', async () => {
    for (const text of ['a\nb', 'a\nb\n', 'a\r\nb\r\n']) expect(await read(text)).toEqual(['1:a', '2:b']);
  });

  it('passes blank lines over and counts them', async () => {
    expect(await read('\n\na\n  \n\r\nb\n\n')).toEqual(['3:a', '6:b']);
    expect(await read('')).toEqual([]);
  });

  it('drops a byte order mark', async () => {
    expect(await read('\ufeffé\nb')).toEqual(['1:é', '2:b']);
    expect(await read('\ufeff\n')).toEqual([]);
  });

  it('costs one error for bytes that are not UTF-8 and reads on', async () => {
    const bytes = Buffer.concat([Buffer.from('a\n'), Buffer.of(0xff, 0xc3, 10), Buffer.from('é\n')]);
    expect(await read(bytes)).toEqual(['1:a', '2!malformed_body', '3:é']);
  });

  it('costs one error for a line past the limit and reads on at the next', async () => {
    const text = `${'x'.repeat(100)}\n${'y'.repeat(101)}\n${'z'.repeat(5000)}\nb\n${'w'.repeat(200)}`;
    const expected = [
      `1:${'x'.repeat(100)}`,
      '2!body_too_large',
      '3!body_too_large',
      '4:b',
      '5!body_too_large',
    ];
    for (const chunk of [1, 64, 10_000]) expect(await read(text, { chunk })).toEqual(expected);
  });

  it('gives the same lines however the bytes were cut', async () => {
    const piece = fc.constantFrom('a', 'é', '🙂', '\n', '\r\n', ' ', 'x'.repeat(20));
    await fc.assert(
      fc.asyncProperty(
        fc.array(piece, { maxLength: 40 }),
        fc.integer({ min: 1, max: 50 }),
        async (parts, chunk) => {
          const text = parts.join('');
          const expected = text
            .split('\n')
            .map((line, i) => ({
              text: line.replace('\r', ''),
              number: i + 1,
              bytes: Buffer.byteLength(line),
            }))
            .filter((line) => line.bytes > 30 || line.text.trim() !== '')
            .map((line) =>
              line.bytes > 30 ? `${line.number}!body_too_large` : `${line.number}:${line.text}`,
            );
          expect(await read(text, { limit: 30, chunk })).toEqual(expected);
        },
      ),
    );
  });

  it('ends on any bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        expect((await read(bytes, { limit: 20 })).length).toBeLessThanOrEqual(bytes.length + 1);
      }),
    );
  });
});
