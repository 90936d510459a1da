// Stacked bars as SVG: where the time of an answer goes.

const COLOURS = [
  ...['#4e79a7', '#f28e2b', '#59a14f', '#e15759', '#76b7b2'],
  ...['#b07aa1', '#9c755f', '#edc948', '#ff9da7', '#bab0ac'],
];
const [LEFT, RIGHT, TOP, BAR, GAP] = [300, 60, 64, 22, 12];
const WIDTH = 890;

const escaped = (text) => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

/** `bars`: `{name, parts: [[part, milliseconds]]}`; parts of one name have one colour, whichever bars they are in. */
export function stackedBars({ title, unit, bars }) {
  const parts = [...new Set(bars.flatMap((bar) => bar.parts.map(([name]) => name)))];
  const colourOf = (name) => COLOURS[parts.indexOf(name) % COLOURS.length];
  const sum = (bar) => bar.parts.reduce((all, [, value]) => all + value, 0);
  const scale = (WIDTH - LEFT - RIGHT) / Math.max(...bars.map(sum));
  const height = TOP + bars.length * (BAR + GAP) + 10;
  const text = (x, y, words, anchor = 'start') =>
    `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${escaped(words)}</text>`;
  const drawn = bars.flatMap((bar, i) => {
    const y = TOP + i * (BAR + GAP);
    let x = LEFT;
    const rects = bar.parts.map(([name, value]) => {
      const wide = value * scale;
      x += wide;
      const place = `x="${(x - wide).toFixed(1)}" y="${y}" width="${wide.toFixed(1)}" height="${BAR}"`;
      return `<rect ${place} fill="${colourOf(name)}"><title>${escaped(name)} ${value.toFixed(2)}</title></rect>`;
    });
    return [
      text(LEFT - 8, y + 16, bar.name, 'end'),
      ...rects,
      text(x + 6, y + 16, `${sum(bar).toFixed(1)} ${unit}`),
    ];
  });
  let legendAt = 16;
  const legend = parts.flatMap((name) => {
    const x = legendAt;
    legendAt += 34 + 7 * name.length;
    return [
      `<rect x="${x}" y="38" width="12" height="12" fill="${colourOf(name)}"/>`,
      text(x + 16, 48, name),
    ];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="13">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    `<text x="16" y="24" font-size="16">${escaped(title)}</text>`,
    ...legend,
    ...drawn,
    '</svg>\n',
  ].join('\n');
}
