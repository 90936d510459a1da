import { type App, createApp } from './app.js';
import { showProgress } from './cli/progress.js';
import { describeJobs } from './cli/report.js';
import { LookalikeError } from './core/errors.js';
import type { Job } from './core/types.js';
import { listen } from './http/listen.js';
import type { Settings } from './settings.js';

/** Door 1: settings -> app -> listen -> stop on a signal. */

/** How long running answers may take to finish once a signal came. */
const GRACE_MS = 5000;

/** Serves until a signal comes. Rejects when the start fails. */
export async function serve(settings: Settings): Promise<void> {
  console.error(`data: ${settings.dataDir}`);
  console.error(`model: ${settings.model}`);
  const app = await createApp(settings);
  const door = await listen(app.http, settings).catch((error) => abandon(app, error));
  let stopping = false;
  const stopped = nextSignal().then(async (signal) => {
    stopping = true;
    console.error(`\n${signal}: stopping`);
    // Everything that was answered is on disk already: what does not end by then may be cut off.
    setTimeout(() => process.exit(1), 2 * GRACE_MS).unref();
    await door.stop(GRACE_MS);
    await app.close();
  });
  console.error(`listening on ${door.url} …`);
  try {
    await bringUpWithProgress(app);
  } catch (error) {
    await door.stop(0);
    return abandon(app, error);
  }
  if (!stopping) {
    const { rows, labels } = app.service.info().bank;
    console.error(`${rows} pictures, ${labels} labels`);
    console.log(`ready: ${door.url}`);
  }
  await stopped;
}

/** Shows the jobs of the start; throws when the collection could not be brought up and is empty. */
export async function bringUpWithProgress(app: App): Promise<Job[]> {
  const progress = showProgress(app.currentJob);
  const jobs = await app.startup.finally(progress.stop);
  const failed = jobs.find(({ state }) => state === 'failed');
  if (failed && app.service.info().bank.rows === 0)
    throw new LookalikeError('nothing_to_index', failed.error ?? 'the import failed');
  for (const line of describeJobs(jobs)) console.error(line);
  return jobs;
}

async function abandon(app: App, error: unknown): Promise<never> {
  await app.close();
  throw error;
}

const nextSignal = () =>
  new Promise<string>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(signal));
  });
