import { readdirSync, readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Gauge, type Registry } from 'prom-client';

/**
 * What the process itself says: memory, start time, what its threads compute, and how late the main thread runs.
 * prom-client's own defaults are not used: some of their names do not pass `promtool check metrics`.
 */
export function watchProcess(registry: Registry, threadNames: ThreadNames): void {
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
  watchThreads(registry, threadNames);
  watchEventLoop(gauge);
}

/** What threads do, by the kernel's number of them. */
export type ThreadNames = () => ReadonlyMap<number, string>;

/** A gauge and no counter: a thread that ends takes its time along. Without /proc there is no series. */
function watchThreads(registry: Registry, threadNames: ThreadNames): void {
  new Gauge({
    name: 'lookalike_thread_cpu_seconds',
    help: 'CPU time of the threads that run now: main, one series for each kind of worker, libvips, and others (the pools of Node, V8 and onnxruntime).',
    labelNames: ['thread'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [thread, seconds] of threadTimes(threadNames())) this.set({ thread }, seconds);
    },
  });
}

const TASKS = '/proc/self/task';
const TICKS = 100; // a second, in /proc, on every architecture (proc_pid_stat(5), USER_HZ)

function threadTimes(names: ReadonlyMap<number, string>): Map<string, number> {
  const times = new Map<string, number>();
  for (const task of listed(TASKS)) {
    const found = timeOf(task);
    if (!found) continue; // it ended meanwhile
    const known = Number(task) === process.pid ? 'main' : names.get(Number(task));
    const name = known ?? (found.command.startsWith('libvips') ? 'libvips' : 'others');
    times.set(name, (times.get(name) ?? 0) + found.seconds);
  }
  return times;
}

function listed(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** `number (command) state …`: user and system time are the 14th and 15th word; the command may hold blanks. */
function timeOf(task: string): { command: string; seconds: number } | null {
  try {
    const text = readFileSync(`${TASKS}/${task}/stat`, 'utf8');
    const end = text.lastIndexOf(')');
    const words = text.slice(end + 2).split(' ');
    return {
      command: text.slice(text.indexOf('(') + 1, end),
      seconds: (Number(words[11]) + Number(words[12])) / TICKS,
    };
  } catch {
    return null;
  }
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
