import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Gate } from '../core/gate.js';
import { JOB_KINDS, type Job } from '../core/types.js';
import type { Service, Stage } from '../flow/service.js';
import { type ThreadNames, watchProcess } from './process-metrics.js';
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
  /** A vote ended; `confidence` is the probability of its best label, null when there is none: no label in reach, or no calibration. */
  voteDone(vote: { confidence: number | null; abstained: boolean }): void;
  /** A job ended, however it ended. */
  jobFinished(job: Pick<Job, 'kind' | 'state'>): void;
  /** A worker died and was started again. */
  workerRestarted(worker: WorkerName): void;
  /** Names what is read at each scrape. */
  watch(watched: Watched): void;
  /** The exposition text and its content type. */
  scrape(): Promise<{ contentType: string; text: string }>;
}

export interface Watched {
  service: Service;
  gates: Record<string, Gate>;
}

export const WORKERS = ['embedder', 'index'] as const;
export type WorkerName = (typeof WORKERS)[number];

/** Seconds. Fine around 20 ms, the time that an exhaustive query took in the paper. */
export const BUCKETS = [0.001, 0.002, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.25, 1];

/** Probabilities. Fine near 1, where a threshold for abstaining lies. */
const CONFIDENCES = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1];

/** Makes the metrics; nothing is registered globally and nothing needs closing. Workers are counted by what `threadNames` calls them. */
export function createMetrics(threadNames: ThreadNames = () => new Map()): Metrics {
  const registry = new Registry();
  const { requests, durations, stages, inFlight, refusals, ...rare } = instruments([registry]);
  const { restarts, jobs, confidences, abstentions } = rare;
  startAtZero(rare);
  watchProcess(registry, threadNames);

  return {
    requestStarted: () => inFlight.inc(),
    requestDone({ route, method, status, seconds }) {
      inFlight.dec();
      requests.inc({ route, method, status: `${Math.floor(status / 100)}xx` });
      durations.observe({ route }, seconds);
    },
    stageDone: (stage, seconds) => stages.observe({ stage }, seconds),
    refused: (reason) => refusals.inc({ reason }),
    voteDone({ confidence, abstained }) {
      if (confidence !== null) confidences.observe(confidence);
      if (abstained) abstentions.inc();
    },
    jobFinished: ({ kind, state }) => jobs.inc({ kind, outcome: state }),
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
    confidences: new Histogram({
      name: 'lookalike_vote_confidence',
      help: 'Probability of the best label of a vote, 0 to 1.',
      buckets: CONFIDENCES,
      registers,
    }),
    abstentions: new Counter({
      name: 'lookalike_abstentions_total',
      help: 'Votes that were too unsure to name a label.',
      registers,
    }),
    jobs: new Counter({
      name: 'lookalike_jobs_finished_total',
      help: 'Jobs that ended, by kind and outcome.',
      labelNames: ['kind', 'outcome'],
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

const OUTCOMES = ['succeeded', 'failed', 'cancelled'] as const satisfies readonly Job['state'][];

/** What is rare must be seen to grow from 0: a series that begins with 1 has not grown, for Prometheus. */
function startAtZero({ jobs, restarts }: Pick<ReturnType<typeof instruments>, 'jobs' | 'restarts'>): void {
  for (const kind of JOB_KINDS) for (const outcome of OUTCOMES) jobs.inc({ kind, outcome }, 0);
  for (const worker of WORKERS) restarts.inc({ worker }, 0);
}
