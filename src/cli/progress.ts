import { Presets, SingleBar } from 'cli-progress';
import type { Job } from '../core/types.js';

/** The running job as a bar on a terminal, as a line every ten seconds elsewhere. On standard error. */
const NAMES: Record<Job['kind'], string> = {
  import: 'importing',
  reindex: 'building the index',
  report: 'making a report',
  snapshot: 'writing a snapshot',
};
const BAR_MS = 200;
const LINE_MS = 10_000;

/** Shows whatever `current` returns until `stop` is called. */
export function showProgress(current: () => Job | null): { stop(): void } {
  const show = process.stderr.isTTY ? barOf() : lineOf();
  const timer = setInterval(() => show(current()), process.stderr.isTTY ? BAR_MS : LINE_MS);
  return {
    stop() {
      clearInterval(timer);
      show(null);
    },
  };
}

type Show = (job: Job | null) => void;

function barOf(): Show {
  let bar: SingleBar | null = null;
  let shown: Job | null = null;
  return (job) => {
    if (shown && shown.id !== job?.id) {
      bar?.update(shown.total ?? shown.done);
      bar?.stop();
      bar = null;
    }
    shown = job;
    if (!job || job.total === null) return;
    if (!bar) {
      const format = `${NAMES[job.kind]} {bar} {percentage} % | {value}/{total} | {rate}/s | {left} left`;
      bar = new SingleBar({ format, stream: process.stderr, hideCursor: true }, Presets.shades_classic);
      bar.start(job.total, job.done, { rate: '-', left: '-' });
    }
    const { rate, left } = pace(job);
    bar.setTotal(job.total);
    bar.update(job.done, { rate: rate.toFixed(0), left: duration(left) });
  };
}

function lineOf(): Show {
  return (job) => {
    if (!job || job.total === null) return;
    const { rate, left } = pace(job);
    console.error(
      `${NAMES[job.kind]}: ${job.done} of ${job.total}, ${rate.toFixed(0)}/s, ${duration(left)} left`,
    );
  };
}

/** Entries a second since the job began, and the seconds that the rest will take. */
function pace(job: Job): { rate: number; left: number } {
  const seconds = Math.max(0.001, (Date.now() - Date.parse(job.started_at ?? job.created_at)) / 1000);
  const rate = job.done / seconds;
  return { rate, left: rate > 0 ? ((job.total ?? 0) - job.done) / rate : Number.NaN };
}

/** Seconds as a person says them. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '-';
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`;
}

/** Stages of a command that works by itself: overwritten on a terminal, a line every ten seconds elsewhere. */
export function showStages(): { show(stage: string, done: number, total: number): void; stop(): void } {
  const tty = process.stderr.isTTY;
  const every = tty ? BAR_MS : LINE_MS;
  let last = performance.now();
  return {
    show(stage, done, total) {
      const now = performance.now();
      if (now - last < every) return;
      last = now;
      process.stderr.write(`${tty ? '\r\u001b[K' : ''}${stage}: ${done} of ${total}${tty ? '' : '\n'}`);
    },
    stop() {
      if (tty) process.stderr.write('\r\u001b[K');
    },
  };
}
