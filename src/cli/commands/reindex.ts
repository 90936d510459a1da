import type { Command } from 'commander';
import { finishJob } from '../finish-job.js';
import { type Connection, given, withCollection, withConnection, withWait } from '../options.js';
import { withClient } from '../with-client.js';

interface ReindexOptions extends Connection {
  collection?: string;
  with?: string; // a model; `model` is that of the connection
  switch?: 'auto' | 'manual';
  missing?: 'refuse' | 'drop';
  keepPrevious: boolean;
}

const EXAMPLES = `
Examples:
  lookalike reindex --url http://localhost:8080 --no-wait
  lookalike reindex --with better --switch manual     embed, build, compare; the old model answers
  lookalike reindex switch
  lookalike reindex rollback`;

/** `reindex`: builds the index anew, or with another model; the old one answers until the new one is verified. */
export function reindexCommands(program: Command): void {
  const reindex = program.command('reindex').enablePositionalOptions();
  withSwap(withJob(reindex.description('build the index of a collection anew, or with another model')))
    .option(
      '--with <model>',
      'embed the stored pictures with this model: name, SHA-256, or the beginning of one',
    )
    .option(
      '--switch <when>',
      'auto: the model answers once it is verified; manual: "reindex switch" says when',
    )
    .addHelpText('after', EXAMPLES)
    .action(({ with: model, switch: when, ...options }: ReindexOptions) =>
      withClient(options, async (session) => {
        const query = { ...swapOf(options), ...given({ model, switch: when }) };
        const { data } = await session.client.call('post', '/v1/reindex', { query });
        await finishJob(session, data, options);
      }),
    );

  withSwap(withJob(reindex.command('switch').description('let the model answer that was prepared')))
    .option('--with <model>', 'which, where several are prepared')
    .addHelpText('after', '\nExample:\n  lookalike reindex switch --url http://localhost:8080')
    .action(({ with: model, ...options }: ReindexOptions) =>
      withClient(options, async (session) => {
        const query = { ...swapOf(options), ...given({ model }) };
        const { data } = await session.client.call('post', '/v1/reindex/switch', { query });
        await finishJob(session, data, options);
      }),
    );

  withMissing(withJob(reindex.command('rollback').description('back to the model before the last switch')))
    .addHelpText('after', '\nExample:\n  lookalike reindex rollback --url http://localhost:8080')
    .action(({ collection, missing, ...options }: ReindexOptions) =>
      withClient(options, async (session) => {
        const query = given({ collection, missing });
        const { data } = await session.client.call('post', '/v1/reindex/rollback', { query });
        await finishJob(session, data, options);
      }),
    );
}

const withJob = (command: Command): Command => withWait(withCollection(withConnection(command)));

const withMissing = (command: Command): Command =>
  command.option(
    '--missing <what>',
    'pictures that cannot be read any more: refuse the switch, or drop them',
  );

const withSwap = (command: Command): Command =>
  withMissing(command).option('--no-keep-previous', 'no way back: remove what the model before has made');

const swapOf = ({ collection, missing, keepPrevious }: ReindexOptions) =>
  given({ collection, missing, keep_previous: keepPrevious ? undefined : false });
