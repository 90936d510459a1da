import { basename } from 'node:path';
import type { Command } from 'commander';
import { exitCodeOfCode } from '../exit-codes.js';
import { type Connection, given, withCollection, withConnection } from '../options.js';
import { print } from '../output.js';
import { fileNamed } from '../picture-file.js';
import { withClient } from '../with-client.js';

interface EmbedOptions extends Connection {
  collection?: string;
  encoding?: 'float' | 'base64';
}

/** `embed`: the vectors of pictures, without storing them. */
export function embedCommands(program: Command): void {
  withCollection(withConnection(program.command('embed').description('the vectors of up to 64 pictures')))
    .argument('<pictures...>', 'their files')
    .option('--encoding <kind>', 'float, or base64 of float32 in little-endian')
    .addHelpText(
      'after',
      `
One line a picture, in their order: a JSON list, which "search vector:<file>" takes.

Example:
  lookalike embed x.jpg --url http://localhost:8080 > x.json`,
    )
    .action(embed);
}

async function embed(pictures: readonly string[], options: EmbedOptions): Promise<void> {
  const form = new FormData();
  for (const path of pictures) form.append('image', new Blob([await fileNamed(path)]), basename(path));
  await withClient(options, async ({ client }) => {
    const { collection, encoding } = options;
    const query = given({ collection, encoding });
    const { data } = await client.call('post', '/v1/embeddings', { query, body: form });
    const lines = data.embeddings.flatMap((one) =>
      'vector' in one ? [typeof one.vector === 'string' ? one.vector : JSON.stringify(one.vector)] : [],
    );
    print(options.json, data, lines);
    data.embeddings.forEach((one, i) => {
      if (!('error' in one)) return;
      console.error(`lookalike: ${pictures[i]}: ${one.error.detail ?? one.error.title}`);
      process.exitCode ||= exitCodeOfCode(one.error.code);
    });
  });
}
