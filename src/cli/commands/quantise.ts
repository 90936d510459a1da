import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Quantised } from '../../quantise.js';
import { wholeNumber } from '../options.js';
import { megabytes, percent, print } from '../output.js';
import { showStages } from '../progress.js';

interface Options {
  pictures: string;
  out?: string;
  name?: string;
  calibration: number;
  check: number;
  json?: boolean;
}

/** `quantise`: an encoder on 8-bit integers, made of one in float32. */
export function quantiseCommands(program: Command): void {
  program
    .command('quantise')
    .description('make an encoder that runs on 8-bit integers: a quarter of the size, and faster')
    .argument('<model>', 'folder with encoder.onnx and manifest.json')
    .requiredOption('--pictures <folder>', 'pictures like those to come; sub-folder names are labels')
    .option('--out <folder>', 'folder to write (default: <model>-int8)')
    .option('--name <name>', 'what it is called (default: the name of the model with -int8)')
    .option('--calibration <number>', 'pictures that the ranges are measured on', wholeNumber, 256)
    .option('--check <number>', 'other pictures that the result is compared on', wholeNumber, 2000)
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  lookalike quantise ./trained --pictures ./photos --out ./trained-int8',
    )
    .action(async (model: string, { json, pictures, out, ...options }: Options) => {
      const from = resolve(model);
      const stop = new AbortController();
      const interrupt = () => stop.abort();
      process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
      const stages = showStages();
      const { quantise } = await import('../../quantise.js');
      const result = await quantise({
        ...options,
        model: from,
        pictures: resolve(pictures),
        out: resolve(out ?? `${from}-int8`),
        signal: stop.signal,
        onProgress: stages.show,
      }).finally(stages.stop);
      print(json, result, inWords(result));
    });
}

function inWords({ name, sha256, bytes, convolutions, fidelity, cpu_ms, ...rest }: Quantised): string[] {
  const { cosine, knn, pictures } = fidelity;
  const { all, on_integers } = convolutions;
  return [
    `quantised: ${name} (${sha256.slice(0, 12)}) in ${rest.folder}, ${megabytes(bytes.after)} instead of ${megabytes(bytes.before)}`,
    `${on_integers} of ${all} convolutions run on integers`,
    `cosine to the vectors of its parent over ${pictures} pictures: mean ${cosine.mean.toFixed(4)}, 1st percentile ${cosine.p1.toFixed(4)}, least ${cosine.least.toFixed(4)}`,
    knn
      ? `weighted kNN (k ${knn.k}) among them: ${percent(knn.before)} before, ${percent(knn.after)} after`
      : 'no two labels among the pictures: the kNN accuracy was not compared',
    `CPU time of a picture: ${cpu_ms.before.toFixed(1)} ms before, ${cpu_ms.after.toFixed(1)} ms after, ${(cpu_ms.before / cpu_ms.after).toFixed(2)} times as fast`,
    ...(rest.unreadable > 0 ? [`${rest.unreadable} pictures could not be read and were passed over`] : []),
  ];
}
