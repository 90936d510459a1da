#!/usr/bin/env node
// Writes the table of settings into docs/operations.md from src/settings.ts; with --check only compares.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SETTINGS } from '../dist/settings.js';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const page = join(root, 'docs', 'operations.md');
const [begin, end] = ['<!-- settings -->', '<!-- /settings -->'];

const cell = (text) => String(text).replaceAll('|', '\\|');
const rows = Object.values(SETTINGS).map(({ variable, option, meaning, fallback }) => {
  const shown =
    fallback === undefined ? '' : fallback.startsWith(root) ? fallback.slice(root.length + 1) : fallback;
  return `| \`${variable}\` | ${option ? `\`${cell(option)}\`` : ''} | ${shown === '' ? '' : `\`${shown}\``} | ${cell(meaning)} |`;
});
const table = ['| variable | option | default | meaning |', '|---|---|---|---|', ...rows].join('\n');

const text = readFileSync(page, 'utf8');
const [before, rest] = text.split(begin);
const after = rest.split(end)[1];
const next = `${before}${begin}\n${table}\n${end}${after}`;
if (next !== text && process.argv.includes('--check')) {
  console.error(
    'docs/operations.md: the table of settings is not that of src/settings.ts; run node scripts/settings-table.mjs',
  );
  process.exit(1);
}
writeFileSync(page, next);
