/** Reports over HTTP: planted duplicates and wrong labels are found, pages join, and a change makes a report stale. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClient } from '../../client/dist/index.js';
import { tempFolder } from '../fixtures/temp-folder.js';
import { ended } from './jobs.js';
import { startTestServer, type TestServer } from './start.js';

const HUES = { amber: [240, 170, 30], teal: [20, 140, 150], plum: [120, 40, 130] } as const;
type Hue = keyof typeof HUES;
const OF_EACH = 24;
const WRONG = ['amber/3.png', 'teal/7.png', 'plum/11.png']; // they lie in the folder of the next hue

/** A picture of the hue with blocks of its own: alike, never the same. */
function painted(hue: Hue, number: number): Sharp {
  const [r, g, b] = HUES[hue].map((value, i) =>
    Math.max(0, Math.min(255, value + ((number * (i + 3) * 7) % 31) - 15)),
  );
  const block = (left: number, top: number, level: number) => ({
    input: {
      create: { width: 20, height: 20, channels: 3 as const, background: { r: level, g: level, b: level } },
    },
    left,
    top,
  });
  return sharp({
    create: { width: 96, height: 96, channels: 3, background: { r: r!, g: g!, b: b! } },
  }).composite([
    block((number * 17) % 76, (number * 29) % 76, (number * 53) % 256),
    block((number * 41) % 76, (number * 13) % 76, 255 - ((number * 31) % 256)),
  ]);
}

let server: TestServer;
beforeAll(async () => {
  const folder = await tempFolder();
  const hues = Object.keys(HUES) as Hue[];
  for (const hue of hues) await mkdir(join(folder, hue));
  for (const [at, hue] of hues.entries())
    for (let n = 0; n < OF_EACH; n++) {
      const wrong = WRONG.includes(`${hue}/${n}.png`);
      const place = wrong ? hues[(at + 1) % hues.length]! : hue;
      await writeFile(
        join(folder, place, `${wrong ? `${hue} ` : ''}${n}.png`),
        await painted(hue, n).png().toBuffer(),
      );
    }
  // Copies of three pictures: as a JPEG, made smaller, and the very same bytes.
  const plain = painted('teal', 1).png();
  await writeFile(
    join(folder, 'teal', 'copy.jpg'),
    await sharp(await plain.toBuffer())
      .jpeg({ quality: 80 })
      .toBuffer(),
  );
  await writeFile(
    join(folder, 'plum', 'small.png'),
    await sharp(await painted('plum', 2).png().toBuffer())
      .resize(86, 86)
      .toBuffer(),
  );
  await writeFile(join(folder, 'amber', 'same.png'), await painted('amber', 5).png().toBuffer());
  server = await startTestServer({ folder });
});
afterAll(() => server.close());

const client = () => createClient({ url: server.url });

/** The report once it is there. */
async function report<T>(path: string): Promise<T> {
  for (;;) {
    const answer = await client().fetch(path);
    if (answer.status === 200) return (await answer.json()) as T;
    expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
    await ended(server.url, answer.headers.get('location')!);
  }
}

interface Duplicates {
  stale: boolean;
  groups_found: number;
  next_cursor: string | null;
  groups: { keep: string; members: { id: string; exact: boolean }[] }[];
}
interface Doubts {
  judged: number;
  doubts_found: number;
  doubts: { id: string; label: string; suggested: string }[];
  labels: { label: string; agreement: number }[];
}

