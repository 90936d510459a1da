import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { resolveSettings } from '../../../trainer/src/config.js';
import { collect } from '../../../trainer/src/studies/collect.js';
import { ordered } from '../../../trainer/src/studies/columns.js';
import { figureOf } from '../../../trainer/src/studies/figure.js';
import { sectionOf } from '../../../trainer/src/studies/page.js';
import { findPictures, linkPart } from '../../../trainer/src/studies/pictures.js';
import type { StudyResult, VariantResult } from '../../../trainer/src/studies/result.js';
import { parseStudy, readStudy } from '../../../trainer/src/studies/study.js';

const folder = mkdtempSync(join(tmpdir(), 'lookalike-studies-'));
afterAll(() => rmSync(folder, { recursive: true }));

const LEAST = { title: 'T', question: 'Q?', data: 'own', recipe: 'two-view', variants: { one: {} } };

describe('reading a study', () => {
  test('a variant is the recipe, then what is common, then its own, then the overrides', () => {
    const study = parseStudy(
      's',
      {
        ...LEAST,
        recipe: 'memory-bank',
        settings: { epochs: 5, lr: 0.1 },
        variants: { one: { settings: { lr: 0.2 } }, two: { recipe: 'two-view' } },
      },
      { seed: 7 },
    );
    expect(study.variants.map(({ key, title }) => [key, title])).toEqual([
      ['one', 'one'],
      ['two', 'two'],
    ]);
    expect(study.variants[0]!.settings).toMatchObject({
      ...{ objective: 'memory-bank', flip: 0 },
      ...{ epochs: 5, lr: 0.2, seed: 7 },
    });
    expect(study.variants[1]!.settings).toMatchObject({ objective: 'two-view', lr: 0.1 });
    expect(study.base).toMatchObject({ objective: 'memory-bank', lr: 0.1 });
  });

  test.each([
    [{ ...LEAST, note: 'x' }, 's has no "note"; there are title, question'],
    [{ ...LEAST, title: undefined }, 's.title is missing, allowed: a text'],
    [{ ...LEAST, data: 'mnist' }, 's.data is "mnist", allowed: cifar10 or imagenette or own'],
    [{ ...LEAST, pictures: 0.5 }, 's.pictures is 0.5, allowed: a whole number above 0'],
    [{ ...LEAST, variants: {} }, 's.variants is {}, allowed: an object with at least one key'],
    [{ ...LEAST, variants: { '../up': {} } }, 'keys are small letters'],
    [{ ...LEAST, variants: { one: { setting: {} } } }, 's.variants.one has no "setting"'],
    [{ ...LEAST, variants: { one: 3 } }, 's.variants.one is 3, allowed: an object'],
    [
      { ...LEAST, variants: { one: { settings: { epoch: 3 } } } },
      's.variants.one: "epoch" is not a setting of the trainer',
    ],
    [{ ...LEAST, settings: { epochs: 0 } }, 's.variants.one: epochs is 0, allowed'],
    [{ ...LEAST, variants: { one: { paper: { knn: 101 } } } }, 's.variants.one.paper.knn is 101'],
    [{ ...LEAST, variants: { one: { paper: { svm: 1 } } } }, 's.variants.one.paper has no "svm"'],
    [{ ...LEAST, baselines: ['noise'] }, 's.baselines is ["noise"], allowed: a list of pixels, random'],
    [{ ...LEAST, against: 'two' }, 's.against is "two", allowed: one'],
    [{ ...LEAST, plot: 'pie' }, 's.plot is "pie", allowed: curves or bars'],
    [[], 's is [], allowed: an object'],
    [
      { ...LEAST, variants: { one: { reference: { title: 'R', epochs: [1, 2], loss: [1], knn: [1, 2] } } } },
      'allowed: as many epochs as losses and kNN figures',
    ],
  ])('refuses %j', (json, message) => {
    expect(() => parseStudy('s', json)).toThrow(message);
  });

  test('takes every study in the folder, and names one that is not there', () => {
    const files = readdirSync(new URL('../../../trainer/studies/', import.meta.url));
    expect(files.length).toBeGreaterThan(3);
    for (const file of files) readStudy(file.replace('.json', ''));
    expect(() => readStudy('no-such')).toThrow('the study no-such cannot be read');
  });

  test('the paper’s Table 1 has its rows in the order that the design gives', () => {
    const paper = readStudy('table-1').variants.filter(({ paper }) => paper);
    const order = [...paper].sort((a, b) => a.paper!.knn! - b.paper!.knn!).map(({ key }) => key);
    expect(order).toEqual(['nce-1', 'parametric', 'nce-10', 'nce-512', 'nce-4096', 'full']);
  });
});

