import { describe, expect, test } from 'vitest';
import { barPlot, type LinePlot, linePlot } from '../../../trainer/src/plot.js';
import { logAxis, niceAxis, number } from '../../../trainer/src/plot-parts.js';

const all = (svg: string, pattern: RegExp) => [...svg.matchAll(pattern)];
const textsOf = (svg: string) => all(svg, /<text[^>]*>([^<]*)<\/text>/g).map((match) => match[1]!);
/** Every coordinate of the plot by its name. */
const places = (svg: string, name: string) =>
  all(svg, new RegExp(` ${name}="(-?[\\d.]+)"`, 'g')).map((match) => Number(match[1]));
const pointsOf = (svg: string) =>
  all(svg, /<polyline points="([^"]*)"/g).map((match) =>
    match[1]!.split(' ').map((pair) => pair.split(',').map(Number) as [number, number]),
  );

const plot = (series: LinePlot['series'], more: Partial<LinePlot> = {}): string =>
  linePlot({ title: 'T', x: { label: 'epoch' }, left: { label: 'loss' }, series, ...more });

/** One well-formed element after another, nothing outside of the picture, no number that is none. */
function checkWhole(svg: string): void {
  expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  const [, width, height] = /viewBox="0 0 (\d+) ([\d.]+)"/.exec(svg)!.map(Number);
  for (const [names, most] of [
    [['x', 'x1', 'x2', 'cx'], width!],
    [['y', 'y1', 'y2', 'cy'], height!],
  ] as const)
    for (const place of names.flatMap((name) => places(svg, name))) {
      expect(place).toBeGreaterThanOrEqual(0);
      expect(place).toBeLessThanOrEqual(most);
    }
  const open: string[] = [];
  for (const [tag, slash, name, self] of all(svg, /<(\/?)([a-z]+)[^>]*?(\/?)>/g))
    if (slash) expect(open.pop(), tag).toBe(name);
    else if (!self) open.push(name!);
  expect(open).toEqual([]);
}

describe('niceAxis', () => {
  test.each([
    [[0, 10], 6, [0, 2, 4, 6, 8, 10]],
    [[0.88, 4.61], 6, [0, 1, 2, 3, 4, 5]],
    [[36.2, 62.5], 6, [35, 40, 45, 50, 55, 60, 65]],
    [[-0.3, 0.1], 4, [-0.3, -0.2, -0.1, 0, 0.1]],
  ])('%j in about %i steps', (values, count, ticks) => {
    expect(niceAxis(values, { count }).ticks.map((tick) => Number(tick.toFixed(6)) + 0)).toEqual(ticks);
  });

  test('ends at the values when asked to, and does not cut whole numbers', () => {
    const axis = niceAxis([1, 3], { count: 12, exact: true, whole: true });
    expect([axis.low, axis.high, axis.ticks]).toEqual([1, 3, [1, 2, 3]]);
  });

  test('a logarithmic axis has its ticks at the values', () => {
    expect(logAxis([1, 200, 5, 5])).toMatchObject({ low: 1, high: 200, ticks: [1, 5, 200] });
  });

  test('numbers have as many decimals as tell ticks apart', () => {
    expect(niceAxis([0, 0.05]).decimals).toBe(2);
    expect([number(0.3, 1), number(-5, 0), number(-0.001, 1), number(50000, 0)]).toEqual([
      '0.3',
      '−5',
      '0.0',
      '50,000',
    ]);
  });
});

