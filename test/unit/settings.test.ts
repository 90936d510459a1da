/** Settings: defaults, who wins, and refusals under the name that the operator typed. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Overrides, readSettings } from '../../src/settings.js';
import { refusal } from '../fixtures/errors.js';

const read = (overrides: Overrides = {}, env: NodeJS.ProcessEnv = {}, folder: string | null = null) =>
  readSettings(overrides, { folder, env });
const refused = (overrides: Overrides, env: NodeJS.ProcessEnv = {}) =>
  refusal('invalid_setting', () => read(overrides, env));

const KEY = 'k'.repeat(16);

describe('readSettings', () => {
  it('starts with defaults that answer on this machine only', () => {
    expect(read()).toMatchObject({ host: '127.0.0.1', port: 8080, apiKeys: [], noAuth: false, prune: false });
    expect(read().folder).toBeNull();
  });

  it('takes the option before the variable and the variable before the default', () => {
    expect(read({}, { PORT: '9000' }).port).toBe(9000);
    expect(read({ port: '9001' }, { PORT: '9000' }).port).toBe(9001);
  });

  it('samples one search of a hundred for the recall, or any share from none to all', () => {
    expect(read().recallSample).toBe(0.01);
    const shares = ['0', '.5', '0.25', '1'].map((text) => read({}, { LOOKALIKE_RECALL_SAMPLE: text }));
    expect(shares.map(({ recallSample }) => recallSample)).toEqual([0, 0.5, 0.25, 1]);
  });

  it('makes folders absolute', () => {
    const { model, dataDir, folder } = read({ model: 'm', dataDir: 'd' }, {}, 'photos');
    expect([model, dataDir, folder]).toEqual(['m', 'd', 'photos'].map((name) => join(process.cwd(), name)));
  });

  it('reads lists and switches', () => {
    const env = { LOOKALIKE_API_KEYS: ` ${KEY}, ${KEY}2 ,`, LOOKALIKE_ALLOWED_HOSTS: 'a.example,b.example' };
    expect(read({}, env)).toMatchObject({
      apiKeys: [KEY, `${KEY}2`],
      allowedHosts: ['a.example', 'b.example'],
    });
    expect(read({ prune: true }).prune).toBe(true);
    expect(read({}, { LOOKALIKE_PRUNE: 'false' }).prune).toBe(false);
  });

  const wrong: [Overrides, NodeJS.ProcessEnv, string[]][] = [
    [{ port: 'http' }, {}, ['--port=http', 'whole number']],
    [{ port: '65536' }, {}, ['--port=65536', '65535']],
    [{ port: '-1' }, {}, ['--port=-1']],
    [{ port: '80.5' }, {}, ['--port=80.5']],
    [{}, { PORT: '' }, ['PORT=']],
    [{}, { PORT: '8080 ' }, ['PORT=8080 ']],
    [{}, { LOOKALIKE_PRUNE: 'perhaps' }, ['LOOKALIKE_PRUNE=perhaps']],
    [{ exactProvider: 'tpu' }, {}, ['--exact-provider=tpu', 'webgpu']],
    [{ logLevel: 'loud' }, {}, ['--log-level=loud', 'silent']],
    [{ dataDir: '' }, {}, ['--data-dir=']],
    [{ model: '' }, {}, ['--model=']],
    [{ host: '' }, {}, ['--host=']],
    [{}, { LOOKALIKE_MAX_BYTES: '12' }, ['LOOKALIKE_MAX_BYTES=12', '1024']],
    [{}, { LOOKALIKE_MAX_PIXELS: '1e6' }, ['LOOKALIKE_MAX_PIXELS=1e6']],
    [{}, { LOOKALIKE_MAX_K: '0' }, ['LOOKALIKE_MAX_K=0']],
    [{}, { LOOKALIKE_CONCURRENCY: '0' }, ['LOOKALIKE_CONCURRENCY=0']],
    [{}, { LOOKALIKE_EMBED_THREADS: 'NaN' }, ['LOOKALIKE_EMBED_THREADS=NaN']],
    [{}, { LOOKALIKE_RATE_LIMIT: '-1' }, ['LOOKALIKE_RATE_LIMIT=-1', 'whole number']],
    [{}, { LOOKALIKE_RECALL_SAMPLE: '1.5' }, ['LOOKALIKE_RECALL_SAMPLE=1.5', 'from 0 to 1']],
    [{}, { LOOKALIKE_RECALL_SAMPLE: '1 %' }, ['LOOKALIKE_RECALL_SAMPLE=1 %']],
    [{}, { LOOKALIKE_QUEUE_LIMIT: '-5' }, ['LOOKALIKE_QUEUE_LIMIT=-5']],
    [{}, { LOOKALIKE_BODY_BUDGET_BYTES: '99999999999999' }, ['LOOKALIKE_BODY_BUDGET_BYTES=99999999999999']],
    [{}, { LOOKALIKE_REQUEST_TIMEOUT_MS: '1s' }, ['LOOKALIKE_REQUEST_TIMEOUT_MS=1s']],
  ];
  it.each(wrong)('refuses %j %j and names what was typed', async (overrides, env, parts) => {
    const { message } = await refused(overrides, env);
    for (const part of parts) expect(message).toContain(part);
  });

  it('refuses keys that are too short, and never prints them', async () => {
    const { message } = await refused({}, { LOOKALIKE_API_KEYS: `${KEY},hunter2` });
    expect(message).toContain('LOOKALIKE_API_KEYS=');
    expect(message).not.toContain('hunter2');
    expect(message).not.toContain(KEY);
  });
});

describe('an address that others can reach', () => {
  const open = ['0.0.0.0', '::', '192.168.0.7', 'example.org', '127.example.org'];

  it.each(open)('%s needs keys, or the word that nobody needs them', async (host) => {
    expect((await refused({ host })).message).toMatch(/LOOKALIKE_API_KEYS.*--no-auth/);
    expect(read({ host }, { LOOKALIKE_API_KEYS: KEY }).host).toBe(host);
    expect(read({ host, noAuth: true }).host).toBe(host);
  });

  it.each(['127.0.0.1', '127.1.2.3', '::1', 'localhost'])('is not %s', (host) => {
    expect(read({ host }).host).toBe(host);
  });
});

describe('the data folder by default', () => {
  const env = { XDG_DATA_HOME: '/data-home' };

  it('is one per picture folder, named after it, and the same every time', () => {
    const of = (folder: string | null) => read({}, env, folder).dataDir;
    expect(of(null)).toBe('/data-home/lookalike/demo');
    expect(of('/a/photos')).toMatch(/^\/data-home\/lookalike\/photos-[0-9a-f]{8}$/);
    expect(of('/a/photos')).toBe(of('/a/photos/'));
    expect(new Set([of(null), of('/a/photos'), of('/b/photos'), of('/a')]).size).toBe(4);
  });

  it('is in the home folder without XDG_DATA_HOME, also when that is empty', () => {
    expect(read({}, {}).dataDir).toMatch(/\/\.local\/share\/lookalike\/demo$/);
    expect(read({}, { XDG_DATA_HOME: '' }).dataDir).toBe(read({}, {}).dataDir);
  });
});
