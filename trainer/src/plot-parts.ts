/** What every plot consists of, as pure functions: nice ticks, number words, escaped text, a legend above the data. */

/** Colour-blind safe on white (Okabe and Ito 2008, without the yellow that white swallows). */
export const COLOURS = [
  '#0072b2',
  '#d55e00',
  '#009e73',
  '#cc79a7',
  '#56b4e9',
  '#e69f00',
  '#000000',
  '#808080',
] as const;
export const INK = '#1a1a1a';
export const QUIET = '#5f5f5f'; // axes and notes
export const GRID = '#e3e3e3';
export const PLOT_WIDTH = 760;

const CHARACTER = 0.56; // mean width of a character, in font sizes: sans-serif fonts differ little
const LEGEND_FONT = 12;
const LEGEND_ROW = 20;

export interface Axis {
  low: number;
  high: number;
  ticks: number[];
  decimals: number; // that tell neighbouring ticks apart
}

/**
 * A range with ticks in steps of 1, 2 or 5 times a power of ten. The range covers the values; with `exact` it ends
 * at them, otherwise at ticks. `whole`: no steps below 1. No values: 0 to 1; a single one: something around it.
 */
export function niceAxis(
  values: readonly number[],
  { count = 6, exact = false, whole = false }: { count?: number; exact?: boolean; whole?: boolean } = {},
): Axis {
  const [least, most] = widened(values);
  const step = Math.max(niceStep((most - least) / count), whole ? 1 : 0);
  const first = exact ? Math.ceil(least / step - 1e-9) : Math.floor(least / step + 1e-9);
  const last = exact ? Math.floor(most / step + 1e-9) : Math.ceil(most / step - 1e-9);
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return exact
    ? { low: least, high: most, ticks, decimals }
    : { low: ticks[0]!, high: ticks.at(-1)!, ticks, decimals };
}

function widened(values: readonly number[]): [number, number] {
  const finite = values.filter(Number.isFinite);
  if (finite.length === 0) return [0, 1];
  const least = finite.reduce((a, b) => Math.min(a, b));
  const most = finite.reduce((a, b) => Math.max(a, b));
  if (most > least) return [least, most];
  const around = Math.abs(least) > 1 ? Math.abs(least) / 10 : 1;
  return [least - around, most + around];
}

function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= rough * (1 - 1e-9))!;
}

/** Ticks at the values themselves, 1 to 500 without crowding the small ones. Values must be above 0. */
export function logAxis(values: readonly number[]): Axis {
  const [least, most] = widened(values);
  const ticks = [...new Set(values)].sort((a, b) => a - b);
  return { low: least > 0 ? least : most / 10, high: most, ticks, decimals: 0 };
}

/** The place of a value between two ends, in pixels. */
export function scale({ low, high }: Axis, from: number, to: number, log = false): (value: number) => number {
  const f = log ? Math.log : (value: number) => value;
  return (value) => from + ((f(value) - f(low)) / (f(high) - f(low))) * (to - from);
}

/** A number with so many decimals; thousands are set apart. */
export function number(value: number, decimals: number): string {
  const [whole, fraction] = Math.abs(value).toFixed(decimals).split('.');
  const spaced = whole!.length > 4 ? whole!.replace(/\B(?=(\d{3})+$)/g, ',') : whole!;
  const digits = fraction === undefined ? spaced : `${spaced}.${fraction}`;
  return value < 0 && /[1-9]/.test(digits) ? `−${digits}` : digits;
}

export function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

export interface TextStyle {
  size?: number;
  anchor?: 'start' | 'middle' | 'end';
  fill?: string;
  bold?: boolean;
  turn?: number; // degrees around its own place
}

export function text(x: number, y: number, words: string | [string, TextStyle]): string {
  const [content, style] = typeof words === 'string' ? [words, {} as TextStyle] : words;
  const { size = 12, anchor = 'start', fill = INK, bold = false, turn } = style;
  const place = `x="${px(x)}" y="${px(y)}" font-size="${size}" text-anchor="${anchor}" fill="${fill}"`;
  const turned = turn === undefined ? '' : ` transform="rotate(${turn} ${px(x)} ${px(y)})"`;
  return `<text ${place}${bold ? ' font-weight="600"' : ''}${turned}>${escaped(content)}</text>`;
}

export function line(from: readonly [number, number], to: readonly [number, number], look: string): string {
  return `<line x1="${px(from[0])}" y1="${px(from[1])}" x2="${px(to[0])}" y2="${px(to[1])}" ${look}/>`;
}

/** Tenths of a pixel are enough. */
export const px = (value: number): string => String(Math.round(value * 10) / 10);

export const widthOf = (words: string, size: number): number => words.length * size * CHARACTER;

/** Words cut with an ellipsis where they would be wider than this. */
export function fitted(words: string, size: number, width: number): string {
  const most = Math.floor(width / (size * CHARACTER));
  return words.length <= most ? words : `${words.slice(0, Math.max(1, most - 1))}…`;
}

export interface Key {
  name: string;
  look: string; // attributes of the line
  marker: string | null; // colour of a dot on it
}

/** Rows of keys from (x, y) on, within the width; `height` is what they take. */
export function legend(keys: readonly Key[], { x, y, width }: { x: number; y: number; width: number }) {
  const parts: string[] = [];
  let [column, row] = [0, 0];
  for (const key of keys) {
    const name = fitted(key.name, LEGEND_FONT, width - 34);
    const taken = 34 + widthOf(name, LEGEND_FONT) + 18;
    if (column > 0 && column + taken - 18 > width) [column, row] = [0, row + 1];
    const [left, middle] = [x + column, y + row * LEGEND_ROW + LEGEND_ROW / 2];
    parts.push(line([left, middle], [left + 26, middle], key.look));
    if (key.marker) parts.push(dot(left + 13, middle, key.marker));
    parts.push(text(left + 34, middle + 4, [name, { size: LEGEND_FONT }]));
    column += taken;
  }
  return { svg: parts, height: keys.length === 0 ? 0 : (row + 1) * LEGEND_ROW + 6 };
}

export const dot = (x: number, y: number, colour: string): string =>
  `<circle cx="${px(x)}" cy="${px(y)}" r="2.8" fill="${colour}"/>`;

/** The whole picture on its own white ground: readable on a light and on a dark page. */
export function sheet(
  { title, subtitle }: { title: string; subtitle?: string },
  height: number,
  parts: readonly string[],
): string {
  const size = `width="${PLOT_WIDTH}" height="${px(height)}" viewBox="0 0 ${PLOT_WIDTH} ${px(height)}"`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img" font-family="system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif">`,
    `<title>${escaped(title)}</title>`,
    '<rect width="100%" height="100%" rx="6" fill="#ffffff"/>',
    text(20, 30, [fitted(title, 16, PLOT_WIDTH - 40), { size: 16, bold: true }]),
    ...(subtitle ? [text(20, 50, [fitted(subtitle, 12, PLOT_WIDTH - 40), { fill: QUIET }])] : []),
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

/** Where the content below title and subtitle begins. */
export const belowTitle = (subtitle: string | undefined): number => (subtitle ? 62 : 44);
