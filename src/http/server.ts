import express, { type Express } from 'express';
import helmet from 'helmet';
import { LookalikeError } from '../core/errors.js';
import { createGate, type Gate } from '../core/gate.js';
import type { AnswerStore } from '../core/ports.js';
import type { Service } from '../flow/service.js';
import type { Logger } from '../ops/logger.js';
import type { Metrics } from '../ops/metrics.js';
import type { Tracing } from '../ops/tracing.js';
import { checkHost, requireKey } from './access.js';
import { collectionRoutes } from './collections.js';
import { openContext } from './context.js';
import { docsRoutes } from './docs.js';
import { embeddingRoutes } from './embeddings.js';
import { createIdempotency, type Idempotency } from './idempotency.js';
import { imageRoutes } from './images.js';
import { importRoutes } from './imports.js';
import { infoRoutes } from './info.js';
import { jobRoutes } from './jobs.js';
import { metricsRoutes } from './metrics.js';
import { modelRoutes } from './models.js';
import { pageFiles } from './page.js';
import { probeRoutes } from './probes.js';
import { problemHandler, unknownRoute } from './problem.js';
import { limitRate } from './rate-limit.js';
import { reindexRoutes } from './reindex.js';
import { reportRoutes } from './reports.js';
import { searchRoutes } from './search.js';
import { SECURITY_HEADERS } from './security-headers.js';
import { snapshotRoutes } from './snapshots.js';
import { thumbnailRoutes } from './thumbnail.js';
import { BODY_OVERHEAD } from './upload.js';

/** The HTTP door: only this folder knows express and multer. The order of the lines below is the order of the checks. */
export interface ServerParts {
  service: Service;
  answers: AnswerStore; // to requests with an idempotency key
  settings: HttpSettings;
  metrics: Metrics;
  logger: Logger;
  tracing: Tracing | null; // null: no traces are wanted
}

/** Everything that may be decided about the door. All of it comes from `settings.ts`; nothing has a default here. */
export interface HttpSettings {
  apiKeys: readonly string[]; // empty: no key is asked for, and only our own host names are answered
  noAuth: boolean; // without keys, answer under every host name
  allowedHosts: readonly string[]; // without keys, host names answered besides localhost, 127.0.0.1 and [::1]
  maxBytes: number; // of one picture's file
  maxK: number; // neighbours in one answer
  maxModelBytes: number; // of a model that is sent
  maxImportBytes: number; // of an archive or a file that is sent to be imported
  rateLimit: number; // requests a minute of one caller; 0 sets no limit
  concurrency: number; // searches that run at once, and writes
  queueLimit: number; // of each that may wait
  bodyBudgetBytes: number; // of all uploads that are being read or searched; at least maxBytes + 64 KiB
  webRoots: readonly string[]; // folders with the page's files (page.ts), searched in order
  openapiPath: string; // the contract, served and rendered
  requestTimeoutMs: number; // to receive a whole request
}

/** What the routes get: the parts, and the gates that bound their work. */
export interface RouteParts extends ServerParts {
  gates: { search: Gate; write: Gate; thumbnail: Gate; upload: Gate; import: Gate; events: Gate };
  idempotency: Idempotency;
}

/** Thumbnails come in grids: many may wait for their turn. */
const WAITING_THUMBNAILS = 256;
/** Imports that are received at once, each onto the disk; the next is refused. */
const IMPORTS = 4;
/** Event streams stay open: so many may listen, the next is refused. */
const LISTENERS = 64;

function openGates(settings: HttpSettings): RouteParts['gates'] {
  const { concurrency, queueLimit, bodyBudgetBytes } = settings;
  return {
    search: createGate({ name: 'search', capacity: concurrency, waiting: queueLimit }),
    write: createGate({ name: 'write', capacity: concurrency, waiting: queueLimit }),
    thumbnail: createGate({ name: 'thumbnail', capacity: concurrency, waiting: WAITING_THUMBNAILS }),
    upload: createGate({ name: 'upload', capacity: bodyBudgetBytes, waiting: queueLimit }),
    import: createGate({ name: 'import', capacity: IMPORTS, waiting: 0 }),
    events: createGate({ name: 'events', capacity: LISTENERS, waiting: 0 }),
  };
}

/**
 * The Express application. It owns nothing that needs closing; `listen` puts it behind a port.
 * Throws `invalid_setting` when the byte budget is smaller than one upload.
 */
export function createServer(parts: ServerParts): Express {
  const { settings, metrics, service } = parts;
  const gates = openGates(settings);
  const routes: RouteParts = { ...parts, gates, idempotency: createIdempotency(parts.answers) };
  requireRoomForOne(settings);
  metrics.watch({ service, gates });

  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false); // the routes that can be cached say so themselves
  app.set('query parser', false); // parameters.ts reads the query itself
  app.use(openContext(parts));
  app.use(helmet(SECURITY_HEADERS));
  app.use(checkHost(settings));
  app.use(['/v1', '/metrics'], requireKey(settings.apiKeys)); // before any body is read
  app.use('/v1', limitRate(settings));
  searchRoutes(app, routes);
  embeddingRoutes(app, routes);
  infoRoutes(app, routes);
  imageRoutes(app, routes);
  thumbnailRoutes(app, routes);
  collectionRoutes(app, routes);
  reindexRoutes(app, routes);
  jobRoutes(app, routes);
  importRoutes(app, routes);
  modelRoutes(app, routes);
  reportRoutes(app, routes);
  snapshotRoutes(app, routes);
  probeRoutes(app, routes);
  metricsRoutes(app, routes);
  docsRoutes(app, routes);
  app.use(pageFiles(settings.webRoots));
  app.use(unknownRoute);
  app.use(problemHandler(routes));
  return app;
}

/** With less room every upload would be refused as overload, so this is said at the start. */
function requireRoomForOne({ maxBytes, bodyBudgetBytes }: HttpSettings): void {
  if (bodyBudgetBytes >= maxBytes + BODY_OVERHEAD) return;
  throw new LookalikeError(
    'invalid_setting',
    `the budget for uploads is ${bodyBudgetBytes} bytes, it must hold one upload: at least ${maxBytes + BODY_OVERHEAD}`,
  );
}
