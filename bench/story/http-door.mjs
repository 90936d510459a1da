// The story's verbs over HTTP, through the typed client.
import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ReadableStream } from 'node:stream/web';
import { createClient, waitForJob } from '../../client/dist/index.js';
import { packFolder } from '../../dist/engines/tar-folder.js';

const BINARY = { 'Content-Type': 'application/octet-stream' };
const TAR = { 'Content-Type': 'application/x-tar' };

export function httpDoor(url, collection) {
  const client = createClient({ url });
  const within = { collection };

  async function finished({ id }) {
    const job = await waitForJob(client, id);
    if (job.state !== 'succeeded') throw new Error(`${job.kind} ${job.state}: ${job.error}`);
    return job;
  }

  /** The report as it is now, with the entries of the first `pages` pages. */
  async function report(path, entries, { query = {}, pages = Infinity } = {}) {
    const ask = (more) => client.call('get', path, { query: { ...within, ...query, limit: 100, ...more } });
    let answer = await ask();
    if (answer.status === 202) await finished(answer.data);
    else if (answer.data.stale) await finished({ id: answer.data.job });
    answer = (await ask()).data;
    const all = [...answer[entries]];
    for (let page = 1; answer.next_cursor !== null && page < pages; page++) {
      answer = (await ask({ cursor: answer.next_cursor })).data;
      all.push(...answer[entries]);
    }
    return { ...answer, [entries]: all };
  }

  return {
    name: 'HTTP',
    createCollection: () => client.call('post', '/v1/collections', { json: { name: collection } }),
    async importFolder(folder) {
      const body = ReadableStream.from(packFolder(folder));
      const { data } = await client.call('post', '/v1/imports', { query: within, headers: TAR, body });
      const job = await finished(data);
      const lines = await (await client.fetch(`/v1/imports/${job.id}/errors`)).text();
      return {
        job,
        errors: lines
          .trim()
          .split('\n')
          .filter(Boolean)
          .map((line) => JSON.parse(line)),
      };
    },
    async search(file, more = {}) {
      const body = await readFile(file);
      return (
        await client.call('post', '/v1/search', { query: { ...within, ...more }, headers: BINARY, body })
      ).data;
    },
    async add({ file, id, label }) {
      const query = { ...within, id, label };
      return (await client.call('post', '/v1/images', { query, headers: BINARY, body: await readFile(file) }))
        .data;
    },
    async setLabel(id, label) {
      return (await client.call('patch', '/v1/images/{id}', { path: { id }, query: within, json: { label } }))
        .data;
    },
    duplicates: (min_score) => report('/v1/duplicates', 'groups', { query: { min_score } }),
    labelReport: (pages) => report('/v1/reports/labels', 'doubts', { pages }),
    async addModel({ folder, temperature }, name) {
      const body = ReadableStream.from(packFolder(folder));
      return (await client.call('post', '/v1/models', { query: { name, temperature }, headers: TAR, body }))
        .data;
    },
    reindex: async () => finished((await client.call('post', '/v1/reindex', { query: within })).data),
    async prepare(model) {
      const query = { ...within, model, switch: 'manual' };
      return finished((await client.call('post', '/v1/reindex', { query })).data);
    },
    switchModel: async () =>
      finished((await client.call('post', '/v1/reindex/switch', { query: within })).data),
    rollback: async () =>
      finished((await client.call('post', '/v1/reindex/rollback', { query: within })).data),
    info: async () => (await client.call('get', '/v1/info', { query: within })).data,
    async snapshot(file) {
      const { result } = await finished((await client.call('post', '/v1/snapshots')).data);
      const { data } = await client.call('get', '/v1/snapshots/{id}', { path: { id: result.id } });
      await pipeline(Readable.from(data.body), createWriteStream(file));
      return result;
    },
  };
}
