import type { Request, RequestHandler, Response } from 'express';
import { LookalikeError } from '../core/errors.js';
import type { JobAnswer } from '../flow/service.js';
import { contextOf } from './context.js';
import { noParameters } from './parameters.js';
import type { RouteParts } from './server.js';

/**
 * `GET /v1/jobs/{id}/events`: the job as server-sent events (WHATWG HTML, section 9.2). Each event is the whole job, its
 * `id:` the version of the job; who comes back with `Last-Event-ID` gets the present state when that is newer, and 204,
 * which ends the coming back, when the job is over and nothing is.
 */
export function jobEvents({ service, gates }: RouteParts): RequestHandler {
  return async (req, res) => {
    noParameters(req);
    const seen = lastSeen(req);
    const leave = await gates.events.enter({ signal: contextOf(res).signal });
    let news: News | null = null;
    const take = () => {
      const latest = news;
      news = null;
      return latest;
    };
    try {
      const { job, version, stop } = service.watchJob(String(req.params.id), (changed, version) => {
        news = { job: changed, version };
      });
      if (version > seen) news = { job, version };
      if (isOver(job) && news === null) return void res.status(204).end();
      await stream(req, res, take).finally(stop);
    } finally {
      leave();
    }
  };
}

interface News {
  job: JobAnswer;
  version: number;
}

/** At most this many milliseconds pass between a change and its event, and at least between two events. */
const TICK_MS = 250;
/** A comment keeps proxies from closing a silent connection. */
const HEARTBEAT_TICKS = 60;

/** Writes the latest news at each tick until the job is over, the caller leaves or the server stops. */
async function stream(req: Request, res: Response, take: () => News | null): Promise<void> {
  res.set({ 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' }).type('text/event-stream');
  res.flushHeaders();
  if (req.method === 'HEAD') return void res.end();
  const stopping = res.app.locals.stopping as AbortSignal | undefined;
  const ends = [contextOf(res).signal, ...(stopping ? [stopping] : [])];
  await new Promise<void>((resolve) => {
    let ticks = 0;
    const tick = () => {
      // A caller that does not read gets the latest state when it does, and not all that were between.
      const news = res.writableNeedDrain ? null : take();
      if (news) res.write(`id: ${news.version}\nevent: job\ndata: ${JSON.stringify(news.job)}\n\n`);
      else if (++ticks % HEARTBEAT_TICKS === 0) res.write(': still here\n\n');
      if (news && isOver(news.job)) end();
    };
    const timer = setInterval(tick, TICK_MS);
    const end = () => {
      clearInterval(timer);
      for (const signal of ends) signal.removeEventListener('abort', end);
      resolve();
    };
    for (const signal of ends) signal.addEventListener('abort', end);
    if (ends.some(({ aborted }) => aborted)) end();
    else tick();
  });
  res.end();
}

const isOver = ({ finished_at }: JobAnswer): boolean => finished_at !== null;

/** The version that the caller has seen; -1 when none. */
function lastSeen(req: Request): number {
  const text = req.get('last-event-id');
  if (text === undefined || text === '') return -1;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new LookalikeError(
    'invalid_parameter',
    `Last-Event-ID is the id of an event, a whole number, got ${JSON.stringify(text.slice(0, 60))}`,
    { field: 'Last-Event-ID' },
  );
}