describe('linePlot', () => {
  test('higher values are higher, on the axis of their own', () => {
    const svg = plot(
      [
        {
          name: 'loss',
          points: [
            [1, 4],
            [2, 2],
            [3, 1],
          ],
        },
        {
          name: 'kNN',
          points: [
            [1, 40],
            [3, 60],
          ],
          axis: 'right',
        },
      ],
      { right: { label: 'kNN, %' }, subtitle: 'S' },
    );
    checkWhole(svg);
    const [loss, knn] = pointsOf(svg);
    expect(loss!.map(([x]) => x)).toEqual([...loss!.map(([x]) => x)].sort((a, b) => a - b));
    expect(loss![0]![1]).toBeLessThan(loss![2]![1]);
    expect(knn![0]![1]).toBeGreaterThan(knn![1]![1]);
    expect(knn![0]![0]).toBe(loss![0]![0]);
    expect(textsOf(svg)).toEqual(
      expect.arrayContaining(['T', 'S', 'epoch', 'loss', 'kNN, %', 'kNN', '40', '60']),
    );
  });

  test('the legend is above all data, however many names it has', () => {
    const series = Array.from({ length: 12 }, (_, i) => ({
      name: `a series with a rather long name, number ${i}`,
      points: [
        [0, i],
        [1, i + 1],
      ] as const,
    }));
    const svg = plot(series);
    checkWhole(svg);
    const names = all(svg, /<text[^>]* y="([\d.]+)"[^>]*>a series/g).map((match) => Number(match[1]));
    expect(names.length).toBe(12);
    expect(Math.max(...names)).toBeLessThan(
      Math.min(
        ...pointsOf(svg)
          .flat()
          .map(([, y]) => y),
      ),
    );
    const looks = all(svg, /<polyline [^>]*?(stroke="[^>]*)\/>/g).map((match) => match[1]);
    expect(new Set(looks).size).toBe(12);
  });

  test('words are escaped', () => {
    const svg = plot([{ name: '<b>&"', points: [[0, 1]] }], { title: 'a < b & c' });
    checkWhole(svg);
    expect(svg).toContain('a &lt; b &amp; c');
    expect(svg).toContain('&lt;b&gt;&amp;&quot;');
  });

  test('has a ground of its own, so that a dark page does not swallow it', () => {
    expect(plot([])).toMatch(/<rect width="100%" height="100%"[^>]* fill="#ffffff"/);
  });

  test.each([
    ['no series', []],
    ['a series without points', [{ name: 'a', points: [] }]],
    ['one point', [{ name: 'a', points: [[1, 4.2]] }]],
    ['one point at zero', [{ name: 'a', points: [[0, 0]] }]],
    [
      'a flat line',
      [
        {
          name: 'a',
          points: [
            [1, 3],
            [2, 3],
          ],
        },
      ],
    ],
    [
      'nothing but gaps',
      [
        {
          name: 'a',
          points: [
            [1, Number.NaN],
            [2, Number.POSITIVE_INFINITY],
          ],
        },
      ],
    ],
    [
      'huge and tiny values',
      [
        {
          name: 'a',
          points: [
            [1, 1e12],
            [2, 1e-12],
          ],
        },
      ],
    ],
  ] as [string, LinePlot['series']][])('%s', (_, series) => {
    checkWhole(plot(series));
    checkWhole(plot(series, { right: { label: 'r' } }));
  });

  test('says so when there is nothing, and shows a point that is alone', () => {
    expect(textsOf(plot([{ name: 'a', points: [[1, Number.NaN]] }]))).toContain('nothing measured yet');
    expect(textsOf(plot([]))).toContain('nothing measured yet');
    const alone = plot([{ name: 'a', points: [[1, 4]] }]);
    expect(textsOf(alone)).not.toContain('nothing measured yet');
    expect(all(alone, /<circle/g).length).toBe(2); // in the legend and in the plot
  });

  test('a value that is not finite is a gap in the line', () => {
    const svg = plot([
      {
        name: 'a',
        points: [
          [1, 4],
          [2, 3],
          [3, Number.NaN],
          [4, 2],
          [5, 1],
        ],
      },
    ]);
    checkWhole(svg);
    expect(pointsOf(svg).map((points) => points.length)).toEqual([2, 2]);
  });
});

describe('barPlot', () => {
  const bars = [
    { name: 'full softmax', value: 36.9, note: 'paper 80.8' },
    { name: 'm = 1', value: 18.45 },
  ];

  test('bars are as long as their values, with the value and its note beside', () => {
    const svg = barPlot({
      title: 'T',
      x: { label: '%' },
      bars,
      lines: [{ name: 'raw pixels', value: 43.3 }],
    });
    checkWhole(svg);
    const widths = all(svg, /<rect x="[\d.]+" y="[\d.]+" width="([\d.]+)"/g).map((match) => Number(match[1]));
    expect(widths[0]! / widths[1]!).toBeCloseTo(2, 1);
    expect(textsOf(svg)).toEqual(expect.arrayContaining(['36.9', 'paper 80.8', 'm = 1', 'raw pixels: 43.3']));
  });

  test('a negative value goes to the left of zero', () => {
    const svg = barPlot({
      title: 'T',
      x: { label: 'x' },
      bars: [
        { name: 'a', value: -2 },
        { name: 'b', value: 2 },
      ],
    });
    checkWhole(svg);
    const [a, b] = all(svg, /<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)"/g).map((m) =>
      m.slice(1).map(Number),
    );
    expect(a![0]! + a![1]!).toBeCloseTo(b![0]!, 0);
  });

  test.each([
    ['no bars', []],
    ['all zero', [{ name: 'a', value: 0 }]],
    ['a long name and a long note', [{ name: 'n'.repeat(200), value: 1, note: 'o'.repeat(200) }]],
  ])('%s', (_, given) => {
    checkWhole(barPlot({ title: 'T', x: { label: 'x' }, bars: given }));
  });
});
