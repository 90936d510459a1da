import request, { type Test } from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bombPng, claimingPng, GIF, HEIC, PDF, SVG } from '../fixtures/bad-pictures.js';
import { picture } from '../fixtures/pictures.js';
import { head, openRaw, parseAnswer, sendEndlessly, startUpload, untilMetric } from './raw.js';
import { startTestServer, type TestServer } from './start.js';

let server: TestServer;
let good: Buffer;
beforeAll(async () => {
  server = await startTestServer();
  good = await picture('red', 1);
});
afterAll(() => server.close());

const search = (query = '') => request(server.url).post(`/v1/search${query}`);
const asFile = (bytes: Buffer) => search().attach('image', bytes, 'picture.jpg');
const asBody = (bytes: Buffer, query = '') => search(query).type('image/jpeg').send(bytes);

/** The refusal is a problem with this status and code, and the next good request is answered. */
async function refused(sent: Test, status: number, expected: Record<string, unknown>): Promise<void> {
  const { body, headers } = await sent.expect(status).expect('Content-Type', /^application\/problem\+json/);
  expect(body).toMatchObject({ status, ...expected });
  expect(body.request_id).toBe(headers['x-request-id']);
  await asBody(good).expect(200);
}

describe('what is not a picture is refused', () => {
  it.each([
    ['text', Buffer.from('hello, I am not a picture'), 415, 'unsupported_image'],
    ['HEIC', HEIC, 415, 'unsupported_image'],
    ['GIF', GIF, 415, 'unsupported_image'],
    ['SVG', SVG, 415, 'unsupported_image'],
    ['PDF', PDF, 415, 'unsupported_image'],
    ['a JPEG in name only', Buffer.from([0xff, 0xd8, 0xff, 0xe0, 1, 2, 3, 4]), 422, 'undecodable_image'],
  ])('%s', async (_what, bytes, status, code) => {
    await refused(asFile(bytes), status, { code });
    await refused(asBody(bytes), status, { code });
  });

  it('a truncated JPEG', async () => {
    await refused(asFile(good.subarray(0, good.length / 2)), 422, { code: 'undecodable_image' });
  });

  it('an empty file, an empty body, no body', async () => {
    await refused(asFile(Buffer.alloc(0)), 400, { code: 'missing_image', field: 'image' });
    await refused(search().type('image/jpeg').set('Content-Length', '0'), 400, { code: 'missing_image' });
    await refused(search(), 400, { code: 'missing_image' });
  });

  it('a header that claims 60000 x 60000 pixels', async () => {
    await refused(asFile(await claimingPng(60_000, 60_000)), 413, { code: 'image_too_large' });
  });

  it('a decompression bomb, without unpacking it', async () => {
    const bomb = await bombPng(9000); // 243 MB of pixels
    expect(bomb.length).toBeLessThan(server.settings.maxBytes);
    await refused(asFile(bomb), 413, { code: 'image_too_large' });
  });
});

describe('a form that is not as agreed is refused', () => {
  it('the wrong field', () =>
    refused(search().attach('file', good, 'a.jpg'), 400, { code: 'unknown_field', field: 'file' }));

  it('two files, in one field or in two', async () => {
    await refused(asFile(good).attach('image', good, 'b.jpg'), 400, { code: 'too_many_files' });
    await refused(asFile(good).attach('other', good, 'b.jpg'), 400, { code: 'too_many_files' });
  });

  it('the picture as text, or no picture at all', async () => {
    await refused(search().field('image', 'aGVsbG8='), 400, { code: 'missing_image' });
    await refused(search().field('k', '5'), 400, { code: 'missing_image' });
  });

  it('an unknown field, a nested one, one that is too long', async () => {
    await refused(asFile(good).field('top', '5'), 400, { code: 'unknown_parameter', field: 'top' });
    await refused(asFile(good).field('k[a]', '5'), 400, { code: 'malformed_body' });
    await refused(asFile(good).field('label', 'x'.repeat(2000)), 400, {
      code: 'invalid_parameter',
      field: 'label',
    });
    await refused(asFile(good).field('label', 'x'.repeat(25_000)), 400, { code: 'malformed_body' });
    await refused(asFile(good).field('__proto__', '5'), 400, { code: 'unknown_parameter' });
  });

  it('a parameter in the query and in the form', () =>
    refused(search('?k=5').attach('image', good, 'a.jpg').field('k', '5'), 400, {
      code: 'invalid_parameter',
      field: 'k',
    }));

  it('broken multipart', async () => {
    const type = (value: string) => search().set('Content-Type', value);
    await refused(type('multipart/form-data').send('--x\r\n'), 400, { code: 'malformed_body' });
    await refused(type('multipart/form-data; boundary=x').send('no boundary here'), 400, {
      code: 'malformed_body',
    });
    const open = '--x\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\nabc';
    await refused(type('multipart/form-data; boundary=x').send(open), 400, { code: 'malformed_body' });
  });

  it('another content type, or a compressed body', async () => {
    await refused(search().type('text/plain').send('hello'), 415, { code: 'unsupported_media_type' });
    await refused(search().type('application/ld+json').send('{}'), 415, { code: 'unsupported_media_type' });
    await refused(search().type('application/x-www-form-urlencoded').send('k=5'), 415, {
      code: 'unsupported_media_type',
    });
    await refused(asBody(good).set('Content-Encoding', 'gzip'), 415, { code: 'unsupported_media_type' });
  });
});

