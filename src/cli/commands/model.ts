import { basename, resolve } from 'node:path';
import { ReadableStream } from 'node:stream/web';
import type { Command } from 'commander';
import { packFiles } from '../../engines/tar-folder.js';
import { EXIT } from '../exit-codes.js';
import { finishJob } from '../finish-job.js';
import { modelFiles } from '../model-files.js';
import { type Connection, given, typed, withCollection, withConnection, withWait } from '../options.js';
import { print, table } from '../output.js';
import { withClient } from '../with-client.js';

interface AddOptions extends Connection {
  name?: string;
  output?: string;
  pooling?: 'none' | 'cls' | 'mean';
  temperature?: string;
}

/** `model`: the encoders that a data folder knows. */
export function modelCommands(program: Command): void {
  const model = program.command('model').description('bring, list and remove encoders, and use one');

  withConnection(model.command('add').description('inspect an encoder and keep a copy of it'))
    .argument(
      '<path>',
      'a folder of "lookalike train", an .onnx file with preprocessor_config.json or preprocess.json beside it, or their folder',
    )
    .option('--name <name>', 'what it is called (default: the name of its folder)')
    .option('--output <name>', 'the output to take, where the graph has several')
    .option('--pooling <kind>', 'for an output with a vector a token: cls or mean')
    .option('--temperature <number>', 'of the vote (default: the one it was trained with, or 0.07)')
    .addHelpText(
      'after',
      '\nExamples:\n  lookalike model add ./trained --data-dir ./data\n  lookalike model add ./clip/onnx/vision_model.onnx --name clip --url http://localhost:8080',
    )
    .action((path: string, { name, output, pooling, temperature, ...options }: AddOptions) =>
      withClient(options, async ({ client }) => {
        const files = await modelFiles(path);
        const query = given({ name, output, pooling, temperature: typed(temperature) });
        const { data } = await client.call('post', '/v1/models', {
          query: { ...query, name: name ?? nameOf(resolve(path)) },
          headers: { 'Content-Type': 'application/x-tar' },
          body: ReadableStream.from(packFiles(files)),
        });
        const { model, inspection, added } = data;
        print(options.json, data, [
          `${added ? 'added' : 'already there'}: ${model.name} (${model.sha256.slice(0, 12)}), ${model.dimension} numbers a picture, ${inspection.milliseconds.toFixed(1)} ms a picture with ${inspection.threads} thread`,
          ...inspection.notes,
        ]);
      }),
    );

  withConnection(model.command('list').description('list them, and which collections have vectors of each'))
    .addHelpText('after', '\nExample:\n  lookalike model list --url http://localhost:8080')
    .action((options: Connection) =>
      withClient(options, async ({ client }) => {
        const { data } = await client.call('get', '/v1/models');
        const rows = data.models.map(({ name, sha256, dimension, used_by, fault }) => [
          name ?? '(damaged)',
          sha256.slice(0, 12),
          String(dimension ?? ''),
          fault ?? used_by.join(', '),
        ]);
        print(options.json, data, table(['name', 'sha256', 'dimension', 'used by'], rows));
      }),
    );

  withConnection(model.command('show').description('show one'))
    .argument('<sha256>', 'its whole SHA-256, as "model list --json" has it')
    .addHelpText('after', '\nExample:\n  lookalike model show 9f86d081884c7d65… --json')
    .action((id: string, options: Connection) =>
      withClient(options, async ({ client }) => {
        const { data } = await client.call('get', '/v1/models/{id}', { path: { id } });
        const { name, sha256, dimension, input, trained_on, terms, used_by, fault } = data;
        const rows = [
          ['sha256', sha256],
          ['numbers a picture', String(dimension ?? '-')],
          ['sees', input ? `${input.width} x ${input.height} pixels` : '-'],
          ['trained on', trained_on ?? '-'],
          ['terms', terms ?? '-'],
          ['used by', used_by.join(', ') || '-'],
          ...(fault === null ? [] : [['fault', fault]]),
        ];
        print(options.json, data, table(['name', name ?? '(damaged)'], rows));
      }),
    );

  withWait(
    withCollection(withConnection(model.command('use').description('swap a collection to another model'))),
  )
    .argument('<model>', 'name, SHA-256, or the beginning of one')
    .option('--manual', 'prepare it and report how far both agree, without switching')
    .addHelpText('after', '\nExample:\n  lookalike model use clip-vit --manual --url http://localhost:8080')
    .action(
      (
        which: string,
        { collection, manual, ...options }: Connection & { collection?: string; manual?: boolean },
      ) =>
        withClient(options, async (session) => {
          const { data } = await session.client.call('post', '/v1/reindex', {
            query: { ...given({ collection }), model: which, switch: manual ? 'manual' : 'auto' },
          });
          await finishJob(session, data, options);
        }),
    );

  withConnection(model.command('remove').description('delete one that no collection uses'))
    .argument('<model>', 'name, SHA-256, or the beginning of one')
    .addHelpText('after', '\nExample:\n  lookalike model remove clip-vit')
    .action((which: string, options: Connection) =>
      withClient(options, async ({ client }) => {
        await client.call('delete', '/v1/models/{id}', { path: { id: which } });
        print(options.json, { removed: which }, [`removed ${which}`]);
        process.exitCode = EXIT.done;
      }),
    );
}

const nameOf = (path: string) => basename(path).replace(/\.onnx$/, '');
