/** The example for users of other languages, as they run it: Python's standard library against the real server. */
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../fixtures/data.js';
import { writePictures } from '../fixtures/pictures.js';
import { tempFolder } from '../fixtures/temp-folder.js';
import { startTestServer, type TestServer } from '../http/start.js';

const KEY = 'key-of-the-example-0001';
const SCRIPT = join(ROOT, 'examples/similar.py');

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

function python(args: readonly string[], key?: string): Promise<Ended> {
  const env = { PATH: process.env.PATH, ...(key !== undefined && { LOOKALIKE_API_KEY: key }) };
  return new Promise((resolve) => {
    execFile('python3', args, { env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr });
    });
  });
}

const found = await python(['--version']);
if (found.code !== 0) console.warn('skipped: there is no python3 here');

describe.skipIf(found.code !== 0)('examples/similar.py', () => {
  let server: TestServer;
  let photos: string;
  beforeAll(async () => {
    server = await startTestServer({ apiKeys: [KEY] });
    photos = join(await tempFolder(), 'photos');
    await writePictures(photos);
    await mkdir(join(photos, 'more'));
    await writeFile(join(photos, 'more', 'no.jpg'), 'no picture');
  });
  afterAll(() => server.close());
  const run = (...args: string[]) => python([SCRIPT, server.url, ...args], KEY);

  it('imports a folder, names what was refused, searches and reindexes', async () => {
    const imported = await run('import', photos);
    expect(imported).toMatchObject({ code: 0, stderr: expect.stringMatching(/refused: .*no\.jpg/) });
    expect(JSON.parse(imported.stdout)).toMatchObject({ found: 13, unchanged: 12, refused: 1 });
    const searched = await run('search', join(photos, 'red', '1 é.jpg'));
    const { neighbours } = JSON.parse(searched.stdout);
    expect([neighbours.length, neighbours[0]]).toMatchObject([5, { id: 'red/1 é.jpg', score: 1 }]);
    const reindexed = await run('reindex');
    expect(JSON.parse(reindexed.stdout)).toMatchObject({ rows: 12 });
  });

  it('says what the service refuses in its own words', async () => {
    const noKey = await python([SCRIPT, server.url, 'reindex']);
    expect(noKey).toMatchObject({ code: 1, stderr: expect.stringMatching(/^unauthorized: /) });
    const noPicture = await run('search', join(photos, 'more', 'no.jpg'));
    expect(noPicture).toMatchObject({ code: 1, stderr: expect.stringMatching(/^unsupported_image: /) });
    expect((await python([SCRIPT])).stderr).toContain('python3 examples/similar.py');
  });
});