describe('parameters out of range are refused', () => {
  it.each(['0', '-1', '1.5', 'abc', '1000000000', ''])('k=%s', (k) =>
    refused(asBody(good, `?k=${k}`), 400, { code: 'invalid_parameter', field: 'k' }),
  );

  it('k given twice', () =>
    refused(asBody(good, '?k=1&k=2'), 400, { code: 'invalid_parameter', field: 'k' }));

  it('an unknown parameter, with the known ones', () =>
    refused(asBody(good, '?top=5'), 400, {
      code: 'unknown_parameter',
      field: 'top',
      detail: expect.stringContaining('vote_k'),
    }));

  it('an unknown label', () =>
    refused(asBody(good, '?label=unicorn'), 400, { code: 'unknown_label', field: 'label' }));
});

describe('too many bytes are refused', () => {
  it('by what is announced, in both forms', async () => {
    const big = Buffer.alloc(server.settings.maxBytes + 100_000);
    await refused(asBody(big), 413, { code: 'body_too_large' });
    await refused(asFile(big), 413, { code: 'body_too_large' });
  });

  it('by what comes, when little or nothing is announced', async () => {
    const big = Buffer.alloc(server.settings.maxBytes + 1, 7);
    await refused(asFile(big), 413, { code: 'body_too_large' }); // within the form's allowance
    const answer = parseAnswer(await sendEndlessly(server.url, 'Content-Type: image/jpeg'));
    expect(answer).toMatchObject({ status: 413, headers: { connection: 'close' } });
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'body_too_large' });
    await asBody(good).expect(200);
  });

  it('an endless form', async () => {
    const answer = await sendEndlessly(server.url, 'Content-Type: multipart/form-data; boundary=x');
    expect(parseAnswer(answer)).toMatchObject({ status: 413 });
    await asBody(good).expect(200);
  });
});

describe('uploads that do not end', () => {
  it('an upload broken off gives its place and its bytes back', async () => {
    const upload = startUpload(server.url, 1000);
    await untilMetric(server.url, 'lookalike_gate_running{gate="upload"}', 1);
    upload.socket.destroy();
    await untilMetric(server.url, 'lookalike_gate_running{gate="upload"}', 0);
    await asBody(good).expect(200);
  });

  it('so does a form broken off', async () => {
    const raw = openRaw(server.url);
    const { host } = new URL(server.url);
    const type = 'Content-Type: multipart/form-data; boundary=x';
    raw.socket.write(head('POST /v1/search HTTP/1.1', `Host: ${host}`, type, 'Content-Length: 9999'));
    raw.socket.write('--x\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\nabc');
    await untilMetric(server.url, 'lookalike_gate_running{gate="upload"}', 1);
    raw.socket.destroy();
    await untilMetric(server.url, 'lookalike_gate_running{gate="upload"}', 0);
    await asBody(good).expect(200);
  });
});

describe('other paths', () => {
  it('unknown ones are not found', () =>
    refused(request(server.url).get('/v2/search'), 404, { code: 'not_found' }));

  it('unknown methods are told the known ones', async () => {
    for (const [path, allow] of [
      ['/v1/search', 'POST'],
      ['/v1/info', 'GET, HEAD'],
      ['/livez', 'GET, HEAD'],
      ['/', 'GET, HEAD'],
    ] as const) {
      const { headers } = await request(server.url).delete(path).expect(405);
      expect(headers.allow).toBe(allow);
    }
  });

  it('unknown pictures and jobs are not found, undecodable paths are refused', async () => {
    await refused(request(server.url).get('/v1/images/no%2Fsuch.jpg/thumbnail'), 404, { code: 'not_found' });
    await refused(request(server.url).get('/v1/jobs/none'), 404, { code: 'not_found' });
    await refused(request(server.url).get('/v1/images/%E0%A4%A/thumbnail'), 400, {
      code: 'malformed_request',
    });
  });

  it('only the files of the page are served from its folder', async () => {
    for (const path of [
      '/page.ts',
      '/tsconfig.json',
      '/../package.json',
      '/%2e%2e/package.json',
      '/.tsbuildinfo',
    ])
      await request(server.url).get(path).expect(404);
  });
});
