import { Gauge, type Registry } from 'prom-client';
import type { Job } from '../core/types.js';
import type { Info } from '../flow/service.js';
import type { Watched } from './metrics.js';

/** The metrics that are read from the service and its gates at each scrape. */
export function watchService(registry: Registry, { service, gates }: Watched): void {
  const registers = [registry];
  // One gauge by label reads all its series at once: stale ones must go.
  const labelled = (name: string, help: string, labelNames: string[], read: () => Series[]) =>
    new Gauge({
      name,
      help,
      labelNames,
      registers,
      collect() {
        this.reset();
        for (const { labels, value } of read()) this.set(labels, value);
      },
    });
  const infos = () => service.collections().map(({ name }) => [name, service.info(name)] as const);
  // A series a collection; absent while it is not known: no number would be true.
  const ofCollections = (name: string, help: string, read: (info: Info) => number | null) =>
    labelled(name, help, ['collection'], () =>
      infos().flatMap(([collection, info]) => {
        const value = read(info);
        return value === null ? [] : [{ labels: { collection }, value }];
      }),
    );

  ofCollections('lookalike_bank_rows', 'Pictures in the collection.', (info) => info.bank.rows);
  ofCollections('lookalike_index_rows', 'Rows in the index generation in use.', (info) => info.index.rows);
  ofCollections(
    'lookalike_index_fresh_rows',
    'Rows newer than the generation.',
    (info) => info.index.fresh_rows,
  );
  ofCollections(
    'lookalike_index_removed_rows',
    'Rows of the generation removed since.',
    (info) => info.index.removed_rows,
  );
  ofCollections(
    'lookalike_index_generation',
    'Number of the generation, 0 before the first.',
    (info) => info.index.generation,
  );
  ofCollections('lookalike_index_graph_ready', '1 when the graph answers.', (info) =>
    Number(info.index.graph_ready),
  );
  ofCollections(
    'lookalike_index_age_seconds',
    'Age of the generation in use, 0 before the first.',
    ageOfIndex,
  );
  ofCollections(
    'lookalike_index_recall_ratio',
    'Part of the true neighbours that the graph finds, absent before the first sample.',
    (info) => info.index.recall.ratio,
  );
  ofCollections(
    'lookalike_index_recall_samples',
    'Searches that the recall is the mean of, at most 200.',
    (info) => info.index.recall.samples,
  );
  labelled('lookalike_ready', '1 when the service says that it is ready.', [], () => [
    { labels: {}, value: Number(service.readiness().ready) },
  ]);

  labelled('lookalike_gate_running', 'Entries inside a gate.', ['gate'], () =>
    Object.entries(gates).map(([gate, { state }]) => ({ labels: { gate }, value: state.running })),
  );
  labelled('lookalike_queue_depth', 'Requests that wait before a gate.', ['gate'], () =>
    Object.entries(gates).map(([gate, { state }]) => ({ labels: { gate }, value: state.waiting })),
  );
  labelled('lookalike_jobs', 'Known jobs, by kind and state.', ['kind', 'state'], () =>
    countJobs(service.jobs(KNOWN_JOBS)),
  );
  labelled('lookalike_job_progress_ratio', 'Done part of the running jobs, 0 to 1.', ['kind'], () =>
    service.jobs(KNOWN_JOBS).filter(isRunning).map(progressOf),
  );
  labelled(
    'lookalike_model_info',
    'The model of a collection; the value is 1.',
    ['collection', 'name', 'sha256', 'dimension'],
    () =>
      infos().map(
        ([
          collection,
          {
            model: { name, sha256, dimension },
          },
        ]) => {
          return { labels: { collection, name, sha256, dimension: String(dimension) }, value: 1 };
        },
      ),
  );
  labelled('lookalike_build_info', 'The running version; the value is 1.', ['version', 'node'], () => [
    { labels: { version: service.info().version, node: process.versions.node }, value: 1 },
  ]);
}

interface Series {
  labels: Record<string, string>;
  value: number;
}

/** Jobs that a scrape looks at, newest first. */
const KNOWN_JOBS = 1000;

function ageOfIndex({ index }: Info): number {
  return index.created_at === null ? 0 : Math.max(0, (Date.now() - Date.parse(index.created_at)) / 1000);
}

function countJobs(jobs: readonly Job[]): Series[] {
  const counts = new Map<string, Series>();
  for (const { kind, state } of jobs) {
    const series = counts.get(`${kind} ${state}`) ?? { labels: { kind, state }, value: 0 };
    series.value += 1;
    counts.set(`${kind} ${state}`, series);
  }
  return [...counts.values()];
}

const isRunning = (job: Job): boolean => job.state === 'running';

function progressOf({ kind, done, total }: Job): Series {
  return { labels: { kind }, value: total ? done / total : 0 };
}
