import { LookalikeError } from '../core/errors.js';

/** Lines of text out of a stream of bytes, one in memory at a time, each of a limited length. */

/** A line that is not blank. `number` counts from 1, blank ones too. */
export type Line = { number: number } & ({ text: string } | { error: LookalikeError });

/**
 * The lines of UTF-8 text, ended by LF or CRLF, without a byte order mark. A line of more than `limit` bytes costs one
 * error (`body_too_large`) and its bytes are not kept; one that is not UTF-8 costs one too (`malformed_body`).
 */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>, limit: number): AsyncGenerator<Line> {
  const line = createLine(limit);
  let number = 0;
  for await (const chunk of chunks) {
    let from = 0;
    for (let to = chunk.indexOf(LF); to >= 0; to = chunk.indexOf(LF, from)) {
      line.add(chunk.subarray(from, to));
      from = to + 1;
      const ended = line.end(++number);
      if (ended) yield ended;
    }
    line.add(chunk.subarray(from));
  }
  const last = line.end(++number);
  if (last) yield last;
}

const LF = 10;

/** The line that is being read: its pieces until it ends. */
function createLine(limit: number) {
  let pieces: Uint8Array[] = [];
  let length = 0;

  function add(piece: Uint8Array): void {
    length += piece.length;
    if (length > limit) pieces = [];
    else if (piece.length > 0) pieces.push(piece);
  }

  function end(number: number): Line | null {
    const bytes = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
    const error = length > limit ? tooLong(length, limit) : null;
    pieces = [];
    length = 0;
    return error ? { number, error } : decoded(bytes, number);
  }

  return { add, end };
}

const utf8 = new TextDecoder('utf-8', { fatal: true }); // drops a byte order mark

function decoded(bytes: Uint8Array, number: number): Line | null {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch (cause) {
    return { number, error: new LookalikeError('malformed_body', 'the line is not UTF-8', { cause }) };
  }
  return text.trim() === '' ? null : { number, text };
}

function tooLong(length: number, limit: number): LookalikeError {
  return new LookalikeError('body_too_large', `the line has ${length} bytes, ${limit} are allowed`);
}
