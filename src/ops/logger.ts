import { type Logger, pino } from 'pino';

/** The log: JSON lines on standard error, one line a request. Standard output stays free for answers. */
export type { Logger };

export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';

/** Keys must never reach the log, wherever a header object is put into a line. */
const SECRETS = ['authorization', 'x-api-key', 'cookie'].flatMap((name) => [
  `["${name}"]`,
  `headers["${name}"]`,
  `*.headers["${name}"]`,
]);

/** Where lines go; a file descriptor's stream when not given. */
export interface LineSink {
  write(line: string): void;
}

/** A logger of this level. `sink` takes each line; standard error when absent. */
export function createLogger(level: LogLevel = 'info', sink?: LineSink): Logger {
  const options = {
    level,
    base: { name: 'lookalike' },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: SECRETS, censor: '[redacted]' },
  };
  return pino(options, sink ?? pino.destination({ dest: 2, sync: true }));
}