describe('the pictures of a study', () => {
  const data = join(folder, 'data');
  const put = (path: string) => {
    mkdirSync(join(data, path, '..'), { recursive: true });
    writeFileSync(join(data, path), path);
  };

  test('a part is the first pictures of each label, as links, the same when it is made again', async () => {
    for (const path of ['train/cat/3.png', 'train/cat/1.png', 'train/cat/2.png', 'train/dog/9.png'])
      put(path);
    put('train/dog/8.png');
    const part = join(folder, 'part');
    for (let round = 0; round < 2; round++) {
      await linkPart(join(data, 'train'), 4, part);
      expect(readdirSync(join(part, 'cat'))).toEqual(['1.png', '2.png']);
      expect(readdirSync(join(part, 'dog'))).toEqual(['8.png', '9.png']);
    }
    expect(readFileSync(join(part, 'cat', '2.png'), 'utf8')).toBe('train/cat/2.png');
    await expect(linkPart(join(data, 'train'), 6, part)).rejects.toThrow('are 3 of each');
    await expect(linkPart(join(data, 'train'), 1, part)).rejects.toThrow('are 0 of each');
  });

  test('both parts of a data set must be there', () => {
    expect(() => findPictures(data)).toThrow('needs a folder "train" and one of "test" or "val"');
    put('val/cat/1.png');
    expect(findPictures(data)).toEqual({ training: join(data, 'train'), heldOut: join(data, 'val') });
  });
});

// What a real run of 36 painted pictures wrote, that was cut in its first epoch and resumed.
const LOG = [
  '{"time":"2026-11-22T23:24:27.746Z","event":"start","from":{"epoch":0,"step":0,"lossSum":0},"pictures":36,"held_out":8,"steps":3}',
  '{"time":"2026-11-22T23:24:31.807Z","event":"stop","progress":{"epoch":0,"step":1,"lossSum":3.6301333904266357}}',
  '{"time":"2026-11-22T23:24:37.653Z","event":"start","from":{"epoch":0,"step":1,"lossSum":3.6301333904266357},"pictures":36,"held_out":8,"steps":3}',
  '{"time":"2026-11-22T23:24:41.468Z","event":"epoch","epoch":1,"loss":3.2610255082448325,"viewsPerSecond":13.977815504413051,"waitShare":0.0465640384914688,"seconds":3.4340129889999997,"knn":0.625}',
  '{"time":"2026-11-22T23:24:42.242Z","event":"epoch","epoch":2,"loss":3.097419341405233,"viewsPerSecond":149.47792188775836,"waitShare":0.23109012265774162,"seconds":0.48167648499999993,"knn":1}',
  '{"time":"2026-11-22T23:24:42.693Z","event":"epoch","epoch":3,"loss":3.106083631515503,"viewsPerSecond":307.3162891394182,"waitShare":0.09976976802640043,"seconds":0.2342863120000002,"knn":0.75}',
  '{"time":"2026-11-22T23:24:42.856Z","event":"size","side":32,"knn_training":1,"knn_held_out":0.75}',
  '{"time":"2026-11-22T23:24:43.765Z","event":"verified","difference":1.1920928955078125e-7,"size":32}',
  '{"time":"2026-11-22T23:24:44.228Z","event":"measured","knn_top1":0.75,"knn_top1_trainer":0.75,"k":5,"temperature":0.07,"known_pictures":36,"held_out_pictures":8,"held_out_sha256":"77796dc7faba611e1ea4ccda927ddfa9ca938457501b7deded591d9865f9e5cf"}',
];
const SETTINGS = {
  ...{ width: 0.125, size: 32, pack: 32, batch: 12, dimension: 16, warmup_epochs: 0 },
  ...{ eval_scales: [1], knn_k: 5, knn_every: 3, epochs: 3 },
};
const MACHINE = { cpu: 'A processor', cores: 2, node: '20.20.2', library: 'TensorFlow 2.21.0' };
const SAVED = {
  data: { pictures: 36, sha256: 'f0d79e16cd3ec86de5f59bbf8d1826ca90da9f6553429f8d33db76311c60105b' },
  git_revision: '0664a5913f91235e5f2f71747a4454fa6f47e6b6',
  started_at: '2026-11-22T23:24:37.611Z',
};

