import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Network } from '../../../trainer/src/network.js';
import { createReport, duration, percent } from '../../../trainer/src/report.js';
import { createTeller, type TellerSetup } from '../../../trainer/src/teller.js';

let out: string;
let said: string[];
let live: string[];
beforeEach(() => {
  out = mkdtempSync(join(tmpdir(), 'lookalike-teller-'));
  said = [];
  live = [];
});
afterEach(() => rmSync(out, { recursive: true }));

/** Words go into lists, the log into its file. */
function teller(setup: Partial<TellerSetup> = {}) {
  const report = {
    ...createReport(out),
    say: (line: string) => said.push(line),
    live: (line: string) => live.push(line),
  };
  const from = setup.from ?? { epoch: 0, step: 0, lossSum: 0 };
  report.record('start', { from });
  const usual = {
    report,
    out,
    epochs: 3,
    knnEvery: 0,
    from,
    steps: 10,
    work: () => 1,
    measure: async () => 0.625,
  };
  return createTeller({ ...usual, ...setup });
}
const network = null as unknown as Network; // handed on to `measure`, which does not look at it here
const done = (epoch: number, more = {}) => ({
  epoch,
  loss: 4 - epoch / 2,
  viewsPerSecond: 151.4,
  waitShare: 0.0123,
  seconds: 60,
  ...more,
});

/** The column that a word ends in. */
const endOf = (line: string, word: string) => line.indexOf(word) + word.length;

describe('the table of a training', () => {
  test('has a header and aligned columns', async () => {
    const tell = teller();
    tell.head();
    await tell.epoch(done(1), network);
    await tell.epoch(done(2), network);
    await tell.epoch(done(3), network);
    const [head, first, , last] = said;
    expect(said.length).toBe(4);
    for (const [name, value] of [
      ['epoch', '1/3'],
      ['loss', '3.500'],
      ['views/s', '151'],
      ['waited %', '1.2'],
    ] as const)
      expect(endOf(first!, value)).toBe(endOf(head!, name));
    expect(endOf(last!, '62.5')).toBe(endOf(head!, 'kNN %'));
    expect(first).toMatch(/ 0 s$/);
    expect(first!.length).toBe(head!.length);
  });

  test('measures after the first two epochs, every so many and the last one', async () => {
    const measured: number[] = [];
    const tell = teller({ epochs: 8, knnEvery: 3, measure: async () => 0.5 + 0 * measured.push(0) });
    const rows: number[] = [];
    for (let epoch = 1; epoch <= 8; epoch++) {
      await tell.epoch(done(epoch), network);
      if (said.at(-1)!.includes('50.0')) rows.push(epoch);
    }
    expect(rows).toEqual([1, 2, 3, 6, 8]);
    expect(measured.length).toBe(5);
  });

  test('measures nothing where nothing can be measured', async () => {
    const tell = teller({ measure: null });
    await tell.epoch(done(3), network);
    expect(JSON.parse(readFileSync(join(out, 'log.ndjson'), 'utf8').split('\n')[1]!)).toMatchObject({
      knn: null,
    });
    expect(readFileSync(join(out, 'curve.svg'), 'utf8')).not.toContain('kNN accuracy, held');
  });

  test('repeats its header before it is out of sight', async () => {
    const tell = teller({ epochs: 45 });
    tell.head();
    for (let epoch = 1; epoch <= 45; epoch++) await tell.epoch(done(epoch), network);
    const heads = said.flatMap((line, i) => (line.includes('time left') ? [i] : []));
    expect(heads).toEqual([0, 21, 42]);
  });

  test('the live line has the place within the epoch, also in a resumed run', async () => {
    const tell = teller({ epochs: 9, from: { epoch: 4, step: 7, lossSum: 21 } });
    tell.step(8, 2.34567);
    expect(live.at(-1)).toMatch(/^ +5\/9 +2\.346 +step 8 of 10$/);
    await tell.epoch(done(5), network);
    tell.step(1, 2);
    expect(live.at(-1)).toMatch(/6\/9 .*step 1 of 10/);
  });

  test('the time left counts what later epochs cost, not only how many there are', async () => {
    const left = async (work: (epoch: number) => number) => {
      const tell = teller({ epochs: 101, work });
      const until = performance.now() + 60;
      while (performance.now() < until); // something to go by
      await tell.epoch(done(1), network);
      const [, h = 0, min = 0, s = 0] = /(?: (\d+) h)?(?: (\d+) min)?(?: (\d+) s)?$/.exec(said.at(-1)!)!;
      return Number(h) * 3600 + Number(min) * 60 + Number(s);
    };
    expect(await left(() => 1)).toBeGreaterThanOrEqual(6); // 100 times 60 ms or more
    expect(await left((epoch) => (epoch === 0 ? 1 : 100))).toBeGreaterThanOrEqual(600);
  });
});

describe('the curve beside it', () => {
  const points = () =>
    [...readFileSync(join(out, 'curve.svg'), 'utf8').matchAll(/<polyline points="([^"]*)"/g)].map(
      (match) => match[1]!.split(' ').length,
    );

  test('grows after every epoch and leaves nothing else behind', async () => {
    const tell = teller({ epochs: 4, knnEvery: 2 });
    await tell.epoch(done(1), network);
    await tell.epoch(done(2), network);
    expect(points()).toEqual([2, 2]);
    await tell.epoch(done(3), network);
    expect(points()).toEqual([3, 2]);
    expect(readdirSync(out).sort()).toEqual(['curve.svg', 'log.ndjson']);
  });

  test('a resumed run goes on with it', async () => {
    const first = teller({ epochs: 5 });
    for (const epoch of [1, 2, 3]) await first.epoch(done(epoch), network);
    const again = teller({ epochs: 5, from: { epoch: 2, step: 4, lossSum: 1 } });
    for (const epoch of [3, 4]) await again.epoch(done(epoch), network);
    expect(points()[0]).toBe(4);
  });
});

test('words for seconds and shares', () => {
  expect([0.4, 59.6, 65, 3599.6, 4000, 7170].map(duration)).toEqual([
    '0 s',
    '1 min 0 s',
    '1 min 5 s',
    '1 h 0 min',
    '1 h 7 min',
    '2 h 0 min',
  ]);
  expect(percent(0.6745)).toBe('67.5 %');
});
