import type { Command } from 'commander';
import { finishJob } from '../finish-job.js';
import { type Connection, given, withCollection, withConnection, withWait } from '../options.js';
import { withClient } from '../with-client.js';

/** `reindex`: builds the index anew; the old one answers until the new one is verified. */
export function reindexCommands(program: Command): void {
  withWait(
    withCollection(
      withConnection(program.command('reindex').description('build the index of a collection anew')),
    ),
  )
    .addHelpText('after', '\nExample:\n  lookalike reindex --url http://localhost:8080 --no-wait')
    .action(({ collection, ...options }: Connection & { collection?: string }) =>
      withClient(options, async (session) => {
        const { data } = await session.client.call('post', '/v1/reindex', { query: given({ collection }) });
        await finishJob(session, data, options);
      }),
    );
}
