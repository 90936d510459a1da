import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { FRAMES, leftOf, SHEET, topOf } from '../../../src/engines/sharp-sheet.js';
import { composeSheet, type SheetTile } from '../../../src/offline.js';
import { type About, inWords, PAPER, readAbout } from '../../../trainer/src/evaluations/about.js';
import { curvePlot, curveStudy, pearson, ranks } from '../../../trainer/src/evaluations/curve.js';
import { curveCommand, evaluateCommand, sheetCommand } from '../../../trainer/src/evaluations/index.js';
import { epochsOf, readLog } from '../../../trainer/src/evaluations/log.js';
import { isStudy, sectionOf } from '../../../trainer/src/evaluations/page.js';
import { chooseQueries, meanShare, rowsOf, shareOf } from '../../../trainer/src/evaluations/sheet.js';
import { drawFor, normals, uniform } from '../../../trainer/src/random.js';
import { nativeReady } from './native.js';

const folder = mkdtempSync(join(tmpdir(), 'lookalike-studies-'));
afterAll(() => rmSync(folder, { recursive: true }));

const epoch = (n: number, more: object = {}) => ({
  event: 'epoch',
  epoch: n,
  loss: 5 - n,
  knn: null,
  seconds: 10,
  ...more,
});
const start = (done: number) => ({ event: 'start', from: { epoch: done, step: 0, lossSum: 0 } });
const about: About = {
  name: 'photos',
  trained_on: '36 pictures',
  objective: 'two-view',
  network: 'resnet18',
  width: 0.25,
  dimension: 128,
  training_size: 64,
  input: 96,
  epochs: 20,
  pictures: 9469,
  seconds: 3504,
  model_sha256: null,
};

describe('the log', () => {
  test('a start takes back the epochs after its checkpoint', () => {
    const log = [start(0), epoch(1), epoch(2), epoch(3), start(2), epoch(3, { loss: 9 }), epoch(4)];
    expect(epochsOf(log).map(({ epoch: n, loss }) => [n, loss])).toEqual([
      [1, 4],
      [2, 3],
      [3, 9],
      [4, 1],
    ]);
    expect(epochsOf([...log, start(0), epoch(1, { loss: 7 })]).map(({ loss }) => loss)).toEqual([7]);
  });

  test('is read as far as it is whole', () => {
    const out = join(folder, 'cut');
    mkdirSync(out);
    const text = [start(0), epoch(1), epoch(2)].map((entry) => JSON.stringify(entry)).join('\n');
    writeFileSync(join(out, 'log.ndjson'), text.slice(0, -5));
    expect(readLog(out).length).toBe(2);
    expect(() => readLog(join(folder, 'nowhere'))).toThrow('there is no log');
  });
});

