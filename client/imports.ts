import type { Client } from './client.js';
import type { Job } from './jobs.js';
import type { operations } from './schema.js';

/** What an import is made from: something that is sent, or what lies on the machine of the service. */
export type ImportSource =
  | { body: BodyInit; type: ImportType } // a stream, a Blob, bytes or text
  | { file: File } // what it is, its name says
  | { path: string; items?: string }; // below the folders that the service may read

const TYPES = {
  tar: 'application/x-tar',
  gzip: 'application/gzip', // a tar inside
  zip: 'application/zip',
  ndjson: 'application/x-ndjson',
} as const;
export type ImportType = keyof typeof TYPES;

const ENDINGS: readonly [RegExp, ImportType][] = [
  [/\.tar$/i, 'tar'],
  [/\.(tar\.gz|tgz)$/i, 'gzip'],
  [/\.zip$/i, 'zip'],
  [/\.(ndjson|jsonl)$/i, 'ndjson'],
];

/** What a file is by its name; null when it is nothing that can be sent as it is. */
export const importTypeOf = (name: string): ImportType | null =>
  ENDINGS.find(([ending]) => ending.test(name))?.[1] ?? null;

export interface ImportOptions {
  query?: NonNullable<operations['startImport']['parameters']['query']>;
  /** `Idempotency-Key`, so that it may be sent again when no answer came. */
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/**
 * Starts an import and resolves to its job as it was queued; `waitForJob` waits for its end. A stream is sent as it comes, of any
 * length. Rejects with `Problem`, and with `TypeError` for a file whose name does not say what it is.
 */
export async function startImport(
  client: Client,
  source: ImportSource,
  { query, headers, signal }: ImportOptions = {},
): Promise<Job> {
  const common = { ...(query && { query }), ...(signal && { signal }) };
  if ('path' in source) {
    const { data } = await client.call('post', '/v1/imports', {
      ...common,
      json: source,
      ...(headers && { headers }),
    });
    return data;
  }
  const { body, type } = 'file' in source ? typed(source.file) : source;
  const { data } = await client.call('post', '/v1/imports', {
    ...common,
    body,
    headers: { ...headers, 'Content-Type': TYPES[type] },
  });
  return data;
}

function typed(file: File): { body: BodyInit; type: ImportType } {
  const type = importTypeOf(file.name);
  if (type) return { body: file, type };
  throw new TypeError(`${file.name}: .tar, .tar.gz, .tgz, .zip, .ndjson and .jsonl can be sent`);
}
