#!/usr/bin/env node
// Writes client/schema.ts, the types of openapi.yaml; with --check only compares.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import openapiTS, { astToString } from 'openapi-typescript';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const path = join(root, 'client', 'schema.ts');
const head = '/** Generated from openapi.yaml by `npm run client:types`: change nothing here by hand. */\n\n';

const made =
  head +
  astToString(await openapiTS(pathToFileURL(join(root, 'openapi.yaml')), { emptyObjectsUnknown: true }));
if (process.argv.includes('--check')) {
  if (readFileSync(path, 'utf8') === made) process.exit(0);
  console.error('client/schema.ts is not what openapi.yaml says: run npm run client:types');
  process.exit(1);
}
writeFileSync(path, made);