describe('E5', () => {
  test('correlations of known cases', () => {
    expect(pearson([1, 2, 3], [2, 4, 6])).toBeCloseTo(1, 12);
    expect(pearson([1, 2, 3, 4], [1, 3, 2, 5])).toBeCloseTo(0.8315, 4); // 5.5 / sqrt(5 x 8.75)
    expect(pearson([1, 2], [1, 2])).toBeNull();
    expect(pearson([1, 2, 3], [1, 1, 1])).toBeNull();
    expect(ranks([30, 10, 20, 10])).toEqual([4, 1.5, 3, 1.5]);
  });

  test('a study has every epoch, and the correlation of those that were measured', () => {
    const out = join(folder, 'curve');
    mkdirSync(out);
    const accuracies = [0.3, 0.31, null, 0.5, 0.9];
    const log = [start(0), ...accuracies.map((knn, i) => epoch(i + 1, { knn, loss: 1 / (i + 1) }))];
    writeFileSync(join(out, 'log.ndjson'), log.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
    const study = curveStudy(out, 'curve.svg');
    expect(study).toMatchObject({ kind: 'curve', measured: 4, spearman: -1, plot: 'curve.svg' });
    expect(study.pearson).toBeGreaterThan(-1);
    expect(study.pearson).toBeLessThan(-0.7);
    expect(study.epochs.length).toBe(5);
    expect(study.about).toMatchObject({ epochs: 5, seconds: 50 });
    const svg = curvePlot(study.epochs, 'words');
    const lengths = [...svg.matchAll(/<polyline points="([^"]*)"/g)].map((m) => m[1]!.split(' ').length);
    expect(lengths).toEqual([5, 4]);
  });
});

describe('what stands beside a figure', () => {
  test('names network, width, input, dimension, objective, epochs, pictures and seconds', () => {
    expect(inWords(about)).toBe(
      'ResNet-18 x0.25, 96 px (trained at 64), 128-d, two-view, 20 epochs of 9,469 pictures, 3,504 s',
    );
    expect(inWords({ ...about, input: 64, pictures: null, seconds: null })).toBe(
      'ResNet-18 x0.25, 64 px, 128-d, two-view, 20 epochs',
    );
  });

  test('is read from the shipped model, too, which has no log', () => {
    const model = new URL('../../../model/', import.meta.url).pathname;
    const manifest = JSON.parse(readFileSync(join(model, 'manifest.json'), 'utf8'));
    expect(readAbout(model)).toMatchObject({
      name: manifest.name,
      width: manifest.settings.width,
      input: manifest.input.width,
      epochs: manifest.settings.epochs,
      seconds: null,
    });
  });
});

describe.skipIf(!nativeReady)('E1', async () => {
  if (!nativeReady) return;
  const { knnAccuracy } = await import('../../../trainer/src/evaluate.js');
  const { nearest, nearestAmong } = await import('../../../trainer/src/evaluations/neighbours.js');
  const { measureGrid, sweepPlot, sweepVotes } = await import('../../../trainer/src/evaluations/sweep.js');
  const { rawPixels, randomNetwork } = await import('../../../trainer/src/evaluations/baselines.js');
  const dimension = 6;
  /** Noisy points around a centre for each of four labels. */
  const cloud = (count: number, seed: number) => {
    const draw = drawFor(seed);
    const labels = Array.from({ length: count }, () => `label-${Math.floor(draw() * 4)}`);
    const vectors = normals(draw, count * dimension);
    for (let i = 0; i < count; i++) {
      const row = vectors.subarray(i * dimension, (i + 1) * dimension);
      row[Number(labels[i]!.at(-1))]! += 1;
      const length = Math.hypot(...row);
      row.forEach((value, j) => {
        row[j] = value / length;
      });
    }
    return { vectors, labels };
  };
  const known = cloud(300, 1);
  const asked = cloud(400, 2);

  test('every cell of the grid is what knnAccuracy says of it', async () => {
    const grid = { k: [1, 3, 20, 200, 500], temperature: [0.03, 0.07, 0.5] };
    const { accuracy, quoted } = measureGrid(known, asked, grid);
    for (const [i, temperature] of grid.temperature.entries())
      for (const [j, k] of grid.k.entries())
        expect(accuracy[i]![j], `k ${k}, temperature ${temperature}`).toBe(
          await knnAccuracy(asked, known, { k, temperature }),
        );
    expect(quoted).toBe(accuracy[1]![3]);
    expect(new Set(accuracy.flat()).size).toBeGreaterThan(5);
  });

  test('one near neighbour outweighs two far ones only at a low temperature', () => {
    const neighbours = { width: 3, rows: Int32Array.of(0, 1, 2), scores: Float32Array.of(0.9, 0.8, 0.8) };
    const labels = { known: ['cat', 'dog', 'dog'], asked: ['cat'] };
    // exp(.1 / t) against 2: the turning point is t = 0.1 / ln 2 = 0.144
    expect(sweepVotes(neighbours, labels, { k: [1, 3], temperature: [0.14, 0.15] })).toEqual([
      [1, 1],
      [1, 0],
    ]);
  });

  test('among each other nothing is its own neighbour, not even beside equal ones', () => {
    const same = Float32Array.from([1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 1, 0]);
    const { rows, width } = nearestAmong(same, { dimension: 2, k: 2 });
    expect(width).toBe(2);
    for (let i = 0; i < 6; i++) expect([...rows.subarray(2 * i, 2 * i + 2)]).not.toContain(i);
    const whole = nearest(asked.vectors, known.vectors, { dimension, k: 999 });
    expect(whole.width).toBe(300);
    expect([...whole.scores.subarray(0, 300)]).toEqual(
      [...whole.scores.subarray(0, 300)].sort((a, b) => b - a),
    );
  });

  test('the plot has a line for each temperature and a dashed one for each baseline', () => {
    const grid = { k: [1, 10], temperature: [0.05, 0.1] };
    const votes = measureGrid(known, asked, grid);
    const method = (name: string) => ({ name, ...votes, seconds: 1 });
    const methods = [method('trained encoder'), method('raw'), method('random')];
    const svg = sweepPlot({ methods, about, ...grid });
    expect([...svg.matchAll(/<polyline/g)].length).toBe(4);
    expect([...svg.matchAll(/<polyline[^>]*dasharray/g)].length).toBe(2);
  });

  /** A pack of one-coloured pictures with some noise; the label is the colour. */
  const painted = (count: number, side: number, seed: number) => {
    const draw = drawFor(seed);
    const data = new SharedArrayBuffer(count * side * side * 3);
    const pixels = new Uint8Array(data);
    const images = Array.from({ length: count }, (_, i) => {
      const dark = i % 2 === 0;
      for (let j = 0; j < side * side * 3; j++)
        pixels[i * side * side * 3 + j] = (dark ? 60 : 120) + Math.floor(uniform(draw, 0, 40));
      return { path: '', id: String(i), label: dark ? 'dark' : 'light', sha256: '' };
    });
    return { count, side, data, images, dataSha256: '', unreadable: [] };
  };

  test('raw pixels are centred: without it all of these would point the same way', async () => {
    const { known: rows, asked: queries } = rawPixels(painted(40, 16, 1), painted(20, 16, 2));
    const first = rows.vectors.subarray(0, 768);
    expect(Math.hypot(...first)).toBeCloseTo(1, 5);
    const cosine = first.reduce((sum, value, i) => sum + value * rows.vectors[768 + i]!, 0);
    expect(cosine).toBeLessThan(-0.5);
    expect(await knnAccuracy(queries, rows, { k: 5, temperature: 0.07 })).toBe(1);
  });

  test('the random network is the one that training began with, and tells pictures apart', async () => {
    const settings = { width: 0.125, size: 32, dimension: 16, seed: 3 };
    const one = await randomNetwork(settings, painted(40, 32, 1), painted(20, 32, 2));
    const again = await randomNetwork(settings, painted(40, 32, 1), painted(20, 32, 2));
    const other = await randomNetwork({ ...settings, seed: 4 }, painted(40, 32, 1), painted(20, 32, 2));
    expect([...again.asked.vectors]).toEqual([...one.asked.vectors]);
    expect([...other.asked.vectors]).not.toEqual([...one.asked.vectors]);
    expect(await knnAccuracy(one.asked, one.known, { k: 5, temperature: 0.07 })).toBeGreaterThan(0.8);
  });
});

describe('E8', () => {
  const shown = (labels: (string | null)[]) =>
    labels.map((label, i) => ({ id: `p${i}`, label, path: `/p${i}` }));
  const retrieval = {
    of: 'test',
    queries: shown(['a', 'b', null]),
    known: shown(['a', 'a', 'b', null]),
    neighbours: {
      width: 2,
      rows: Int32Array.of(0, 1, 1, 2, 0, 3),
      scores: Float32Array.of(0.9, 0.8, 0.7, 0.61234567, 0.5, 0.4),
    },
  };

  test('the share of a query is that of the neighbours with its label', () => {
    expect([0, 1, 2].map((query) => shareOf(retrieval, query))).toEqual([1, 0.5, null]);
    expect(meanShare(retrieval)).toBe(0.75);
    expect(rowsOf(retrieval, [1])).toEqual([
      {
        query: 'p1',
        label: 'b',
        share: 0.5,
        neighbours: [
          { id: 'p1', label: 'a', score: 0.7 },
          { id: 'p2', label: 'b', score: 0.6123 },
        ],
      },
    ]);
  });

  describe('which queries', () => {
    const labels = Array.from({ length: 200 }, (_, i) => `label-${i % 5}`);
    const shares = labels.map((_, i) => Math.floor(i / 20) / 10); // 20 of each share

    test('half of the rows are the best, half the worst, every label once', () => {
      const { best, worst } = chooseQueries(shares, labels, { rows: 10, seed: 0 });
      expect(best.map((query) => shares[query])).toEqual(Array(5).fill(0.9));
      expect(worst.map((query) => shares[query])).toEqual(Array(5).fill(0));
      for (const half of [best, worst]) expect(new Set(half.map((query) => labels[query])).size).toBe(5);
    });

    test('are the same for a seed and others for another', () => {
      const choose = (seed: number) => chooseQueries(shares, labels, { rows: 10, seed });
      expect(choose(1)).toEqual(choose(1));
      expect(choose(2)).not.toEqual(choose(1));
    });

    test.each([
      [[1, 0.5, 0], 10, [2, 1]],
      [[1], 4, [1, 0]],
      [[0.5, 0.5, 0.5], 2, [1, 1]],
      [[null, null, null], 2, [2, 0]],
      [[null, 1, null], 4, [1, 0]],
    ])('%j in %i rows', async (given, rows, sizes) => {
      const { best, worst } = chooseQueries(
        given,
        given.map(() => 'x'),
        { rows, seed: 0 },
      );
      expect([best.length, worst.length]).toEqual(sizes);
      expect(new Set([...best, ...worst]).size).toBe(best.length + worst.length);
    });
  });

  describe('the picture', () => {
    const blue = { r: 20, g: 40, b: 220 };
    let bytes: Buffer;
    beforeAll(async () => {
      bytes = await sharp({ create: { width: 200, height: 120, channels: 3, background: blue } })
        .jpeg()
        .toBuffer();
    });
    const tile = (frame: SheetTile['frame'], caption = 'a label'): SheetTile => ({ bytes, caption, frame });
    const pixelsOf = async (png: Uint8Array) => {
      const { data, info } = await sharp(png).removeAlpha().raw().toBuffer({ resolveWithObject: true });
      const at = (x: number, y: number) => [
        ...data.subarray((y * info.width + x) * 3, (y * info.width + x) * 3 + 3),
      ];
      return { info, at };
    };
    const cell = SHEET.tile + 2 * SHEET.frame;

    test('has a framed tile for each picture, the query apart from its neighbours', async () => {
      const row = [tile('query'), tile('same'), tile('other'), tile('none')];
      const png = await composeSheet([
        { title: 'one', rows: [row, row] },
        { title: 'two', rows: [row] },
      ]);
      const { info, at } = await pixelsOf(png);
      expect(info.width).toBe(leftOf(3) + cell + SHEET.margin);
      expect(info.height).toBe(topOf(3, 1) + SHEET.margin);
      for (const [line, part] of [
        [0, 0],
        [1, 0],
        [2, 1],
      ] as const)
        row.forEach(({ frame }, column) => {
          const [left, top] = [leftOf(column), topOf(line, part)];
          const wanted = FRAMES[frame].match(/[0-9a-f]{2}/g)!.map((hex) => Number.parseInt(hex, 16));
          for (const [x, y] of [
            [1, 1],
            [cell - 2, cell / 2],
            [cell / 2, cell - 2],
          ] as const)
            at(left + x, top + y).forEach((value, c) => {
              expect(Math.abs(value - wanted[c]!)).toBeLessThan(12);
            });
          const middle = at(left + cell / 2, top + cell / 2);
          [blue.r, blue.g, blue.b].forEach((value, c) => {
            expect(Math.abs(middle[c]! - value)).toBeLessThan(16);
          });
          expect(at(left + cell + 2, top + cell / 2)).toEqual([255, 255, 255]);
        });
      expect(leftOf(1) - leftOf(0)).toBeGreaterThan(leftOf(2) - leftOf(1));
    });

    test('captions stay below their own tile, however long, and may hold any character', async () => {
      const png = await composeSheet([
        {
          title: '',
          rows: [[tile('query', ''), tile('same', '<b> & a very, very long label that does not fit')]],
        },
      ]);
      const { at, info } = await pixelsOf(png);
      const ink = (from: number, to: number) => {
        let dark = 0;
        for (let y = topOf(0, 0) + cell + 1; y < topOf(1, 0); y++)
          for (let x = from; x < to; x++) if (at(x, y)[0]! < 128) dark++;
        return dark;
      };
      expect(ink(leftOf(1), leftOf(1) + cell)).toBeGreaterThan(20);
      expect(ink(0, leftOf(1))).toBe(0);
      expect(ink(leftOf(1) + cell, info.width)).toBe(0);
    });

    test('a file that is no picture is named as such', async () => {
      const bad = { bytes: Buffer.from('no picture'), caption: '', frame: 'none' as const };
      await expect(composeSheet([{ title: '', rows: [[bad]] }])).rejects.toThrow('not a picture');
    });
  });
});

describe('a page', () => {
  test('has the figures of every kind of study, and what stands beside them', async () => {
    const quoted = { k: 200, temperature: 0.07 } as const;
    const method = { name: 'trained encoder', accuracy: [[0.6, 0.7]], quoted: 0.675, seconds: 12 };
    const shared = { about, paper: [PAPER.cifar] };
    const sweep = sectionOf({
      kind: 'sweep',
      ...shared,
      plot: 'sweep.svg',
      k: [1, 10],
      temperature: [0.07],
      known: { pictures: 100, labels: 10 },
      held_out: { pictures: 50, sha256: '' },
      quoted,
      methods: [method, { ...method, name: 'raw pixels', quoted: 0.362 }],
    });
    expect(sweep).toContain('| trained encoder | 67.5 % | 12 |');
    expect(sweep).toContain('| 0.07 | 60.0 | 70.0 |');
    const curve = sectionOf({
      kind: 'curve',
      ...shared,
      plot: 'curve.svg',
      epochs: [{ epoch: 1, loss: 2.5, knn: 0.4, seconds: 3 }],
      measured: 1,
      pearson: null,
      spearman: null,
    });
    expect(curve.join('\n')).toContain('too few');
    const sheet = sectionOf({
      kind: 'sheet',
      ...shared,
      of: 'emoji',
      picture: 'sheet.png',
      seed: 0,
      queries: 9,
      known: 9,
      mean_share: 0.5,
      best: [],
      worst: [],
    });
    expect(sheet).toContain('![queries with their nearest pictures](results/sheet.png)');
    for (const lines of [sweep, curve, sheet]) {
      expect(lines.join('\n')).toContain(inWords(about));
      expect(lines.join('\n')).toContain('80.8 %');
    }
    expect([isStudy({ kind: 'sweep' }), isStudy({ kind: 'toString' }), isStudy(null)]).toEqual([
      true,
      false,
      false,
    ]);
  });
});

describe('the commands', () => {
  const run = async (command: (argv: readonly string[]) => Promise<number>, ...args: string[]) => {
    const lines: string[] = [];
    const collect = (line: string) => void lines.push(line);
    for (const spy of [vi.spyOn(console, 'log'), vi.spyOn(console, 'error')]) spy.mockImplementation(collect);
    const code = await command(args).finally(() => vi.restoreAllMocks());
    return { code, output: lines.join('\n') };
  };

  test.each([
    ['evaluate', evaluateCommand, ['--pictures', '--held-out', '--k', '--temperature', '--json']],
    ['curve', curveCommand, ['--json']],
    ['sheet', sheetCommand, ['--pictures', '--held-out', '--bank', '--rows', '--seed', '--json']],
  ] as const)('%s --help names every option', async (_, command, options) => {
    const { code, output } = await run(command, '--help');
    expect(code).toBe(0);
    for (const option of options) expect(output).toContain(option);
  });

  test.each([
    ['evaluate', [], 2, 'name one folder'],
    ['evaluate', ['x', '--pictures', 'a'], 2, '--held-out is missing'],
    ['evaluate', ['x', '--k', '1,0'], 2, '--k is 1,0, allowed: whole numbers from 1'],
    ['evaluate', ['x', '--temperature', ''], 2, '--temperature is , allowed: numbers above 0'],
    ['sheet', ['x', '--rows', '1,2'], 2, '--rows is 1,2, allowed: a whole number from 1'],
    ['sheet', ['x', '--pictures', 'a'], 2, '--held-out is missing'],
    ['curve', ['x', '--json', 'x.svg'], 2, 'ends in .json'],
    ['curve', ['x', '--epochs', '3'], 2, "Unknown option '--epochs'"],
    ['curve', [join(folder, 'nowhere')], 1, 'there is no log'],
  ] as const)('%s %j ends with %i', async (name, args, code, message) => {
    const commands = { evaluate: evaluateCommand, curve: curveCommand, sheet: sheetCommand };
    const ended = await run(commands[name], ...args);
    expect(ended.output).toContain(message);
    expect(ended.code).toBe(code);
  });
});
