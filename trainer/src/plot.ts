/** Plots as SVG text, pure: lines over one or two axes, and bars with reference lines. */
import {
  type Axis,
  belowTitle,
  COLOURS,
  dot,
  fitted,
  GRID,
  INK,
  type Key,
  legend,
  line,
  logAxis,
  niceAxis,
  number,
  PLOT_WIDTH,
  px,
  QUIET,
  scale,
  sheet,
  text,
  widthOf,
} from './plot-parts.js';

export interface Series {
  name: string;
  points: readonly (readonly [number, number])[]; // a y that is not finite leaves a gap
  axis?: 'left' | 'right';
  dashed?: boolean;
}

export interface LinePlot {
  title: string;
  subtitle?: string;
  x: { label: string; log?: boolean }; // log: ticks at the values themselves
  left: { label: string; fromZero?: boolean };
  right?: { label: string };
  series: readonly Series[];
}

export interface BarPlot {
  title: string;
  subtitle?: string;
  x: { label: string };
  bars: readonly { name: string; value: number; note?: string }[];
  lines?: readonly { name: string; value: number }[];
}

const LINE_AREA = 300; // height of the data, pixels
const MOST_DOTS = 60; // of a series; more would be a thick line
const BAR_ROW = 30;

interface Area {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

export function linePlot(plot: LinePlot): string {
  const { title, subtitle, x, left, right, series } = plot;
  const keys = legend(series.map(keyOf), { x: 20, y: belowTitle(subtitle), width: PLOT_WIDTH - 40 });
  const top = belowTitle(subtitle) + keys.height + 12;
  const area = { left: 72, right: PLOT_WIDTH - (right ? 72 : 28), top, bottom: top + LINE_AREA };
  const xs = series.flatMap(({ points }) => points.map(([value]) => value));
  const across = x.log
    ? logAxis(xs)
    : niceAxis(xs, { count: 12, exact: true, whole: xs.every(Number.isInteger) });
  const axes = {
    left: niceAxis([...(left.fromZero ? [0] : []), ...heightsOn(series, 'left')]),
    right: niceAxis(heightsOn(series, 'right')),
  };
  const toX = scale(across, area.left + 8, area.right - 8, x.log === true);
  const inkOf = (side: 'left' | 'right') => (right ? colourOfAxis(series, side) : INK);
  const parts = [
    ...keys.svg,
    ...sideAxis(axes.left, area, { label: left.label, side: 'left', fill: inkOf('left') }),
    ...(right ? sideAxis(axes.right, area, { label: right.label, side: 'right', fill: inkOf('right') }) : []),
    ...bottomAxis(across, area, { label: x.label, toX }),
    ...series.flatMap((one, i) =>
      curve(one, { toX, toY: scale(axes[one.axis ?? 'left'], area.bottom, area.top), key: keyOf(one, i) }),
    ),
    ...(series.some(isSeen) ? [] : [nothing(area)]),
  ];
  return sheet(subtitle === undefined ? { title } : { title, subtitle }, area.bottom + 56, parts);
}

function heightsOn(series: readonly Series[], axis: 'left' | 'right'): number[] {
  const on = series.filter((one) => (one.axis ?? 'left') === axis);
  return on.flatMap(({ points }) => points.map(([, value]) => value));
}

const isSeen = ({ points }: Series) => points.some(([, y]) => Number.isFinite(y));

/** With two axes each label has the colour of what is read there. */
function colourOfAxis(series: readonly Series[], axis: 'left' | 'right'): string {
  const first = series.findIndex((one) => (one.axis ?? 'left') === axis);
  return first < 0 ? INK : COLOURS[first % COLOURS.length]!;
}

/** Past the last colour the same ones come again, dashed. */
function keyOf({ name, points, dashed }: Series, i: number): Key {
  const colour = COLOURS[i % COLOURS.length]!;
  const dash = dashed || i >= COLOURS.length ? ' stroke-dasharray="6 4"' : '';
  const look = `stroke="${colour}" stroke-width="2"${dash}`;
  return { name, look, marker: points.length <= MOST_DOTS && !dashed ? colour : null };
}

const nothing = ({ left, right, top, bottom }: Area) =>
  text((left + right) / 2, (top + bottom) / 2, ['nothing measured yet', { anchor: 'middle', fill: QUIET }]);

interface Side {
  label: string;
  side: 'left' | 'right';
  fill: string; // of the label
}

/** Numbers and label of one side; the left one also draws the grid. */
function sideAxis(axis: Axis, area: Area, { label, side, fill }: Side): string[] {
  const toY = scale(axis, area.bottom, area.top);
  const onLeft = side === 'left';
  const [at, anchor] = onLeft ? ([area.left - 8, 'end'] as const) : ([area.right + 8, 'start'] as const);
  const middle = (area.top + area.bottom) / 2;
  const turned = { anchor: 'middle', turn: -90, fill } as const;
  return [
    ...(onLeft
      ? axis.ticks.map((tick) => line([area.left, toY(tick)], [area.right, toY(tick)], `stroke="${GRID}"`))
      : []),
    ...axis.ticks.map((tick) =>
      text(at, toY(tick) + 4, [number(tick, axis.decimals), { anchor, fill: QUIET }]),
    ),
    text(onLeft ? 24 : PLOT_WIDTH - 16, middle, [fitted(label, 12, LINE_AREA), turned]),
  ];
}

interface Bottom {
  label: string;
  toX(value: number): number;
}

function bottomAxis({ ticks, decimals }: Axis, area: Area, { label, toX }: Bottom): string[] {
  const half = (tick: number) => widthOf(number(tick, decimals), 12) / 2;
  /** The next one's number would stand in this one's. */
  const crowded = (tick: number, i: number) => {
    const next = ticks[i + 1];
    return next !== undefined && toX(next) - toX(tick) < half(next) + half(tick) + 4;
  };
  return [
    line([area.left, area.bottom], [area.right, area.bottom], `stroke="${QUIET}"`),
    ...ticks.flatMap((tick, i) => [
      line([toX(tick), area.bottom], [toX(tick), area.bottom + 5], `stroke="${QUIET}"`),
      ...(crowded(tick, i)
        ? []
        : [text(toX(tick), area.bottom + 19, [number(tick, decimals), { anchor: 'middle', fill: QUIET }])]),
    ]),
    text((area.left + area.right) / 2, area.bottom + 42, [label, { anchor: 'middle' }]),
  ];
}

interface Places {
  toX(value: number): number;
  toY(value: number): number;
  key: Key;
}

/** A line with a dot at every point when there are few; a point alone is a dot whatever happens. */
function curve({ points }: Series, { toX, toY, key }: Places): string[] {
  const colour = /stroke="([^"]+)"/.exec(key.look)![1]!;
  const runs: string[][] = [[]];
  for (const [x, y] of points)
    if (Number.isFinite(y)) runs.at(-1)!.push(`${px(toX(x))},${px(toY(y))}`);
    else runs.push([]);
  return runs.flatMap((run) => {
    const dots = key.marker || run.length === 1 ? run : [];
    return [
      ...(run.length > 1
        ? [`<polyline points="${run.join(' ')}" fill="none" stroke-linejoin="round" ${key.look}/>`]
        : []),
      ...dots.map((at) => {
        const [x, y] = at.split(',').map(Number);
        return dot(x!, y!, colour);
      }),
    ];
  });
}

