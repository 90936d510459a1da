/** The command line: what it says and the code it ends with when something is wrong. */

import { appendFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Job } from '../../src/core/types.js';
import { sha256Of } from '../../src/engines/files.js';
import { SETTINGS } from '../../src/settings.js';
import { PICTURES_PER_LABEL, writePictures } from '../fixtures/pictures.js';
import { tempFolder } from '../fixtures/temp-folder.js';
import { writeTinyModel } from '../fixtures/tiny-encoder.js';
import { startTestServer } from '../http/start.js';
import { expectRefusal, readyAt, runCli, startCli } from './cli-process.js';

let home: string;
let args: string[]; // data folder, model and provider
const at = (name: string) => join(home, name);
const ROWS = 3 * PICTURES_PER_LABEL;

beforeAll(async () => {
  home = await tempFolder();
  await writeTinyModel(at('model'));
  await writePictures(at('pictures'));
  args = ['--data-dir', at('data'), '--model', at('model'), '--exact-provider', 'cpu'];
  const { code, stderr } = await runCli('index', at('pictures'), ...args);
  expect([code, stderr]).toEqual([0, expect.stringContaining(`${ROWS} embedded`)]);
});

/** The options with one of them replaced. */
function withOption(name: string, value: string): string[] {
  const changed = [...args];
  changed[changed.indexOf(name) + 1] = value;
  return changed;
}

/** A model folder that is not `model`: the same network with a line of documentation in its file. */
async function otherModel(folder: string, change: (manifest: Record<string, unknown>) => void = () => {}) {
  const manifest: Record<string, unknown> = { ...(await writeTinyModel(folder)) };
  await appendFile(join(folder, 'encoder.onnx'), Buffer.from([0x32, 1, 0x78])); // field 6, doc_string: 'x'
  manifest.sha256 = sha256Of(await readFile(join(folder, 'encoder.onnx')));
  change(manifest);
  await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest));
}

describe('a folder', () => {
  it('that is not there, or holds no pictures, ends with 4', async () => {
    await mkdir(at('empty'), { recursive: true });
    const [missing, empty] = await Promise.all([
      runCli('index', at('nowhere'), ...withOption('--data-dir', at('data-1'))),
      runCli('serve', at('empty'), '--port', '0', ...withOption('--data-dir', at('data-2'))),
    ]);
    expectRefusal(missing, 4, at('nowhere'));
    expectRefusal(empty, 4, at('empty'), 'JPEG, PNG or WebP');
  });

  it('that was indexed is not embedded again', async () => {
    const { code, stdout } = await runCli('index', at('pictures'), ...args, '--json');
    const jobs = JSON.parse(stdout) as Job[];
    expect(code).toBe(0);
    expect(jobs.map(({ kind, state }) => [kind, state])).toEqual([['import', 'succeeded']]);
    expect(jobs[0]!.result).toMatchObject({ found: ROWS, embedded: 0, unchanged: ROWS });
  });
});

describe('a model', () => {
  const index = (model: string, data = at('data-3')) =>
    runCli('index', at('pictures'), '--data-dir', data, '--model', model, '--exact-provider', 'cpu');

  it('that is not there ends with 3 and says how to get one', async () => {
    expectRefusal(await index(at('no-model')), 3, at('no-model'), '--model', 'npm run train');
  });

  it('that is damaged ends with 3, whether its hash tells or its content', async () => {
    await writeTinyModel(at('damaged'));
    await appendFile(at('damaged/encoder.onnx'), 'x');
    await otherModel(at('garbage'));
    const garbage = Buffer.alloc(1000, 'no network');
    await writeFile(at('garbage/encoder.onnx'), garbage);
    const manifest = JSON.parse(await readFile(at('garbage/manifest.json'), 'utf8'));
    await writeFile(at('garbage/manifest.json'), JSON.stringify({ ...manifest, sha256: sha256Of(garbage) }));
    const [damaged, unreadable] = await Promise.all([
      index(at('damaged')),
      index(at('garbage'), at('data-4')),
    ]);
    expectRefusal(damaged, 3, at('damaged/encoder.onnx'), 'SHA-256');
    expectRefusal(unreadable, 3, at('garbage/encoder.onnx'));
  });

  it('other than the one of the data folder ends with 3 and changes nothing', async () => {
    await otherModel(at('other'));
    const before = await readFile(at('data/lookalike.db'));
    expectRefusal(
      await index(at('other'), at('data')),
      3,
      'was indexed by the model',
      '--model',
      '--data-dir',
    );
    expect((await readFile(at('data/lookalike.db'))).equals(before)).toBe(true);
  });
});

