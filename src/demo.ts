import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { readBank } from './engines/bank.js';
import type { BankSource } from './flow/import-bank.js';

/** The shipped bank. Its pictures lie in the npm package that its manifest names. */
export async function readDemoBank(folder: string, modelSha256: string): Promise<BankSource> {
  const { manifest, vectors, items } = await readBank(folder, modelSha256);
  const root = packageFolder(manifest.source_package);
  return {
    name: manifest.name,
    vectors,
    items,
    resolveSource: (source) => root && join(root, source),
  };
}

function packageFolder(name: string | null): string | null {
  if (name === null) return null;
  try {
    return dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
  } catch {
    return null; // the answers are whole without the pictures, only thumbnails are missing
  }
}
