import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Overrides, readSettings, SETTINGS, type Settings } from '../settings.js';

/** Options that several commands share. What the service checks is handed on as it was typed: its message is the one of HTTP. */

/** Where a command finds its data: a running service, or a data folder that is opened for it. */
export interface Connection {
  url?: string;
  key?: string;
  dataDir?: string;
  model?: string;
  exactProvider?: string;
  logLevel?: string;
  json?: boolean;
  /** false: a job is started and not waited for. */
  wait?: boolean;
}

const IN_PROCESS = ['dataDir', 'model', 'exactProvider', 'logLevel'] as const;

/** Adds what tells the command where its data is, and `--json`. */
export function withConnection(command: Command): Command {
  command
    .addOption(
      new Option('--url <address>', 'a running service to ask')
        .argParser(httpAddress)
        .conflicts([...IN_PROCESS]),
    )
    .addOption(new Option('--key <key>', 'its API key').env('LOOKALIKE_API_KEY'));
  for (const name of IN_PROCESS) {
    const { option, meaning } = SETTINGS[name];
    command.option(option!, `without --url: ${meaning}`);
  }
  return command.option('--json', 'print the answer as JSON');
}

/** Whether something was said about the data folder that the command is to open. */
export const saysFolder = (connection: Connection): boolean =>
  IN_PROCESS.some((name) => connection[name] !== undefined);

export const withCollection = (command: Command): Command =>
  command.option('--collection <name>', 'the collection that is meant (default: default)');

export const withWait = (command: Command): Command =>
  command.option('--no-wait', 'with --url: print the id of the job and stop');

/** Every setting that has an option, with its meaning, default and variable. */
export function withSettings(command: Command): Command {
  for (const { option, meaning, fallback, variable } of Object.values(SETTINGS)) {
    if (option === undefined) continue;
    const shown = fallback === undefined || fallback === 'false' ? '' : `, default ${fallback}`;
    command.option(option, `${meaning} (${variable}${shown})`);
  }
  return command;
}

export function settingsOf(options: Record<string, unknown>, folder: unknown): Settings {
  const { auth, ...given } = options;
  // commander turns --no-auth into auth: false
  const overrides = { ...given, ...(auth === false && { noAuth: true }) } as Overrides;
  return readSettings(overrides, { folder: typeof folder === 'string' ? folder : null });
}

/** The values that are there, for a query or a body. */
export function given<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const there = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(there) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

/** A number in the words that were typed: the service reads it, and refuses it in the words of HTTP. */
export const typed = (text: string | undefined) => text as unknown as number | undefined;

/** For an option that may be repeated. */
export const collect = (text: string, before: string[] = []): string[] => [...before, text];

export function positive(text: string): number {
  if (Number(text) > 0) return Number(text);
  throw new InvalidArgumentError('A number above 0 is wanted.');
}

export function wholeNumber(text: string): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new InvalidArgumentError('A whole number from 1 is wanted.');
}

export function httpAddress(text: string): string {
  if (URL.canParse(text) && /^https?:/.test(text)) return text;
  throw new InvalidArgumentError('An address like http://localhost:8080 is wanted.');
}
