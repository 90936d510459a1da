// What stands beside every figure, and where it is written.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';

/** The machine in words. */
export const machine = () =>
  `${cpus().length} x ${cpus()[0].model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB`;

/** Machine, date and versions, as one sentence; `info` is the answer of /v1/info. */
export const circumstances = (info) =>
  `Machine: ${machine()}. ${new Date().toISOString().slice(0, 10)}. ${Object.entries(info.versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ')}.`;

/** Replaces what stands between `<!-- name -->` and `<!-- /name -->` in the page, or appends it. */
export function writeSection(page, name, lines) {
  const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const section = [open, ...lines, close].join('\n');
  const now = existsSync(page) ? readFileSync(page, 'utf8') : '';
  const [from, to] = [now.indexOf(open), now.indexOf(close)];
  const next =
    from >= 0 && to > from
      ? now.slice(0, from) + section + now.slice(to + close.length)
      : `${now.trimEnd()}${now === '' ? '' : '\n\n'}${section}\n`;
  writeFileSync(page, next);
}

/** A Markdown table. */
export const table = (heading, rows) => [
  `| ${heading.join(' | ')} |`,
  `|${heading.map(() => '---').join('|')}|`,
  ...rows.map((row) => `| ${row.join(' | ')} |`),
];

export const percent = (share) => (share === null ? 'none' : `${(100 * share).toFixed(1)} %`);

/** `count` different ones of the list, in the order drawn. */
export function draw(list, count, random) {
  const rest = [...list];
  return Array.from({ length: Math.min(count, rest.length) }, () => {
    return rest.splice(Math.floor(random() * rest.length), 1)[0];
  });
}