function runIn(root: string, key: string, { log = LOG, settings = {} as object } = {}): void {
  mkdirSync(join(root, key), { recursive: true });
  const saved = { ...SAVED, settings: resolveSettings({ ...SETTINGS, ...settings }) };
  writeFileSync(join(root, key, 'settings.json'), JSON.stringify(saved));
  writeFileSync(join(root, key, 'log.ndjson'), `${log.join('\n')}\n`);
}

const STUDY = parseStudy('tiny', {
  ...{ ...LEAST, title: 'Tiny', settings: SETTINGS, against: 'first' },
  variants: {
    first: { title: 'first | one', paper: { knn: 80 } },
    second: {
      settings: { decoupled: true },
      paper: { knn: 70, linear: 60.25 },
      reference: { title: 'another program', epochs: [1, 3], loss: [3, 2], knn: [50, 60.4] },
    },
    third: {},
  },
  paper: 'a paper',
});
const around = { floors: [], machine: MACHINE };

describe('collecting', () => {
  test('everything of a run comes from its settings and its log', () => {
    const root = join(folder, 'whole');
    runIn(root, 'first');
    const { result, notes } = collect(STUDY, root, around);
    expect(notes).toEqual(['second: nothing yet', 'third: nothing yet']);
    expect(result.variants.length).toBe(1);
    const [first] = result.variants;
    expect(first).toMatchObject({
      ...{ key: 'first', finished: true, epochs: 3, pictures: 36, held_out: 8, changed: {} },
      knn: { epoch: 3, value: 0.75, k: 5, temperature: 0.07 },
      exported: { size: 32, knn: 0.75 },
      git_revision: SAVED.git_revision,
      data_sha256: SAVED.data.sha256,
      machine: MACHINE,
    });
    // Two of the three steps of the first epoch were told of, so it counts for 3.434 x 3 / 2.
    expect(first!.seconds).toBeCloseTo(5.151 + 0.4817 + 0.2343, 3);
    expect(first!.views_per_second).toBeCloseTo((72 + 72 + 72) / first!.seconds, 3);
  });

  test('a run that still trains is told as such, with the last figure that was measured', () => {
    const root = join(folder, 'cut');
    const unmeasured = LOG[4]!.replace('"knn":1', '"knn":null');
    runIn(root, 'second', { log: [...LOG.slice(0, 4), unmeasured, '{"time":"2026'] });
    const [second] = collect(STUDY, root, around).result.variants;
    expect(second).toMatchObject({
      ...{ finished: false, epochs: 2, exported: null },
      knn: { epoch: 1, value: 0.625 },
    });
  });

  test('other settings than the study’s are collected as what they are, with a note', () => {
    const root = join(folder, 'other');
    runIn(root, 'first', { settings: { lr: 0.5 } });
    const { result, notes } = collect(STUDY, root, around);
    expect(notes[0]).toBe('first: lr 0.5 instead of 0.06');
    expect(result.variants[0]!.changed).toEqual({ lr: 0.5 });
  });

  test('a training begun anew in the same folder takes back what was there', () => {
    const root = join(folder, 'anew');
    runIn(root, 'first', { log: [...LOG, LOG[0]!, LOG[3]!] });
    const [first] = collect(STUDY, root, around).result.variants;
    expect(first).toMatchObject({ epochs: 1, finished: false, exported: null, knn: { value: 0.625 } });
  });
});

