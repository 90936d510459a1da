/** What a run tells: lines for people, a live line on a terminal, and `log.ndjson` for programs. */
import { join } from 'node:path';
import { appendLine } from './disk.js';

export const LOG_FILE = 'log.ndjson';

export interface Report {
  /** A line for people. */
  say(line: string): void;
  /** Overwrites itself; only on a terminal. Empty: nothing is left of it. */
  live(line: string): void;
  /** One JSON line in the log, with the time. Throws `internal` when the disk does not let it. */
  record(event: string, fields: object): void;
}

export function createReport(outDir: string): Report {
  const terminal = process.stdout.isTTY === true;
  const clear = () => {
    if (terminal) process.stdout.write('\r\x1b[2K');
  };
  return {
    say(line) {
      clear();
      console.log(line);
    },
    live(line) {
      if (!terminal) return;
      clear();
      // A line that wraps could not be overwritten.
      process.stdout.write(line.slice(0, (process.stdout.columns || 80) - 1));
    },
    record(event, fields) {
      const line = JSON.stringify({ time: new Date().toISOString(), event, ...fields });
      appendLine({ what: 'the log', path: join(outDir, LOG_FILE), out: outDir }, line);
    },
  };
}

/** 65 s as "1 min 5 s", 4000 s as "1 h 7 min". */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  const minutes = Math.round(whole / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