/** Bars lie, so that long names can be read; their axis begins at 0. */
export function barPlot({ title, subtitle, x, bars, lines = [] }: BarPlot): string {
  const names = Math.min(260, Math.max(60, ...bars.map(({ name }) => widthOf(name, 12))));
  const axis = niceAxis([0, ...bars.map(({ value }) => value), ...lines.map(({ value }) => value)]);
  const say = (value: number) => number(value, axis.decimals + 1);
  const notes = Math.max(0, ...bars.map(({ value, note = '' }) => widthOf(`${say(value)}  ${note}`, 12)));
  const keys = legend(
    lines.map(({ name, value }, i) => ({ name: `${name}: ${say(value)}`, look: lineLook(i), marker: null })),
    { x: 20, y: belowTitle(subtitle), width: PLOT_WIDTH - 40 },
  );
  const top = belowTitle(subtitle) + keys.height + 12;
  const right = PLOT_WIDTH - 28 - Math.min(260, notes);
  const area = { left: 32 + names, right, top, bottom: top + Math.max(1, bars.length) * BAR_ROW };
  const toX = scale(axis, area.left, area.right);
  const parts = [
    ...keys.svg,
    ...axis.ticks.map((tick) => line([toX(tick), area.top], [toX(tick), area.bottom], `stroke="${GRID}"`)),
    ...bottomAxis(axis, area, { label: x.label, toX }),
    ...bars.flatMap((bar, i) => barAt(bar, { toX, area, row: i, names, value: say(bar.value) })),
    ...lines.map(({ value }, i) => line([toX(value), area.top], [toX(value), area.bottom], lineLook(i))),
    ...(bars.length === 0 ? [nothing(area)] : []),
  ];
  return sheet(subtitle === undefined ? { title } : { title, subtitle }, area.bottom + 56, parts);
}

/** Reference lines have the colours after the bars' own. */
const lineLook = (i: number) =>
  `stroke="${COLOURS[(i + 1) % COLOURS.length]}" stroke-width="2" stroke-dasharray="6 4"`;

interface BarPlace {
  toX(value: number): number;
  area: Area;
  row: number;
  names: number; // width of the widest name
  value: string;
}

/** Value and note stand right of all data, where no line can cross them. */
function barAt(bar: BarPlot['bars'][number], { toX, area, row, names, value }: BarPlace): string[] {
  const y = area.top + row * BAR_ROW;
  const [from, to] = [Math.min(toX(0), toX(bar.value)), Math.max(toX(0), toX(bar.value))];
  const place = `x="${px(from)}" y="${px(y + 5)}" width="${px(to - from)}" height="${BAR_ROW - 10}"`;
  const room = PLOT_WIDTH - 16 - area.right - widthOf(`${value}  `, 12);
  return [
    text(area.left - 10, y + BAR_ROW / 2 + 4, [fitted(bar.name, 12, names), { anchor: 'end' }]),
    `<rect ${place} fill="${COLOURS[0]}"/>`,
    text(area.right + 12, y + BAR_ROW / 2 + 4, [value, { fill: INK, bold: true }]),
    ...(bar.note
      ? [
          text(area.right + 12 + widthOf(`${value}  `, 12), y + BAR_ROW / 2 + 4, [
            fitted(bar.note, 12, room),
            { fill: QUIET },
          ]),
        ]
      : []),
  ];
}