describe('a data folder', () => {
  it('with a damaged database ends with 3 and keeps every byte of it', async () => {
    const garbage = Buffer.alloc(8192, 'not a database ');
    await mkdir(at('data-5'), { recursive: true });
    await writeFile(at('data-5/lookalike.db'), garbage);
    const ended = await runCli('index', at('pictures'), ...withOption('--data-dir', at('data-5')));
    expectRefusal(ended, 3, at('data-5/lookalike.db'), 'backup');
    expect((await readFile(at('data-5/lookalike.db'))).equals(garbage)).toBe(true);
  });

  it('that another process serves ends with 3; a port that is taken with 2', async () => {
    const serving = startCli('serve', at('pictures'), ...args, '--port', '0');
    const url = await readyAt(serving);
    const { port } = new URL(url);
    const [busy, taken] = await Promise.all([
      runCli('serve', at('pictures'), ...args, '--port', '0'),
      runCli('serve', at('pictures'), ...withOption('--data-dir', at('data-6')), '--port', port),
    ]);
    expectRefusal(busy, 3, 'in use by another process', '--data-dir');
    expectRefusal(taken, 2, `127.0.0.1:${port}`, 'EADDRINUSE');
    serving.child.kill('SIGINT');
    expect((await serving.ended).code).toBe(0);
  });
});

describe('options', () => {
  it('that are wrong end with 2 and are named as they were typed', async () => {
    const cases: [string[], string][] = [
      [['serve', '--port', 'http'], '--port=http'],
      [['serve', '--exact-provider', 'tpu'], '--exact-provider=tpu'],
      [['serve', '--host', '0.0.0.0'], '--no-auth'],
      [['serve', '--colour'], '--colour'],
      [['serve', 'a', 'b'], 'too many arguments'],
      [['index'], 'folder'],
      [['evaluate', at('pictures'), '--mode', 'fast'], 'auto, hnsw, exact'],
      [['evaluate', at('pictures'), '--concurrency', '0'], '--concurrency'],
      [['evaluate', at('pictures'), '--limit', 'few'], '--limit'],
      [['evaluate', at('pictures'), '--url', 'localhost:8080'], '--url'],
    ];
    for (const [given, part] of cases) expectRefusal(await runCli(...given), 2, part);
  });

  it.each(['serve', 'index', 'evaluate'])('of %s are told by --help', async (command) => {
    const { code, stdout } = await runCli(command, '--help');
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^Usage: lookalike ${command}`));
    if (command === 'evaluate') return expect(stdout).toContain('--vote-k');
    for (const { option, variable } of Object.values(SETTINGS) as { option?: string; variable: string }[])
      if (option !== undefined) for (const part of [option, variable]) expect(stdout).toContain(part);
  });

  it('and commands are told by --help, the version by --version', async () => {
    const [help, version] = await Promise.all([runCli('--help'), runCli('--version')]);
    for (const part of ['serve', 'index', 'train', 'evaluate', 'Exit codes', 'Examples'])
      expect(help.stdout).toContain(part);
    expect([help.code, version.code]).toEqual([0, 0]);
    expect(version.stdout.trim()).toMatch(/^\d+\.\d+\.\d+$/);
  });
});

describe('evaluate', () => {
  it('measures a running service over a labelled folder', async () => {
    const serving = startCli('serve', at('pictures'), ...args, '--port', '0');
    const url = await readyAt(serving);
    const ask = (...given: string[]) => runCli('evaluate', at('pictures'), '--url', url, ...given);
    const { code, stdout } = await ask('--json', '--vote-k', '3');
    expect(code).toBe(0);
    const result = JSON.parse(stdout);
    expect(result).toMatchObject({
      pictures: ROWS,
      refused: 0,
      correct: ROWS,
      accuracy: 100,
      mode: 'exact',
      vote_k: 3,
    });
    expect(Object.keys(result.stages_ms)).toEqual(
      expect.arrayContaining(['decode', 'embed', 'search', 'vote']),
    );
    const [few, wrong] = await Promise.all([ask('--limit', '6'), ask('--vote-k', '100000')]);
    expect(few.stdout).toContain('6 of 6, 0 refused');
    expectRefusal(wrong, 2, 'vote_k'); // refused for the question, not for the pictures
  });

  it('opens a data folder that no service holds', async () => {
    const { stdout } = await runCli('evaluate', at('pictures'), ...args, '--vote-k', '3');
    expect(stdout).toContain(`${ROWS} of ${ROWS}, 0 refused`);
  });

  it('without a service ends with 5, without labels with 4', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => closed.once('listening', resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    const url = `http://127.0.0.1:${port}`;
    expectRefusal(await runCli('evaluate', at('pictures'), '--url', url), 5, url, 'does not answer');
    onTestFinished(() => rm(at('flat'), { recursive: true }));
    await mkdir(at('flat'));
    await writeFile(at('flat/a.jpg'), '');
    expectRefusal(await runCli('evaluate', at('flat'), '--url', url), 4, at('flat'));
  });
});

