import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { z } from 'zod';

/** Versions of this service and of what answers depend on. */
const require = createRequire(import.meta.url);
const manifest = z.object({ name: z.string().optional(), version: z.string().optional() });
const PACKAGES = ['onnxruntime-node', 'usearch', 'better-sqlite3', 'sharp', 'express'];

const read = (path: string) => manifest.parse(JSON.parse(readFileSync(path, 'utf8')));

export const version = read(join(import.meta.dirname, '..', 'package.json')).version!;

export function packageVersions(): Record<string, string> {
  const versions = PACKAGES.map((name) => [name, versionOf(name)]);
  return { node: process.versions.node, ...Object.fromEntries(versions) };
}

/** Walks up from the package's entry: some packages do not export their package.json. */
function versionOf(name: string): string {
  for (let folder = dirname(require.resolve(name)); ; folder = dirname(folder)) {
    const path = join(folder, 'package.json');
    const found = existsSync(path) ? read(path) : {};
    if (found.name === name) return found.version!;
  }
}
