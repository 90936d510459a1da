#!/usr/bin/env node
// Median and largest file and function of the code, in lines.   node bench/code-size.mjs
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const files = ['src', 'trainer/src', 'web'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name)),
);

const sizes = { file: [], function: [] };
for (const path of files) {
  const source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true);
  const lineOf = (position) => source.getLineAndCharacterOfPosition(position).line;
  const name = relative(root, path);
  sizes.file.push({ name, lines: lineOf(source.end) + 1 });
  const visit = (node) => {
    if (ts.isFunctionLike(node) && node.body) {
      const lines = lineOf(node.end) - lineOf(node.getStart()) + 1;
      sizes.function.push({ name: `${name}:${lineOf(node.getStart()) + 1}`, lines });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
}
for (const [what, list] of Object.entries(sizes)) {
  list.sort((a, b) => a.lines - b.lines);
  const at = (share) => list[Math.min(list.length - 1, Math.floor(share * list.length))].lines;
  const largest = list.slice(-3).reverse();
  console.log(`${what}s: ${list.length}, median ${at(0.5)} lines, 90th percentile ${at(0.9)}`);
  for (const { name, lines } of largest) console.log(`  ${lines}  ${name}`);
}
