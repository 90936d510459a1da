/** The commands of the studies: arguments in, files and an exit code out. 0 done, 1 failed, 2 wrong arguments. */
import { join, resolve } from 'node:path';
import { LookalikeError } from '../../../dist/offline.js';
import { percent } from '../report.js';
import { findTensorflow } from '../tensorflow-path.js';
import { command, filesFor, needed, numbers, type Option } from './command.js';

const HELP: Option = { type: 'boolean', short: 'h', default: false, help: 'this text' };
const PICTURES: Option = { type: 'string', help: 'labelled pictures to find, e.g. those it was trained on' };
const HELD_OUT: Option = { type: 'string', help: 'labelled pictures that ask, never trained on' };
const json = (name: string): Option => ({
  type: 'string',
  help: `where the figures go, the plot or picture beside them [<out>/${name}]`,
});

const isWhole = (least: number) => (n: number) => Number.isInteger(n) && n >= least;

/** E1: weighted kNN over many k and temperatures. */
export const evaluateCommand = command({
  usage: 'npm run train -- evaluate <out> --pictures <folder> --held-out <folder> [options]',
  about:
    'Weighted kNN of a trained encoder, of raw pixels and of a random network, for many k and temperatures.',
  options: {
    pictures: PICTURES,
    'held-out': HELD_OUT,
    k: { type: 'string', default: '1,5,10,20,50,100,200,500', help: 'neighbours that vote' },
    temperature: { type: 'string', default: '0.03,0.05,0.07,0.1,0.2,0.5', help: 'of the vote' },
    json: json('sweep.json'),
    help: HELP,
  },
  async run(out, values) {
    const k = numbers('k', values.k, { each: isWhole(1), words: 'whole numbers from 1, e.g. 1,10,200' });
    const temperature = numbers('temperature', values.temperature, {
      each: (n) => n > 0 && n <= 10,
      words: 'numbers above 0 up to 10, e.g. 0.05,0.07',
    });
    const folders = { pictures: needed('pictures', values), heldOut: needed('held-out', values) };
    const files = filesFor(out, values.json, { name: 'sweep', type: '.svg' });
    const { sweepStudy } = await loaded(() => import('./evaluate.js'));
    const { sweepPlot } = await import('./sweep.js');
    const study = await sweepStudy({ out, ...folders, plot: files.beside, k, temperature });
    await files.write(study, sweepPlot(study));
  },
});

/** E5: loss and accuracy over the epochs. */
export const curveCommand = command({
  usage: 'npm run train -- curve <out> [options]',
  about:
    'Training loss and kNN accuracy over the epochs, from the log of a run, and how far they go together.',
  options: { json: json('curve.json'), help: HELP },
  async run(out, values) {
    const { curvePlot, curveStudy } = await import('./curve.js');
    const { inWords } = await import('./about.js');
    const files = filesFor(out, values.json, { name: 'curve', type: '.svg' });
    const study = curveStudy(out, files.beside);
    const { pearson, spearman, measured } = study;
    console.log(
      pearson === null || spearman === null
        ? `${measured} epochs have a kNN accuracy: too few, or all the same, so loss and accuracy cannot be compared`
        : `correlation of loss and accuracy over ${measured} epochs: Pearson ${pearson.toFixed(3)}, Spearman ${spearman.toFixed(3)}`,
    );
    await files.write(study, curvePlot(study.epochs, inWords(study.about)));
  },
});

/** E8: queries with their nearest, as one picture. */
export const sheetCommand = command({
  usage: 'npm run train -- sheet <out> [--pictures <folder> --held-out <folder> | --bank <folder>] [options]',
  about:
    'A sheet of queries with their 10 nearest pictures: the best half and the worst half by their labels.',
  options: {
    pictures: PICTURES,
    'held-out': HELD_OUT,
    bank: {
      type: 'string',
      help: 'instead of folders: each picture of a bank asks the others [<out>/index]',
    },
    rows: { type: 'string', default: '10', help: 'queries on the sheet, half of them of each kind' },
    seed: { type: 'string', default: '0', help: 'decides among queries that are equally good' },
    json: json('sheet.json'),
    help: HELP,
  },
  async run(out, values) {
    const whole = (name: string, least: number) =>
      numbers(name, values[name], {
        each: isWhole(least),
        most: 1,
        words: `a whole number from ${least}`,
      })[0]!;
    const [rows, seed] = [whole('rows', 1), whole('seed', 0)];
    const folders = values.pictures !== undefined || values['held-out'] !== undefined;
    const source = folders
      ? { pictures: needed('pictures', values), heldOut: needed('held-out', values) }
      : { bank: typeof values.bank === 'string' ? resolve(values.bank) : join(out, 'index') };
    const files = filesFor(out, values.json, { name: 'sheet', type: '.png' });
    const { retrieve, sheetStudy } = await loaded(() => import('./retrieval.js'));
    const { drawSheet } = await import('./sheet.js');
    const retrieval = await retrieve(out, source);
    const study = sheetStudy(out, retrieval, { rows, seed, picture: files.beside });
    const { mean_share: mean, queries } = study;
    if (mean !== null)
      console.log(`of the 10 nearest of ${queries} queries, ${percent(mean)} have their label`);
    await files.write(study, await drawSheet(study, retrieval));
  },
});

/** What computes with tensors is only loaded where TensorFlow is. */
function loaded<T>(load: () => Promise<T>): Promise<T> {
  if (findTensorflow() !== null) return load();
  throw new LookalikeError('provider_unavailable', 'TensorFlow is not installed: run npm run trainer:setup');
}
