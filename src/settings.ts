import { createHash } from 'node:crypto';
import { isIPv4 } from 'node:net';
import { homedir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { LookalikeError } from './core/errors.js';
import { KEEPS } from './core/ports.js';
import { PROVIDERS } from './core/provider.js';
import { type TraceProtocol, traceProtocol } from './core/trace-settings.js';
import { readTuned, TUNED_FILE } from './tuned.js';

/**
 * Every setting once: meaning, variable, option, default, check. This is the only reader of the environment.
 * An option on the command line wins over the variable, the variable over what `lookalike tune` found, that over the default.
 */

const MIB = 1024 * 1024;
const root = fileURLToPath(new URL('..', import.meta.url));
const whole = (min: number, max: number) =>
  z.string().regex(/^\d+$/, 'a whole number is wanted').transform(Number).pipe(z.number().min(min).max(max));
const share = z
  .string()
  .regex(/^(0|1|0?\.\d+)$/, 'a number from 0 to 1 is wanted')
  .transform(Number);
const betweenZeroAndOne = z
  .string()
  .regex(/^0?\.\d*[1-9]\d*$/, 'a number above 0 and below 1 is wanted')
  .transform(Number);
const list = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
);
const flag = z.stringbool();

interface Definition<T> {
  variable: string;
  option?: string; // as commander writes it
  meaning: string;
  fallback: string | undefined;
  check: z.ZodType<T, string>;
}
const define = <T>(definition: Definition<T>) => definition;

