import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Client, createClient } from '../../client/dist/index.js';
import { LookalikeError, messageOf } from '../core/errors.js';
import { readSettings, type Settings } from '../settings.js';
import { type Connection, given } from './options.js';

/**
 * Every command speaks to a service through the typed client: to the one at `--url`, or to one that is opened on the
 * data folder for as long as the command runs. So validation and messages are those of HTTP.
 */
export interface Session {
  client: Client;
  /** Aborted by Ctrl-C; every call of `client` ends with it. */
  signal: AbortSignal;
  /** The address of the running service; null when it lives in this process. */
  url: string | null;
}

export type Work<T> = (session: Session) => Promise<T>;

/**
 * Runs `work` and closes what was opened for it. `create`: a data folder without a database is given one. `importRoots`:
 * what a service that is opened for the command may read, besides what its settings say.
 * Rejects with what the work rejects with, `not_ready` (nothing answers at the address), `aborted`, and what
 * `createApp` throws.
 */
export async function withClient<T>(
  connection: Connection,
  work: Work<T>,
  { create = false, importRoots }: { create?: boolean; importRoots?: readonly string[] } = {},
): Promise<T> {
  const { url, wait } = connection;
  if (url === undefined && wait === false)
    throw new LookalikeError(
      'invalid_parameter',
      '--no-wait needs --url: without it the job lives in this process and ends with it',
    );
  const stop = new AbortController();
  const interrupt = () => stop.abort(new LookalikeError('aborted', 'interrupted'));
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.once(signal, interrupt);
  try {
    if (url === undefined) {
      const settings = settingsOf(connection);
      const roots = [...settings.importRoots, ...(importRoots ?? [])];
      return await inProcess({ ...settings, importRoots: roots }, { work, create, signal: stop.signal });
    }
    const key = connection.key;
    return await work({ client: clientOf({ url, key, signal: stop.signal }), signal: stop.signal, url });
  } finally {
    for (const signal of signals) process.off(signal, interrupt);
  }
}

function clientOf({
  url,
  key,
  signal,
}: {
  url: string;
  key: string | undefined;
  signal: AbortSignal;
}): Client {
  const ask: typeof fetch = (input, init) =>
    fetch(input, { ...init, signal }).catch((error: Error) => {
      if (signal.aborted) throw signal.reason;
      const reason = messageOf(error.cause ?? error);
      throw new LookalikeError('not_ready', `${url} does not answer: ${reason}`, { cause: error });
    });
  return createClient({ url, key, fetch: ask });
}

/** Those of a service that only this command can reach. A GPU is looked for only when it is asked for: that takes seconds. */
function settingsOf({ dataDir, model, exactProvider = 'cpu', logLevel }: Connection): Settings {
  const settings = readSettings({ ...given({ dataDir, model, exactProvider, logLevel }), host: '127.0.0.1' });
  const key = randomBytes(24).toString('hex');
  return { ...settings, port: 0, apiKeys: [key], rateLimit: 0 };
}

interface InProcess<T> {
  work: Work<T>;
  create: boolean;
  signal: AbortSignal;
}

async function inProcess<T>(settings: Settings, { work, create, signal }: InProcess<T>): Promise<T> {
  // The engines take a second to load: only who needs them does that.
  const [{ createApp }, { listen }, { DATABASE_FILE }] = await Promise.all([
    import('../app.js'),
    import('../http/listen.js'),
    import('../snapshots.js'),
  ]);
  if (!create && !existsSync(join(settings.dataDir, DATABASE_FILE)))
    throw new LookalikeError(
      'nothing_to_index',
      `${settings.dataDir} holds no database. Name the --data-dir that "lookalike serve" prints, or a running service with --url.`,
    );
  const app = await createApp(settings, { kind: 'none' }).catch((error) => orSayUrl(settings, error));
  try {
    const door = await listen(app.http, settings);
    try {
      signal.throwIfAborted();
      const client = clientOf({ url: door.url, key: settings.apiKeys[0], signal });
      return await work({ client, signal, url: null });
    } finally {
      await door.stop(1000);
    }
  } finally {
    await app.close();
  }
}

function orSayUrl({ dataDir }: Settings, error: unknown): never {
  if (!(error instanceof LookalikeError) || error.code !== 'data_dir_busy') throw error;
  throw new LookalikeError(
    'data_dir_busy',
    `${dataDir} is in use by another process. Ask the service that runs on it with --url, or stop it.`,
    { cause: error },
  );
}
