/** What the commands of the studies share: arguments, help, exit codes, the files they write. */
import { basename, dirname, extname, join, resolve } from 'node:path';
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { LookalikeError, messageOf } from '../../../dist/offline.js';
import { makeFolder, writeWhole } from '../disk.js';

export interface Option {
  type: 'string' | 'boolean';
  help: string;
  default?: string | boolean;
  short?: string;
}

export type Values = Readonly<Record<string, string | boolean | undefined>>;

export interface Command {
  usage: string;
  about: string;
  options: Readonly<Record<string, Option>>;
  run(out: string, values: Values): Promise<void>;
}

/** What a number on the command line may be. */
export interface Allowed {
  each(n: number): boolean;
  most?: number; // numbers
  words: string;
}

export function command({
  usage,
  about,
  options,
  run,
}: Command): (argv: readonly string[]) => Promise<number> {
  return async (argv) => {
    try {
      const config: ParseArgsConfig = { args: [...argv], allowPositionals: true, options };
      const { values, positionals } = parseArgs(config);
      if (values.help) {
        console.log(helpText({ usage, about, options }));
        return 0;
      }
      if (positionals.length !== 1)
        throw new LookalikeError('invalid_setting', `name one folder of a training; usage: ${usage}`);
      await run(resolve(positionals[0]!), values as Values);
      return 0;
    } catch (error) {
      console.error(messageOf(error));
      return isUsageError(error) ? 2 : 1;
    }
  };
}

function helpText({ usage, about, options }: Omit<Command, 'run'>): string {
  const lines = Object.entries(options).map(([name, { help, default: fallback }]) => {
    const shown = fallback === undefined || fallback === false ? '' : ` [${fallback}]`;
    return `  ${`--${name}`.padEnd(16)} ${help}${shown}`;
  });
  return [about, '', `usage: ${usage}`, '', ...lines].join('\n');
}

function isUsageError(error: unknown): boolean {
  if (error instanceof LookalikeError) return error.code === 'invalid_setting';
  return error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
}

export function needed(name: string, values: Values): string {
  const value = values[name];
  if (typeof value === 'string' && value !== '') return resolve(value);
  throw new LookalikeError(
    'invalid_setting',
    `--${name} is missing: it names a folder of labelled pictures`,
    {
      field: name,
    },
  );
}

/** A list of numbers, each once and in order. */
export function numbers(name: string, text: unknown, allowed: Allowed): number[] {
  const found = String(text)
    .split(',')
    .map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  if (found.every(allowed.each) && found.length <= (allowed.most ?? Number.POSITIVE_INFINITY))
    return [...new Set(found)].sort((a, b) => a - b);
  throw new LookalikeError('invalid_setting', `--${name} is ${text}, allowed: ${allowed.words}`, {
    field: name,
  });
}

/** The JSON and the file beside it that has its name and another ending. */
export function filesFor(out: string, asked: unknown, { name, type }: { name: string; type: string }) {
  const figures = typeof asked === 'string' ? resolve(asked) : join(out, `${name}.json`);
  if (extname(figures) !== '.json')
    throw new LookalikeError(
      'invalid_setting',
      `--json is ${asked}, allowed: a file name that ends in .json`,
      {
        field: 'json',
      },
    );
  const beside = `${basename(figures, extname(figures))}${type}`;
  return {
    beside,
    async write(study: object, picture: Uint8Array | string): Promise<void> {
      const folder = dirname(figures);
      makeFolder(folder);
      writeWhole({ what: 'the picture', path: join(folder, beside), out }, [picture]);
      writeWhole({ what: 'the figures', path: figures, out }, [`${JSON.stringify(study, null, 2)}\n`]);
      console.log(`wrote ${figures} and ${beside} beside it`);
    },
  };
}
