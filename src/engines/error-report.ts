import { createReadStream } from 'node:fs';
import { open, truncate } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import type { BadEntry, ErrorReport } from '../core/import-entry.js';

/** What an import could not take, as a file. */

export const REPORTED = 100_000;

/** Opens a new report, or goes on with the one that is there; a last line that was cut short is taken away. */
export async function openErrorReport(path: string, most = REPORTED): Promise<ErrorReport> {
  let count = await mend(path);
  const file = await open(path, 'a');
  let closing: Promise<void> | undefined;
  return {
    get count() {
      return count;
    },
    async add(entry) {
      if (++count <= most) await file.appendFile(lineOf(entry));
    },
    close() {
      closing ??= file.sync().finally(() => file.close());
      return closing;
    },
  };
}

/** The report as bytes; may be read while it is written. */
export const streamErrorReport = (path: string): Readable => createReadStream(path);

/** Cuts the file after its last whole line; returns how many there are. */
async function mend(path: string): Promise<number> {
  let lines = 0;
  let end = 0;
  let at = 0;
  try {
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
      for (let lf = chunk.indexOf('\n'); lf >= 0; lf = chunk.indexOf('\n', lf + 1)) {
        lines++;
        end = at + lf + 1;
      }
      at += chunk.length;
    }
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return 0;
    throw thrown;
  }
  if (end < at) await truncate(path, end);
  return lines;
}

function lineOf({ place, id, error }: BadEntry): string {
  const line = {
    place: shortened(place, 300),
    ...(id === undefined ? {} : { id: shortened(id, 300) }),
    code: error.code,
    message: shortened(error.message, 1000),
  };
  return `${JSON.stringify(line)}\n`;
}

const shortened = (text: string, most: number): string =>
  text.length > most ? `${text.slice(0, most)}…` : text;