describe('bench', () => {
  it('measures a data folder, by the number of clients', async () => {
    const asked = ['--requests', '20', '--clients', '1,3', '--mode', 'exact'];
    const { code, stdout, stderr } = await runCli('bench', at('pictures'), ...args, ...asked, '--json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringContaining('    at ') });
    const result = JSON.parse(stdout);
    expect(result).toMatchObject({
      pictures: ROWS,
      requests: 20,
      rows: ROWS,
      mode: 'exact',
      used: ['exact'],
    });
    expect(result.levels).toMatchObject([
      { clients: 1, refused: 0 },
      { clients: 3, refused: 0 },
    ]);
    for (const { answers_per_second, answer_ms, stages_ms } of result.levels) {
      expect(answers_per_second).toBeGreaterThan(0);
      expect(answer_ms.p50).toBeLessThanOrEqual(answer_ms.p99);
      expect(stages_ms.embed.p50).toBeLessThanOrEqual(answer_ms.max);
    }
    const words = await runCli('bench', at('pictures'), ...args, '--requests', '10');
    expect(words.stdout).toMatch(/clients +answers\/s[\s\S]+embed/);
  });

  it('counts what a full service refuses, and stops at what is wrong with the question', async () => {
    const server = await startTestServer({ rateLimit: 15 });
    onTestFinished(() => server.close());
    const few = ['--requests', '30', '--clients', '1', '--json'];
    const { code, stdout } = await runCli('bench', at('pictures'), '--url', server.url, ...few);
    expect(code).toBe(0);
    const [level] = JSON.parse(stdout).levels;
    expect(level.refused).toBe(25); // ten came before, to warm up
    const unknown = await runCli('bench', at('pictures'), ...args, '--collection', 'nobody');
    expectRefusal(unknown, 4, 'nobody');
  });

  it.each([
    [['--clients', '1,x'], '1,2,4'],
    [['--requests', '0'], '--requests'],
    [['--mode', 'fast'], 'auto, hnsw, exact'],
  ])('refuses %j', async (given, said) => {
    expectRefusal(await runCli('bench', at('pictures'), ...given), 2, said);
  });
});
