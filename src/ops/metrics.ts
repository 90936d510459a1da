import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Gate } from '../core/gate.js';
import type { Service, Stage } from '../flow/service.js';
import { watchProcess } from './process-metrics.js';
import { watchService } from './service-metrics.js';

/**
 * Every metric of the service, in its own registry (two services in one process stay apart).
 * What happens is counted here as it happens; what is (rows, jobs, queues) is read at the scrape.
 */
export interface Metrics {
  /** A request has been answered. `route` is the pattern, never the path: paths are without number. */
  requestDone(request: { route: string; method: string; status: number; seconds: number }): void;
  requestStarted(): void;
  stageDone(stage: Stage, seconds: number): void;
  /** A request was refused, by error code. */
  refused(reason: string): void;
  /** A worker died and was started again. */
  workerRestarted(worker: string): void;
  /** Names what is read at each scrape. */
  watch(watched: Watched): void;
  /** The exposition text and its content type. */
  scrape(): Promise<{ contentType: string; text: string }>;
}

export interface Watched {
  service: Service;
  gates: Record<string, Gate>;
}

/** Seconds. Fine around 20 ms, the time that an exhaustive query took in the paper. */
export const BUCKETS = [0.001, 0.002, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.25, 1];

/** Makes the metrics; nothing is registered globally and nothing needs closing. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const { requests, durations, stages, inFlight, refusals, restarts } = instruments([registry]);
  watchProcess(registry);

  return {
    requestStarted: () => inFlight.inc(),
    requestDone({ route, method, status, seconds }) {
      inFlight.dec();
      requests.inc({ route, method, status: `${Math.floor(status / 100)}xx` });
      durations.observe({ route }, seconds);
    },
    stageDone: (stage, seconds) => stages.observe({ stage }, seconds),
    refused: (reason) => refusals.inc({ reason }),
    workerRestarted: (worker) => restarts.inc({ worker }),
    watch: (watched) => watchService(registry, watched),
    scrape: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  };
}

/** Everything that is counted as it happens. */
function instruments(registers: Registry[]) {
  return {
    requests: new Counter({
      name: 'lookalike_http_requests_total',
      help: 'Requests answered, by route pattern, method and class of status.',
      labelNames: ['route', 'method', 'status'],
      registers,
    }),
    durations: new Histogram({
      name: 'lookalike_http_request_duration_seconds',
      help: 'Time from the first line of a request to the end of its answer, by route pattern.',
      labelNames: ['route'],
      buckets: BUCKETS,
      registers,
    }),
    stages: new Histogram({
      name: 'lookalike_stage_duration_seconds',
      help: 'Time of one stage of a search: receive, decode, embed, search, vote.',
      labelNames: ['stage'],
      buckets: BUCKETS,
      registers,
    }),
    inFlight: new Gauge({
      name: 'lookalike_http_requests_in_flight',
      help: 'Requests being answered now.',
      registers,
    }),
    refusals: new Counter({
      name: 'lookalike_refusals_total',
      help: 'Requests refused, by error code.',
      labelNames: ['reason'],
      registers,
    }),
    restarts: new Counter({
      name: 'lookalike_worker_restarts_total',
      help: 'Worker threads that died and were started again.',
      labelNames: ['worker'],
      registers,
    }),
  };
}
