import type { Command } from 'commander';
import type { components } from '../../../client/dist/index.js';
import { type Connection, given, withCollection, withConnection } from '../options.js';
import { megabytes, print, table } from '../output.js';
import { withClient } from '../with-client.js';

type Info = components['schemas']['Info'];

/** `info`: which model, collection, index and engines are in use. */
export function infoCommands(program: Command): void {
  withCollection(withConnection(program.command('info').description('model, collection, index and limits')))
    .addHelpText('after', '\nExample:\n  lookalike info --url http://localhost:8080 --json')
    .action(({ collection, ...options }: Connection & { collection?: string }) =>
      withClient(options, async ({ client }) => {
        const { data } = await client.call('get', '/v1/info', { query: given({ collection }) });
        print(options.json, data, inWords(data));
      }),
    );
}

function inWords({ name, version, model, bank, index, exact, limits }: Info): string[] {
  const waiting = `${index.fresh_rows} newer, ${index.removed_rows} removed since`;
  const graph = index.graph_ready
    ? `generation ${index.generation}: ${index.rows} rows, ${waiting}`
    : 'none yet';
  const { ratio } = index.recall;
  return table(
    [name, version],
    [
      ['model', `${model.name}, ${model.dimension} numbers a picture, ${model.sha256.slice(0, 12)}`],
      ['pictures', `${bank.rows}, ${bank.labels} labels, ${bank.unlabelled} without`],
      ['graph', graph],
      ['recall', ratio === null ? 'not measured' : `${ratio.toFixed(3)} of ${index.recall.samples} searches`],
      ['exact index', `on ${exact.provider}`],
      ['limits', `${megabytes(limits.max_bytes)}, ${limits.max_pixels} pixels, k ${limits.max_k}`],
      ['formats', limits.formats.join(', ')],
    ],
  );
}
