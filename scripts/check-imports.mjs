#!/usr/bin/env node
// The import rules of docs/architecture.md, by folder. A file that matches several rules obeys the first.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** [files, what they may import]. Imports inside the project are written as paths from the root. */
const RULES = [
  [/^src\/core\//, [/^src\/core\//, /^zod$/]],
  [/^src\/flow\//, [/^src\/(core|flow)\//]],
  // Several engines are plumbing for the others: files and their formats, manifests, the ONNX writer, calls of
  // workers and child processes.
  [
    /^src\/engines\//,
    [
      /^src\/core\//,
      /^src\/engines\/(files|lines|manifest|bank|memory|processors|onnx-model|worker-call|child-call)\.js$/,
      /^src\/engines\/(allowed-roots|matrix-file|npy-file|safetensors|vector-source|file-io)\.js$/,
      /^src\/engines\/archive-entry\.js$/,
      /^yauzl$/,
      /^node:/,
      /^(zod|sharp|tar-stream|protobufjs(\/.*)?|onnxruntime-node|usearch|better-sqlite3)$/,
    ],
  ],
  [
    /^src\/ops\//,
    [/^src\/(core|ops)\//, /^src\/flow\/service\.js$/, /^(prom-client|pino|@opentelemetry\/.*)$/, /^node:/],
  ],
  [
    /^src\/http\//,
    [/^src\/(core|flow|ops|http)\//, /^(express|express-rate-limit|multer|helmet|zod|js-yaml)$/, /^node:/],
  ],
  [/^src\/offline\.ts$/, [/^src\/(core|engines)\//]],
  [/^src\/(settings|tuned)\.ts$/, [/^src\/(core\/|tuned\.js$)/, /^zod$/, /^node:/]],
  [/^src\/(versions)\.ts$/, [/^zod$/, /^node:/]],
  [
    /^src\/cli\//,
    [
      /^src\/(core|flow|cli)\//,
      /^src\/(app|doctor|main|quantise|restore|settings|snapshots|tune)\.js$/, // a door: it opens what is assembled
      /^src\/(engines\/(folder|manifest|model-folder|tar-folder)|http\/listen)\.js$/,
      /^client\/dist\//,
      /^(commander|cli-progress)$/,
      /^node:/,
    ],
  ],
  [/^src\/[^/]+\.ts$/, [/^src\//, /^client\/dist\//, /^(commander|cli-progress)$/, /^node:/]],
  [/^web\//, [/^(web|client\/dist)\//]],
  [/^client\//, [/^client\//]],
  [/^trainer\/src\//, [/^trainer\/src\//, /^dist\/offline\.js$/, /^@tensorflow\/tfjs-core$/, /^node:/]],
];
/** One engine, one package. */
const OWN_PACKAGE = new Set(['sharp', 'onnxruntime-node', 'usearch', 'better-sqlite3']);

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s[^'"`;]*?from\s*['"]([^'"]+)['"]|(?:^|\n)\s*import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;

const files = ['src', 'web', 'client', 'trainer/src'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter(
      (entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.parentPath.includes('node_modules'),
    )
    .map((entry) => relative(root, join(entry.parentPath, entry.name))),
);

/** An engine with its worker and its parts: `exact-index.ts`, `exact-index.worker.ts`, `exact-session.ts`. */
const engine = (path) => /^src\/engines\/([a-z]+)-/.exec(path)?.[1];
const sameEngine = (file, target) => engine(file) !== undefined && engine(file) === engine(target);

const faults = [];
for (const file of files) {
  const rule = RULES.find(([pattern]) => pattern.test(file));
  if (!rule) {
    faults.push(`${file}: no import rule covers it`);
    continue;
  }
  const text = readFileSync(join(root, file), 'utf8');
  const own = new Set();
  for (const match of text.matchAll(IMPORT)) {
    const name = match[1] ?? match[2] ?? match[3];
    const target = name.startsWith('.') ? relative(root, join(root, dirname(file), name)) : name;
    if (!rule[1].some((allowed) => allowed.test(target)) && !sameEngine(file, target))
      faults.push(`${file}: must not import ${target}`);
    if (OWN_PACKAGE.has(name)) own.add(name);
  }
  if (own.size > 1) faults.push(`${file}: one native package a file, not ${[...own].join(' and ')}`);
  if (/\bprocess\.env\b/.test(text) && file.startsWith('src/') && file !== 'src/settings.ts')
    faults.push(`${file}: only src/settings.ts reads the environment`);
  if (file.startsWith('src/core/') && /\b(console|process|Date\.now|performance\.now)\b[.(]/.test(text))
    faults.push(`${file}: the core has no clock, no console and no process`);
}
for (const fault of faults) console.error(fault);
console.log(`import rules: ${files.length} files, ${faults.length} faults`);
process.exit(faults.length === 0 ? 0 : 1);
