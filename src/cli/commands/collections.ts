import type { Command } from 'commander';
import type { components } from '../../../client/dist/index.js';
import { type Connection, withConnection } from '../options.js';
import { print, table } from '../output.js';
import { withClient } from '../with-client.js';

type Collection = components['schemas']['Collection'];

/** `collections`: named ones in one data folder, each with an index of its own. */
export function collectionCommands(program: Command): void {
  const collections = program.command('collections').description('list, show, make and remove them');
  const verb = (name: string, what: string) => withConnection(collections.command(name).description(what));

  verb('list', 'list them')
    .addHelpText('after', '\nExample:\n  lookalike collections list --url http://localhost:8080')
    .action((options: Connection) =>
      withClient(options, async ({ client }) => {
        const { data } = await client.call('get', '/v1/collections');
        print(options.json, data, inWords(data.collections));
      }),
    );

  verb('show', 'show one')
    .argument('<name>', 'its name')
    .addHelpText('after', '\nExample:\n  lookalike collections show shoes --json')
    .action((name: string, options: Connection) =>
      withClient(options, async ({ client }) => {
        const { data } = await client.call('get', '/v1/collections/{name}', { path: { name } });
        print(options.json, data, inWords([data]));
      }),
    );

  verb('create', 'make an empty one')
    .argument('<name>', '1 to 64 of a-z, 0-9, - and _')
    .addHelpText('after', '\nExample:\n  lookalike collections create shoes')
    .action((name: string, options: Connection) =>
      withClient(options, async ({ client }) => {
        const { data } = await client.call('post', '/v1/collections', { json: { name } });
        print(options.json, data, inWords([data]));
      }),
    );

  verb('remove', 'delete one with all that is in it')
    .argument('<name>', 'its name')
    .addHelpText('after', '\nExample:\n  lookalike collections remove shoes')
    .action((name: string, options: Connection) =>
      withClient(options, async ({ client }) => {
        await client.call('delete', '/v1/collections/{name}', { path: { name } });
        print(options.json, { removed: name }, [`removed ${name}`]);
      }),
    );
}

const inWords = (collections: readonly Collection[]): string[] =>
  table(
    ['name', 'pictures', 'labels', 'model', 'created'],
    collections.map(({ name, rows, labels, model, created_at }) => [name, rows, labels, model, created_at]),
  );
