import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { readSettings } from '../../src/settings.js';
import { waysOf } from '../../src/tune.js';
import { TUNED_FILE, thisMachine } from '../../src/tuned.js';
import { refusal } from '../fixtures/errors.js';
import { tempFolder } from '../fixtures/temp-folder.js';

let dataDir: string;
beforeEach(async () => {
  dataDir = await tempFolder();
  await mkdir(dataDir, { recursive: true });
});

const write = (content: unknown) =>
  writeFile(join(dataDir, TUNED_FILE), typeof content === 'string' ? content : JSON.stringify(content));
const file = (settings: Record<string, string>, change: object = {}) => ({
  format_version: 1,
  machine: thisMachine(),
  settings,
  measured: {},
  ...change,
});
const read = (env: Record<string, string> = {}) => readSettings({ dataDir }, { env });

describe('tuned settings', () => {
  it('win over the default, and a variable wins over them', async () => {
    await write(file({ LOOKALIKE_EMBED_THREADS: '7', LOOKALIKE_EMBED_SPINNING: 'true' }));
    expect(read()).toMatchObject({ embedThreads: 7, embedSpinning: true });
    expect(read({ LOOKALIKE_EMBED_THREADS: '3' })).toMatchObject({ embedThreads: 3, embedSpinning: true });
  });

  it('are those of the data folder that the variable names, too', async () => {
    await write(file({ LOOKALIKE_EMBED_THREADS: '7' }));
    expect(readSettings({}, { env: { LOOKALIKE_DATA_DIR: dataDir } }).embedThreads).toBe(7);
    expect(readSettings({}, { env: { LOOKALIKE_DATA_DIR: await tempFolder() } }).embedThreads).toBe(2);
  });

  it('of another machine are left alone', async () => {
    await write(file({ LOOKALIKE_EMBED_THREADS: '7' }, { machine: '512 x Abacus' }));
    expect(read().embedThreads).toBe(2);
  });

  it('are refused when they are damaged, set what may not be tuned, or a wrong value', async () => {
    const why = async (content: unknown) => {
      await write(content);
      return (await refusal('invalid_setting', () => read())).message;
    };
    expect(await why('{')).toMatch(/tuned\.json cannot be used.*lookalike tune/);
    expect(await why(file({}, { format_version: 2 }))).toContain('format_version');
    expect(await why(file({ LOOKALIKE_NO_AUTH: 'true' }))).toMatch(
      /LOOKALIKE_NO_AUTH.*LOOKALIKE_EMBED_THREADS/,
    );
    expect(await why(file({ LOOKALIKE_EMBED_THREADS: '0' }))).toContain(
      'tuned.json: LOOKALIKE_EMBED_THREADS=0',
    );
  });
});

describe('the ways that are measured', () => {
  it('are powers of two up to the cores and all cores, with and without spinning', () => {
    const names = (cores: number) =>
      waysOf(cores).map(({ threads, spinning }) => `${threads}${spinning ? 's' : ''}`);
    expect(names(1)).toEqual(['1']);
    expect(names(2)).toEqual(['1', '2', '2s']);
    expect(names(6)).toEqual(['1', '2', '2s', '4', '4s', '6', '6s']);
  });
});
