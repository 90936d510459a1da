/** The disk of the data folder fills up while an import runs: what was stored stays, and the same import goes on once there is room. */
import { spawnSync } from 'node:child_process';
import { rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import request from 'supertest';
import { afterAll, expect, it } from 'vitest';
import type { Job } from '../../src/core/types.js';
import { largeJpeg } from '../chain/large-picture.js';
import { tarBytes } from '../fixtures/archives.js';
import { paintedPng, withComment } from '../fixtures/painted.js';
import { tempFolder } from '../fixtures/temp-folder.js';
import { ended } from './jobs.js';
import { startTestServer } from './start.js';

const PICTURES = 400;

const disk = await tempFolder();
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=192m', 'tmpfs', disk]).status === 0;
if (!mounted) console.warn('skipped: no small disk can be mounted here to be filled');
afterAll(() => void (mounted && spawnSync('umount', [disk])));

it.skipIf(!mounted)('an import ends with storage_full, and goes on when it is sent again', async () => {
  const jpeg = await largeJpeg(await paintedPng(3));
  const files = Object.fromEntries(
    Array.from({ length: PICTURES }, (_, i) => [`a/${i}.jpg`, withComment(jpeg, String(i))]),
  );
  const tar = await tarBytes(files);
  const server = await startTestServer({ dataDir: join(disk, 'data'), maxBytes: 2 ** 20 });
  try {
    const { url } = server;
    await request(url).post('/v1/collections').send({ name: 'sent' }).expect(201);
    const send = async () => {
      const sent = request(url).post('/v1/imports?collection=sent').type('application/x-tar').send(tar);
      return (await sent.expect(202)).headers.location!;
    };
    const count = async () =>
      (await request(url).get('/v1/info?collection=sent').expect(200)).body.bank.rows as number;
    const search = () =>
      request(url).post('/v1/search?collection=sent&k=1').attach('image', files['a/0.jpg']!, 'x.jpg');

    const location = await send();
    // The archive lies there by now: room for most of what is kept of it is left.
    const { bavail, bsize } = await statfs(disk);
    const ballast = join(disk, 'ballast');
    await writeFile(ballast, Buffer.alloc(bavail * bsize - Math.floor(0.7 * tar.length)));
    const failed = await ended(url, location, 'failed');
    expect(failed.error).toMatch(/^the disk of the data folder is full .*what was imported by then is kept$/);
    const kept = await count();
    expect(kept).toBeGreaterThan(0);
    expect(kept).toBeLessThan(PICTURES);
    expect((await search().expect(200)).body.neighbours).toHaveLength(1);

    // A write of one picture is refused alike, and can be sent again.
    const rest = join(disk, 'rest');
    const left = await statfs(disk);
    await writeFile(rest, Buffer.alloc(left.bavail * left.bsize));
    const add = (id: number) =>
      request(url)
        .put(`/v1/images/single-${id}?collection=sent`)
        .type('image/jpeg')
        .send(withComment(jpeg, `single ${id}`));
    let single = 0;
    for (let status = 201; status === 201 && single < PICTURES; single++) {
      const { status: found, body } = await add(single);
      status = found;
      if (found !== 201) expect(body).toMatchObject({ status: 507, code: 'storage_full' });
    }
    expect(single).toBeLessThan(PICTURES);
    // What is only kept for speed is not missed.
    await request(url).get('/v1/images/a%2F0.jpg/thumbnail?collection=sent').expect(200);
    await rm(rest);
    await add(single - 1).expect(201);
    for (let id = 0; id < single; id++)
      await request(url).delete(`/v1/images/single-${id}?collection=sent`).expect(204);

    await rm(ballast);
    const job: Job = await ended(url, await send());
    expect(job.result).toMatchObject({ unchanged: kept, embedded: PICTURES - kept, refused: 0 });
    expect(await count()).toBe(PICTURES);
  } finally {
    await server.close();
  }
});
