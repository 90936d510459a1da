import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import type { Job } from '../../../client/dist/index.js';
import { EXIT } from '../exit-codes.js';
import { finishJob } from '../finish-job.js';
import { type Connection, given, typed, withCollection, withConnection } from '../options.js';
import { print, table } from '../output.js';
import { describeJobs } from '../report.js';
import { withClient } from '../with-client.js';

interface ListOptions extends Connection {
  limit?: string;
  collection?: string;
  kind?: Job['kind'];
  state?: Job['state'];
}

/** `jobs`: what runs, what ran and what came of it. */
export function jobCommands(program: Command): void {
  const jobs = program.command('jobs').description('long tasks: list, show, watch, errors, cancel');

  withCollection(withConnection(jobs.command('list').description('list them, the newest first')))
    .option('--limit <number>', 'at most this many')
    .option('--kind <kind>', 'only import, reindex, report or snapshot')
    .option('--state <state>', 'only queued, running, succeeded, failed or cancelled')
    .addHelpText('after', '\nExample:\n  lookalike jobs list --state failed --url http://localhost:8080')
    .action(({ limit, collection, kind, state, ...options }: ListOptions) =>
      withClient(options, async ({ client }) => {
        const query = given({ limit: typed(limit), collection, kind, state });
        const { data } = await client.call('get', '/v1/jobs', { query });
        print(options.json, data, listed(data.jobs));
        if (data.jobs.length === 0) process.exitCode = EXIT.nothing;
      }),
    );

  withConnection(jobs.command('show').description('show one'))
    .argument('<id>', 'its id')
    .addHelpText('after', '\nExample:\n  lookalike jobs show 3f0b6a52-… --json')
    .action((id: string, options: Connection) =>
      withClient(options, async ({ client }) => {
        const { data: job } = await client.call('get', '/v1/jobs/{id}', { path: { id } });
        const ended = job.finished_at === null ? [] : describeJobs([job]);
        print(options.json, job, [...listed([job]), ...ended]);
      }),
    );

  withConnection(jobs.command('watch').description('wait for one; 0 when it succeeds, 1 when not'))
    .argument('<id>', 'its id')
    .addHelpText('after', '\nExample:\n  lookalike jobs watch 3f0b6a52-… --url http://localhost:8080')
    .action((id: string, options: Connection) =>
      withClient(options, async (session) => {
        const { data } = await session.client.call('get', '/v1/jobs/{id}', { path: { id } });
        await finishJob(session, data, options);
      }),
    );

  withConnection(jobs.command('errors').description('what an import refused, a line of JSON each'))
    .argument('<id>', 'its id')
    .addHelpText('after', '\nExample:\n  lookalike jobs errors 3f0b6a52-… > refused.ndjson')
    .action((id: string, options: Connection) =>
      withClient(options, async ({ client }) => {
        const { data } = await client.call('get', '/v1/imports/{id}/errors', { path: { id } });
        await pipeline(Readable.from(data.body!), process.stdout, { end: false });
      }),
    );

  withConnection(jobs.command('cancel').description('stop one; what it has done by then stays'))
    .argument('<id>', 'its id')
    .addHelpText('after', '\nExample:\n  lookalike jobs cancel 3f0b6a52-… --url http://localhost:8080')
    .action((id: string, options: Connection) =>
      withClient(options, async ({ client }) => {
        const { data: job } = await client.call('delete', '/v1/jobs/{id}', { path: { id } });
        print(options.json, job, listed([job]));
      }),
    );
}

function listed(jobs: readonly Job[]): string[] {
  const rows = jobs.map(({ id, kind, collection, state, done, total, created_at }) => [
    id,
    kind,
    collection ?? '-',
    state,
    total === null ? String(done) : `${done}/${total}`,
    created_at,
  ]);
  return table(['id', 'kind', 'collection', 'state', 'done', 'created'], rows);
}
