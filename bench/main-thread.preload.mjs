// Loaded into the service (`node --import`): how long its main thread keeps a timer waiting, and whether it worked or waited for a core
// meanwhile. Linux alone: the kernel tells the time on and in front of a core by thread. SIGUSR2 begins anew; what was found
// since goes to the file MAIN_THREAD_REPORT as a line of JSON, milliseconds.
import { appendFileSync, openSync, readSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

const STEP = 2; // milliseconds

if (isMainThread && process.env.MAIN_THREAD_REPORT) {
  const file = openSync(`/proc/${process.pid}/task/${process.pid}/schedstat`);
  const page = Buffer.alloc(64);
  const look = () => {
    const [worked, waited] = page.toString('latin1', 0, readSync(file, page, 0, 64, 0)).split(' ');
    return { at: performance.now(), worked: Number(worked) / 1e6, waited: Number(waited) / 1e6 };
  };
  const nothing = { late: 0, worked: 0, waited: 0 };
  let [last, latest, busiest] = [look(), nothing, nothing];
  setInterval(() => {
    const now = look();
    const between = {
      late: now.at - last.at - STEP,
      worked: now.worked - last.worked,
      waited: now.waited - last.waited,
    };
    if (between.late > latest.late) latest = between;
    if (between.worked > busiest.worked) busiest = between;
    last = now;
  }, STEP).unref();
  process.on('SIGUSR2', () => {
    appendFileSync(process.env.MAIN_THREAD_REPORT, `${JSON.stringify({ latest, busiest })}\n`);
    [latest, busiest] = [nothing, nothing];
  });
}
