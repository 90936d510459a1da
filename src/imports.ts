import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { LookalikeError } from './core/errors.js';
import type { ImportFormat, ImportSource } from './core/import-entry.js';
import { bankManifest } from './core/manifests.js';
import { checkMetadata } from './core/metadata.js';
import type { Imports, StoreIdentity } from './core/ports.js';
import { resolveUnder } from './engines/allowed-roots.js';
import { type BankFiles, openBankFiles } from './engines/bank-source.js';
import { openErrorReport } from './engines/error-report.js';
import { readPicture } from './engines/files.js';
import { MANIFEST_FILE, parseManifest } from './engines/manifest.js';
import { openNdjson } from './engines/ndjson-source.js';
import { unpackFolder } from './engines/tar-folder.js';
import { openTar } from './engines/tar-source.js';
import { createUploadSpool } from './engines/upload-spool.js';
import { openZip } from './engines/zip-source.js';

/** The sources of imports and what they need of the disk: the part of the assembly that knows every format. */
export interface ImportsParts {
  dataDir: string;
  roots: readonly string[]; // folders that may be read, absolute
  maxBytes: number; // of one picture
  maxTotalBytes: number; // of an archive when it is unpacked
}

const MAX_ENTRIES = 5_000_000;
/** Reports of older imports are removed. */
const REPORTS_KEPT = 100;
const JOB_ID = /^[\w-]{1,64}$/;

export function createImports({ dataDir, roots, maxBytes, maxTotalBytes }: ImportsParts): Imports {
  const spool = createUploadSpool(join(dataDir, 'imports', 'uploads'));
  const reports = join(dataDir, 'imports', 'reports');
  const reportOf = (job: string) => join(reports, `${job}.ndjson`);

  async function open(
    { format, path }: { format: ImportFormat; path: string },
    { model, signal, ...given }: OpenOptions,
  ): Promise<ImportSource> {
    switch (format) {
      case 'tar':
        return openTar(path, { maxBytes, maxTotalBytes, count: given.count, signal });
      case 'zip':
        return openZip(path, { maxBytes, maxTotalBytes, maxEntries: MAX_ENTRIES, signal });
      case 'ndjson':
        return openNdjson(path, {
          dimension: model.dimension,
          maxBytes,
          roots,
          checkMetadata,
          signal,
          ...given,
        });
      case 'bank':
        return openBankFiles(given.bank!, { dimension: model.dimension, roots, checkMetadata, signal });
      case 'folder':
        throw new LookalikeError('internal', 'a folder is imported by its files');
    }
  }

  return {
    spool: spool.write,
    discard: spool.remove,
    keepOnly: spool.keepOnly,
    async locate(path, items) {
      const found = await resolveUnder(roots, path);
      const format = (await stat(found)).isDirectory() ? 'folder' : formatOf(found);
      if (items !== undefined && format !== 'bank')
        throw new LookalikeError('invalid_parameter', `items belong to vectors, this is a ${format}`, {
          field: 'items',
        });
      return { format, path: found, ...(items !== undefined && { items: await resolveUnder(roots, items) }) };
    },
    async check({ format, upload }) {
      if (format === 'bank' || !upload) return; // it has to be unpacked first
      const path = await spool.verified(upload);
      await open({ format, path }, { model: UNKNOWN, signal: new AbortController().signal, count: false });
    },
    async open(origin, options) {
      const { format, upload } = origin;
      const path = upload ? await spool.verified(upload) : origin.path!;
      if (format !== 'bank') return open({ format, path }, { ...options, count: true });
      const bank = upload
        ? await unpackedBank(path, await spool.unpackFolder(upload.id), options.model)
        : { vectors: path, items: origin.items ?? null };
      return open({ format, path }, { ...options, count: true, bank });
    },
    readFile: async (path) => readPicture(await resolveUnder(roots, path), maxBytes),
    async report(job) {
      await mkdir(reports, { recursive: true });
      await rm(reportOf(job), { force: true });
      await removeOld(reports);
      return openErrorReport(reportOf(job));
    },
    async reportPath(job) {
      const path = JOB_ID.test(job) ? reportOf(job) : null;
      const there = path !== null && (await stat(path).catch(() => null)) !== null;
      if (there) return path;
      throw new LookalikeError(
        'not_found',
        `there is no error report of an import ${JSON.stringify(job.slice(0, 60))}: it has not begun, or is not among the last ${REPORTS_KEPT}`,
      );
    },
  };
}

interface OpenOptions {
  model: StoreIdentity;
  signal: AbortSignal;
  count: boolean;
  bank?: BankFiles;
}

/** For a look at a file that is not read. */
const UNKNOWN: StoreIdentity = { model_sha256: '', dimension: 1 };

const FORMATS: readonly [RegExp, ImportFormat][] = [
  [/\.(tar|tar\.gz|tgz)$/i, 'tar'],
  [/\.zip$/i, 'zip'],
  [/\.(ndjson|jsonl)$/i, 'ndjson'],
  [/\.(npy|safetensors)$/i, 'bank'],
];

function formatOf(path: string): ImportFormat {
  const format = FORMATS.find(([pattern]) => pattern.test(path))?.[1];
  if (format) return format;
  throw new LookalikeError(
    'invalid_parameter',
    `a folder, or a file .tar, .tar.gz, .tgz, .zip, .ndjson, .jsonl, .npy or .safetensors is wanted, got ${JSON.stringify(extname(path))}`,
    { field: 'path' },
  );
}

/** A bank that came as a tar: one file of vectors, and beside it lines and our own manifest where there are such. */
async function unpackedBank(tar: string, folder: string, model: StoreIdentity): Promise<BankFiles> {
  const names = await unpackFolder(createReadStream(tar), folder);
  const vectors = names.filter((name) => /\.(npy|safetensors)$/i.test(name));
  const items = names.filter((name) => /\.(ndjson|jsonl)$/i.test(name));
  if (vectors.length !== 1 || items.length > 1)
    throw new LookalikeError(
      'bank_invalid',
      `a bank is one .npy or .safetensors and at most one .ndjson, this tar holds ${names.slice(0, 10).join(', ')}`,
    );
  const manifest = names.find((name) => name.split('/').at(-1) === MANIFEST_FILE);
  if (manifest !== undefined) await checkModel(join(folder, manifest), model);
  return {
    vectors: join(folder, vectors[0]!),
    items: items[0] === undefined ? null : join(folder, items[0]),
  };
}

async function checkModel(path: string, { model_sha256 }: StoreIdentity): Promise<void> {
  const text = await readFile(path, 'utf8');
  const manifest = parseManifest(text, bankManifest, { path: MANIFEST_FILE, code: 'bank_invalid' });
  if (manifest.model_sha256 === model_sha256) return;
  throw new LookalikeError(
    'bank_mismatch',
    `the bank was made by the model ${manifest.model_sha256.slice(0, 12)}…, the collection is of ${model_sha256.slice(0, 12)}…`,
  );
}

async function removeOld(folder: string): Promise<void> {
  const names = await readdir(folder);
  if (names.length < REPORTS_KEPT) return;
  const dated = await Promise.all(
    names.map(async (name) => ({ name, at: (await stat(join(folder, name))).mtimeMs })),
  );
  const old = dated.sort((a, b) => b.at - a.at).slice(REPORTS_KEPT - 1);
  for (const { name } of old) await rm(join(folder, name), { force: true });
}
