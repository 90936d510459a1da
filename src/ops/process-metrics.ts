import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Gauge, type Registry } from 'prom-client';

/**
 * What the process itself says: memory, start time, and how late the main thread runs.
 * prom-client's own defaults are not used: some of their names do not pass `promtool check metrics`.
 */
export function watchProcess(registry: Registry): void {
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });

  gauge('process_resident_memory_bytes', 'Resident memory of the process.', () => process.memoryUsage.rss());
  gauge('process_start_time_seconds', 'Start of the process, seconds since the epoch.', () =>
    Math.round(performance.timeOrigin / 1000),
  );
  watchEventLoop(gauge);
}

/** Samples every 10 ms; the figures are since the scrape before. The timer does not keep the process alive. */
function watchEventLoop(gauge: (name: string, help: string, read: () => number) => Gauge): void {
  const delay = monitorEventLoopDelay({ resolution: 10 });
  delay.enable();
  const seconds = (nanoseconds: number) => (Number.isFinite(nanoseconds) ? nanoseconds / 1e9 : 0);
  gauge(
    'lookalike_event_loop_delay_p50_seconds',
    'Median delay of the main thread since the last scrape.',
    () => seconds(delay.percentile(50)),
  );
  gauge('lookalike_event_loop_delay_p99_seconds', '99th percentile of the same.', () =>
    seconds(delay.percentile(99)),
  );
  gauge('lookalike_event_loop_delay_max_seconds', 'Longest delay of the same.', () => {
    const longest = seconds(delay.max); // read last: metrics are collected in the order of their making
    delay.reset();
    return longest;
  });
}