describe('duplicates', () => {
  it('that were planted are found, and hardly anything else', async () => {
    const { groups } = await report<Duplicates>('/v1/duplicates?min_score=0.99&limit=100');
    const found = groups.map(({ members }) => members.map(({ id }) => id).sort());
    const planted = [
      ['teal/1.png', 'teal/copy.jpg'],
      ['plum/2.png', 'plum/small.png'],
      ['amber/5.png', 'amber/same.png'],
    ];
    for (const pair of planted) expect(found).toContainEqual(pair);
    const equal = groups.find(({ members }) => members.some(({ id }) => id === 'amber/same.png'))!;
    expect(equal.members.every(({ exact }) => exact)).toBe(true);
    const keep = groups.find(({ members }) => members.some(({ id }) => id === 'plum/small.png'))!.keep;
    expect(keep).toBe('plum/2.png'); // the larger one
    expect(groups.length).toBeLessThanOrEqual(planted.length + 2);
  });

  it('come in pages that join, and a cursor of ours alone is taken', async () => {
    const all = await report<Duplicates>('/v1/duplicates?min_score=0.99&limit=100');
    const seen: string[] = [];
    let path: string | null = '/v1/duplicates?min_score=0.99&limit=1';
    while (path !== null) {
      const answer: Response = await client().fetch(path);
      const page = (await answer.json()) as Duplicates;
      seen.push(...page.groups.map(({ keep }) => keep));
      path = /<([^>]+)>; rel="next"/.exec(answer.headers.get('link') ?? '')?.[1] ?? null;
    }
    expect(seen).toEqual(all.groups.map(({ keep }) => keep));
    expect((await fetch(`${server.url}/v1/duplicates?min_score=0.99&cursor=nonsense`)).status).toBe(400);
  });

  it('are stale after a change, and made anew', async () => {
    await report<Duplicates>('/v1/duplicates');
    await client().call('patch', '/v1/images/{id}', {
      path: { id: 'teal/2.png' },
      json: { metadata: { seen: true } },
    });
    const body = new Uint8Array(await painted('teal', 2).jpeg().toBuffer());
    await client().call('post', '/v1/images', {
      query: { id: 'another', label: 'teal' },
      headers: { 'Content-Type': 'image/jpeg' },
      body,
    });
    const old = (await (await client().fetch('/v1/duplicates')).json()) as Duplicates & { job: string };
    expect(old.stale).toBe(true);
    await ended(server.url, `/v1/jobs/${old.job}`);
    const next = (await (await client().fetch('/v1/duplicates')).json()) as Duplicates;
    expect(next.stale).toBe(false);
    expect(next.groups.some(({ members }) => members.some(({ id }) => id === 'another'))).toBe(true);
    await client().call('delete', '/v1/images/{id}', { path: { id: 'another' } });
  });
});

describe('labels', () => {
  it('that are wrong are found first, with the right one suggested', async () => {
    const { doubts, judged, labels } = await report<Doubts>('/v1/reports/labels?limit=100');
    const wrong = new Map([
      ['teal/amber 3.png', 'amber'],
      ['plum/teal 7.png', 'teal'],
      ['amber/plum 11.png', 'plum'],
    ]);
    expect(judged).toBeGreaterThanOrEqual(3 * OF_EACH);
    expect(new Map(doubts.slice(0, 3).map(({ id, suggested }) => [id, suggested]))).toEqual(wrong);
    expect(doubts.length).toBeLessThanOrEqual(5);
    for (const { agreement } of labels) expect(agreement).toBeGreaterThan(0.9);
  });

  it('give calibrated probabilities once the index is built', async () => {
    const body = new Uint8Array(await painted('plum', 50).png().toBuffer());
    const { data } = await client().call('post', '/v1/search', {
      headers: { 'Content-Type': 'image/png' },
      body,
    });
    expect(data.calibration).toEqual({ applied: true, reason: null });
    expect(data.labels[0]).toMatchObject({ label: 'plum', probability: expect.any(Number) });
    expect(data.neighbours.every(({ percentile }) => percentile! >= 0 && percentile! <= 100)).toBe(true);
    const other = await client().call('post', '/v1/search', {
      query: { vote_k: 5 },
      headers: { 'Content-Type': 'image/png' },
      body,
    });
    expect(other.data.calibration).toMatchObject({
      applied: false,
      reason: expect.stringContaining('vote_k is 5'),
    });
    expect(other.data.labels[0]!.probability).toBeUndefined();
    const { data: info } = await client().call('get', '/v1/info');
    expect(info).toMatchObject({ calibration: { samples: expect.any(Number) } });
  });
});

it('reports and calibration are there after a restart', async () => {
  const { model, dataDir, folder } = server.settings;
  const before = await report<Duplicates>('/v1/duplicates?min_score=0.99&limit=100');
  await server.listening.stop(1000);
  await server.app.close();
  server = await startTestServer({ model, dataDir, folder });
  const after = (await (
    await client().fetch('/v1/duplicates?min_score=0.99&limit=100')
  ).json()) as Duplicates;
  expect(after.groups).toEqual(before.groups);
});