describe('the page', () => {
  const root = join(folder, 'page');
  const collected = (): StudyResult => {
    runIn(root, 'first');
    const decoupled = LOG.map((line) => line.replace('"knn":0.75', '"knn":0.875'));
    runIn(root, 'second', { log: decoupled, settings: { decoupled: true } });
    const floor = {
      network: null,
      k: 5,
      temperature: 0.07,
      size: 16,
      dimension: 768,
      pictures: 36,
      held_out: 8,
    };
    const floors = [{ name: 'pixels' as const, knn: 0.5, data_sha256: 'x', seconds: 1, ...floor }];
    return collect(STUDY, root, { floors, machine: MACHINE }).result;
  };

  test('a row has all that belongs beside a figure; ranks are counted from the best', () => {
    const lines = sectionOf(collected(), { remarks: ['Said by a person.'], plot: 'results/tiny.svg' });
    const cells = lines
      .filter((line) => line.startsWith('|'))
      .map((line) =>
        line
          .slice(1, -1)
          .split(/(?<!\\)\|/)
          .map((text) => text.trim()),
      );
    const head = cells[0]!;
    const row = (line: string[]) => Object.fromEntries(head.map((name, i) => [name, line[i]]));
    expect(row(cells[2]!)).toMatchObject({
      ...{ variant: 'first \\| one', 'kNN %': '75.0', gain: 'compared with', 'paper: kNN %': '80.0' },
      ...{ 'rank: ours / paper': '2 / 1', network: 'ResNet-18 x0.125', input: '32 px', epochs: '3' },
      ...{ pictures: '36', seconds: '6', 'exported kNN %': '75.0 at 32 px', 'k, τ of the vote': '5, 0.07' },
    });
    expect(row(cells[3]!)).toMatchObject({
      ...{ variant: 'second', 'kNN %': '87.5', gain: '+12.5', 'rank: ours / paper': '1 / 2' },
    });
    expect(row(cells[4]!)).toMatchObject({ variant: 'raw pixels, centred', 'kNN %': '50.0', epochs: '0' });
    expect(lines).toContain('Our order by kNN: first | one < second.');
    expect(lines).toContain("The paper's order: second < first | one.");
    expect(lines).toContain('| second | decoupled true |');
    expect(lines).toContain('| 3 | 87.5 | 60.4 | 3.11 | 2.00 |');
    expect(lines).toContain('Said by a person.');
    expect(lines).toContain('![Tiny](results/tiny.svg)');
    expect(lines.join('\n')).toContain('A processor, 2 cores, Node 20.20.2, TensorFlow 2.21.0');
  });

  test('the plot has a line for each variant and a dashed one for the reference and the baseline', () => {
    const svg = figureOf(collected());
    for (const words of ['first | one', 'second: another program', 'raw pixels', 'pictures of your own'])
      expect(svg).toContain(words);
    expect(svg.match(/<polyline/g)!.length).toBe(4);
  });

  test('only variants with both figures have a rank', () => {
    const variant = (key: string, knn: number | null, paper: number | null) =>
      ({
        key,
        knn: knn === null ? null : { value: knn },
        paper: paper === null ? null : { knn: paper },
      }) as VariantResult;
    const all = [
      variant('a', 0.5, 60),
      variant('b', 0.6, 50),
      variant('c', null, 40),
      variant('d', 0.1, null),
    ];
    const { ours, theirs } = ordered(all);
    expect([ours, theirs].map((order) => order.map(({ key }) => key))).toEqual([
      ['a', 'b'],
      ['b', 'a'],
    ]);
  });
});

test('links of an earlier part do not lead a study to pictures that are gone', async () => {
  const [training, part] = [join(folder, 'gone', 'train'), join(folder, 'gone', 'part')];
  for (const label of ['cat', 'dog']) {
    mkdirSync(join(training, label), { recursive: true });
    writeFileSync(join(training, label, 'new.png'), label);
    mkdirSync(join(part, label), { recursive: true });
    symlinkSync(join(training, label, 'old.png'), join(part, label, 'old.png'));
  }
  await linkPart(training, 2, part);
  expect(readdirSync(join(part, 'cat'))).toEqual(['new.png']);
});
