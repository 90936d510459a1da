/** What a run tells: lines for people, a live line on a terminal, and `log.ndjson` for programs. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Report {
  /** A line for people. */
  say(line: string): void;
  /** Overwrites itself; only on a terminal. */
  live(line: string): void;
  /** One JSON line in the log, with the time. */
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
      process.stdout.write(line);
    },
    record(event, fields) {
      const line = JSON.stringify({ time: new Date().toISOString(), event, ...fields });
      appendFileSync(join(outDir, 'log.ndjson'), `${line}\n`);
    },
  };
}

/** 65 s as "1 min 5 s", 4000 s as "1 h 7 min". */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.round((whole % 3600) / 60)} min`;
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
