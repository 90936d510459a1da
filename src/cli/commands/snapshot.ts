import { resolve } from 'node:path';
import type { Command } from 'commander';
import { readSettings } from '../../settings.js';
import { EXIT } from '../exit-codes.js';
import { finishJob } from '../finish-job.js';
import { type Connection, withConnection, withWait } from '../options.js';
import { megabytes, print, table } from '../output.js';
import { saveBody } from '../save-body.js';
import { withClient } from '../with-client.js';

/** `snapshot` and `restore`: backups. */
export function snapshotCommands(program: Command): void {
  const snapshot = program.command('snapshot').description('make and fetch backups');

  withWait(withConnection(snapshot.command('create').description('write one of this moment')))
    .addHelpText('after', '\nExample:\n  lookalike snapshot create --url http://localhost:8080')
    .action((options: Connection) =>
      withClient(options, async (session) => {
        const { data } = await session.client.call('post', '/v1/snapshots');
        await finishJob(session, data, options);
      }),
    );

  withConnection(snapshot.command('list').description('list those in the data folder, the newest first'))
    .addHelpText('after', '\nExample:\n  lookalike snapshot list --data-dir ./data')
    .action((options: Connection) =>
      withClient(options, async ({ client }) => {
        const { data } = await client.call('get', '/v1/snapshots');
        const rows = data.snapshots.map(({ id, bytes, created_at }) => [id, megabytes(bytes), created_at]);
        print(options.json, data, table(['id', 'size', 'created'], rows));
        if (rows.length === 0) process.exitCode = EXIT.nothing;
      }),
    );

  withConnection(snapshot.command('download').description('fetch one as a file'))
    .argument('<id>', 'its id')
    .option('--out <file>', 'where it goes (default: lookalike-<id>.tar)')
    .addHelpText(
      'after',
      '\nExample:\n  lookalike snapshot download 20261122T100000000Z-5b4d2c1e --out backup.tar',
    )
    .action((id: string, { out, ...options }: Connection & { out?: string }) =>
      withClient(options, async ({ client }) => {
        const { data } = await client.call('get', '/v1/snapshots/{id}', { path: { id } });
        const path = resolve(out ?? `lookalike-${id}.tar`);
        await saveBody(data, path);
        print(options.json, { id, path }, [path]);
      }),
    );

  withConnection(snapshot.command('remove').description('delete one'))
    .argument('<id>', 'its id')
    .addHelpText('after', '\nExample:\n  lookalike snapshot remove 20261122T100000000Z-5b4d2c1e')
    .action((id: string, options: Connection) =>
      withClient(options, async ({ client }) => {
        await client.call('delete', '/v1/snapshots/{id}', { path: { id } });
        print(options.json, { removed: id }, [`removed ${id}`]);
      }),
    );

  program
    .command('restore')
    .description('put a snapshot back into a data folder; what is there is moved aside, never deleted')
    .argument('<file>', 'a snapshot, as "snapshot download" fetches it')
    .option('--data-dir <folder>', 'where it goes (default: that of the demo)')
    .option('--replace', 'also when a database is there: its folder is moved aside first')
    .option('--json', 'print what was restored as JSON')
    .addHelpText('after', '\nExample:\n  lookalike restore backup.tar --data-dir ./data')
    .action(restore);
}

interface RestoreOptions {
  dataDir?: string;
  replace?: boolean;
  json?: boolean;
}

async function restore(file: string, options: RestoreOptions): Promise<void> {
  const { dataDir } = readSettings(options.dataDir === undefined ? {} : { dataDir: options.dataDir });
  const { restoreSnapshot } = await import('../../restore.js');
  const now = new Date().toISOString();
  const replace = options.replace === true;
  const { manifest, kept } = await restoreSnapshot(resolve(file), { dataDir, replace, now });
  const { collections, created_at } = manifest;
  print(options.json, { data_dir: dataDir, created_at, collections, kept }, [
    ...collections.map(({ name, rows }) => `${name}: ${rows} pictures`),
    `restored into ${dataDir}, the state of ${created_at}`,
    ...(kept ? [`what was there before lies in ${kept}`] : []),
  ]);
}