export const SETTINGS = {
  port: define({
    variable: 'PORT',
    option: '--port <number>',
    meaning: 'port to listen on; 0 takes a free one',
    fallback: '8080',
    check: whole(0, 65535),
  }),
  host: define({
    variable: 'LOOKALIKE_HOST',
    option: '--host <address>',
    meaning: 'address to listen on; any but a loopback address needs API keys or --no-auth',
    fallback: '127.0.0.1',
    check: z.string().min(1),
  }),
  apiKeys: define({
    variable: 'LOOKALIKE_API_KEYS',
    meaning: 'API keys, separated by commas, 16 characters or more each; asked for on /v1 and /metrics',
    fallback: '',
    check: list.pipe(z.array(z.string().min(16))),
  }),
  noAuth: define({
    variable: 'LOOKALIKE_NO_AUTH',
    option: '--no-auth',
    meaning: 'answer without keys on an address that others can reach',
    fallback: 'false',
    check: flag,
  }),
  allowedHosts: define({
    variable: 'LOOKALIKE_ALLOWED_HOSTS',
    meaning: 'host names answered besides localhost when there are no keys, separated by commas',
    fallback: '',
    check: list,
  }),
  dataDir: define({
    variable: 'LOOKALIKE_DATA_DIR',
    option: '--data-dir <folder>',
    meaning: 'where the database and the index live (default: a folder per user and picture folder)',
    fallback: undefined,
    check: z.string().min(1),
  }),
  model: define({
    variable: 'LOOKALIKE_MODEL',
    option: '--model <folder>',
    meaning: 'folder with encoder.onnx and manifest.json',
    fallback: join(root, 'model'),
    check: z.string().min(1),
  }),
  prune: define({
    variable: 'LOOKALIKE_PRUNE',
    option: '--prune',
    meaning: 'take pictures whose files are gone from the folder out of the collection',
    fallback: 'false',
    check: flag,
  }),
  keep: define({
    variable: 'LOOKALIKE_KEEP',
    option: '--keep <what>',
    meaning:
      'what is kept of uploaded pictures: originals, copies (at most 1024 pixels, without metadata) or none; without any, another model needs a new upload',
    fallback: 'originals',
    check: z.enum(KEEPS),
  }),
  exactProvider: define({
    variable: 'LOOKALIKE_EXACT_PROVIDER',
    option: '--exact-provider <name>',
    meaning: 'what runs the exact index: auto, cpu, webgpu or cuda; auto takes a GPU that answers rightly',
    fallback: 'auto',
    check: z.enum(['auto', ...PROVIDERS]),
  }),
  exactThreads: define({
    variable: 'LOOKALIKE_EXACT_THREADS',
    meaning: 'threads of the exact index on the CPU',
    fallback: '2',
    check: whole(1, 8),
  }),
  maxVectorBytes: define({
    variable: 'LOOKALIKE_MAX_VECTOR_BYTES',
    meaning:
      'bytes of float32 vectors that an index keeps in memory; of a larger one, searches read the few hundred that they score again from its file',
    fallback: String(64 * MIB),
    check: whole(0, 1024 * 1024 * MIB),
  }),
  embedThreads: define({
    variable: 'LOOKALIKE_EMBED_THREADS',
    meaning: 'threads of the encoder',
    // Measured on two cores: 0.8 of the time of one thread for a whole answer, and not more with four clients.
    fallback: '2',
    check: whole(1, 64),
  }),
  embedSpinning: define({
    variable: 'LOOKALIKE_EMBED_SPINNING',
    meaning:
      'whether threads of the encoder that wait turn in a loop instead of sleeping: quicker on cores that nothing else uses',
    fallback: 'false',
    check: flag,
  }),
  embedBatch: define({
    variable: 'LOOKALIKE_EMBED_BATCH',
    meaning: 'pictures of concurrent requests that the encoder takes at once; 1 joins none',
    fallback: '8',
    check: whole(1, 256),
  }),
  embedWaitMs: define({
    variable: 'LOOKALIKE_EMBED_WAIT_MS',
    meaning:
      'milliseconds that a request may wait for others to be embedded with; one that finds the encoder idle never does',
    fallback: '0',
    check: whole(0, 1000),
  }),
  maxBytes: define({
    variable: 'LOOKALIKE_MAX_BYTES',
    meaning: 'bytes of one uploaded picture',
    fallback: String(20 * MIB),
    check: whole(1024, 1024 * MIB),
  }),
  maxPixels: define({
    variable: 'LOOKALIKE_MAX_PIXELS',
    meaning: 'pixels of one picture',
    fallback: '50000000',
    check: whole(1, 268_000_000),
  }),
  maxK: define({
    variable: 'LOOKALIKE_MAX_K',
    meaning: 'neighbours in one answer',
    fallback: '1000',
    check: whole(1, 10_000),
  }),
  concurrency: define({
    variable: 'LOOKALIKE_CONCURRENCY',
    meaning: 'searches that run at once',
    fallback: '4',
    check: whole(1, 256),
  }),
  queueLimit: define({
    variable: 'LOOKALIKE_QUEUE_LIMIT',
    meaning: 'searches that wait; the next one is refused with 503',
    fallback: '64',
    check: whole(0, 10_000),
  }),
  maxModelBytes: define({
    variable: 'LOOKALIKE_MAX_MODEL_BYTES',
    meaning: 'bytes of a model that is sent to the service',
    fallback: String(2048 * MIB),
    check: whole(1024, 64 * 1024 * MIB),
  }),
  importRoots: define({
    variable: 'LOOKALIKE_IMPORT_ROOTS',
    meaning:
      'folders that imports may read on this machine, and all below them, separated by commas; none unless set',
    fallback: '',
    check: list,
  }),
  maxImportBytes: define({
    variable: 'LOOKALIKE_MAX_IMPORT_BYTES',
    meaning:
      'bytes of an archive or a file that is sent to be imported; unpacked, an archive may have four times as many',
    fallback: String(16 * 1024 * MIB),
    check: whole(1024, 1024 * 1024 * MIB),
  }),
  rateLimit: define({
    variable: 'LOOKALIKE_RATE_LIMIT',
    meaning:
      'requests under /v1 a minute of one key, or of one address where there are no keys; 0 sets no limit',
    fallback: '0',
    check: whole(0, 1_000_000),
  }),
  recallSample: define({
    variable: 'LOOKALIKE_RECALL_SAMPLE',
    meaning:
      'share of the graph searches that are asked again of the exact index, once the service is idle, to measure the recall; 0 measures nothing',
    fallback: '0.01',
    check: share,
  }),
  recallTarget: define({
    variable: 'LOOKALIKE_RECALL_TARGET',
    meaning:
      'part of the true neighbours that a graph search is to find; its breadth is tuned to it after each build and corrected by the live recall. Above 0, below 1',
    fallback: '0.99',
    check: betweenZeroAndOne,
  }),
  buildThreads: define({
    variable: 'LOOKALIKE_BUILD_THREADS',
    meaning: 'threads that build a graph; 0 takes all cores. On Linux they yield to searches',
    fallback: '0',
    check: whole(0, 256),
  }),
  precision: define({
    variable: 'LOOKALIKE_PRECISION',
    meaning:
      'how often the label of an answer is to be right; less sure answers abstain. Above 0, below 1; counts from the next rebuild of the index on',
    fallback: '0.95',
    check: betweenZeroAndOne,
  }),
  bodyBudgetBytes: define({
    variable: 'LOOKALIKE_BODY_BUDGET_BYTES',
    meaning: 'bytes of all uploads in memory together',
    fallback: String(256 * MIB),
    check: whole(1024, 64 * 1024 * MIB),
  }),
  requestTimeoutMs: define({
    variable: 'LOOKALIKE_REQUEST_TIMEOUT_MS',
    meaning: 'milliseconds to receive a whole request',
    fallback: '30000',
    check: whole(100, 3_600_000),
  }),
  logLevel: define({
    variable: 'LOOKALIKE_LOG_LEVEL',
    option: '--log-level <level>',
    meaning: 'trace, debug, info, warn, error or silent',
    fallback: 'warn',
    check: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']),
  }),
} as const;

/** What `lookalike tune` may set. */
export const TUNABLE: readonly string[] = [
  SETTINGS.embedThreads.variable,
  SETTINGS.embedSpinning.variable,
  SETTINGS.exactThreads.variable,
];

type Checked = { [K in keyof typeof SETTINGS]: z.output<(typeof SETTINGS)[K]['check']> };
export type Settings = Omit<Checked, 'dataDir'> & {
  dataDir: string; // absolute
  folder: string | null; // pictures to index, absolute; null serves what is there, or the demo
  webRoots: readonly string[];
  openapiPath: string;
  demoBank: string; // folder of the shipped bank
  traces: TraceProtocol | null; // by OpenTelemetry's own variables
};

/** What the command line gave, by setting; anything else comes from `env`. */
export type Overrides = Partial<Record<keyof typeof SETTINGS, string | boolean>>;

/** Checks everything at once. Throws `invalid_setting` under the name that the operator typed. */
export function readSettings(
  overrides: Overrides = {},
  options: { folder?: string | null; env?: NodeJS.ProcessEnv } = {},
): Settings {
  const { folder = null, env = process.env } = options;
  const absolute = folder === null ? null : resolve(folder);
  const given = checked(SETTINGS.dataDir, overrides.dataDir, { env });
  const dataDir = resolve((given as string | undefined) ?? defaultDataDir(absolute, env));
  const tuned = readTuned(dataDir, TUNABLE);
  const read = Object.fromEntries(
    Object.entries(SETTINGS).map(([name, definition]) => [
      name,
      checked(definition as Definition<unknown>, overrides[name as keyof typeof SETTINGS], { env, tuned }),
    ]),
  ) as Checked;
  const settings: Settings = {
    ...read,
    model: resolve(read.model),
    folder: absolute,
    dataDir,
    importRoots: read.importRoots.map((folder) => resolve(folder)),
    webRoots: [join(root, 'dist/web'), join(root, 'web'), join(root, 'client/dist')],
    openapiPath: join(root, 'openapi.yaml'),
    demoBank: join(root, 'index'),
    traces: traceProtocol(env),
  };
  requireKeysAbroad(settings);
  return settings;
}

function checked(
  definition: Definition<unknown>,
  override: string | boolean | undefined,
  { env, tuned = {} }: { env: NodeJS.ProcessEnv; tuned?: Record<string, string> },
) {
  const { variable } = definition;
  const given = override ?? env[variable] ?? tuned[variable] ?? definition.fallback;
  if (given === undefined) return undefined;
  const result = definition.check.safeParse(String(given));
  if (result.success) return result.data;
  const place = env[variable] === undefined && tuned[variable] !== undefined ? `${TUNED_FILE}: ` : '';
  const name =
    override === undefined ? `${place}${variable}` : (definition.option?.split(' ')[0] ?? variable);
  throw new LookalikeError(
    'invalid_setting',
    `${name}=${definition === SETTINGS.apiKeys ? '…' : String(given)}: ${result.error.issues[0]!.message} (${definition.meaning})`,
    { field: name },
  );
}

function requireKeysAbroad({ host, apiKeys, noAuth }: Settings): void {
  const loopback = host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
  if (loopback || apiKeys.length > 0 || noAuth) return;
  throw new LookalikeError(
    'invalid_setting',
    `--host ${host} can be reached from other machines: set LOOKALIKE_API_KEYS, or say --no-auth to answer anybody`,
    { field: '--host' },
  );
}

/** A folder per user, and in it one per picture folder, so that two collections never mix. */
function defaultDataDir(folder: string | null, env: NodeJS.ProcessEnv): string {
  const base = join(env.XDG_DATA_HOME || join(homedir(), '.local', 'share'), 'lookalike');
  if (folder === null) return join(base, 'demo');
  const hash = createHash('sha256').update(folder).digest('hex').slice(0, 8);
  return join(base, `${basename(folder)}-${hash}`);
}
