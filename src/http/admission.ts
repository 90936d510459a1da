import type { Request, Response } from 'express';
import { LookalikeError } from '../core/errors.js';
import type { Timed } from '../flow/service.js';
import type { Body, BodyReader } from './bodies.js';
import { contextOf } from './context.js';
import type { RouteParts } from './server.js';

/** How a request with a body is let in, one for all routes that search or embed. */
export interface Admitted<T> {
  reader: BodyReader;
  /** What the body asks for, and how many pictures have to be decoded and embedded for it. */
  /** `milliseconds`: what the search is expected to take beside them. */
  understand(body: Body): { asked: T; pictures: number; milliseconds?: number };
  answer(asked: T, run: { timed: Timed; signal: AbortSignal }): Promise<object>;
}

/** Of a search: about what a picture takes to be decoded and embedded. */
const MS_A_PLACE = 10;

/**
 * Two gates: bytes first, since a body takes memory from its first chunk on; then a place to compute, taken
 * only when the body is here, so that slow senders hold no place. A batch takes a place a picture, and a long search
 * more than one, all of them at most.
 */
export async function admit<T>(
  { gates }: RouteParts,
  { req, res }: { req: Request; res: Response },
  { reader, understand, answer }: Admitted<T>,
): Promise<void> {
  const { signal, watch } = contextOf(res);
  const weight = reader.weigh(req);
  if (gates.search.full)
    throw new LookalikeError('overloaded', 'as many searches as may run and wait are here');
  const leaveUpload = await gates.upload.enter({ weight, signal });
  try {
    const body = await watch.timed('receive', () => reader.read(req, res));
    const { asked, pictures, milliseconds = 0 } = understand(body);
    const work = Math.max(1, pictures, Math.ceil(milliseconds / MS_A_PLACE));
    const places = Math.min(work, gates.search.state.capacity);
    const leaveSearch = await gates.search.enter({ weight: places, signal });
    try {
      res.json(await answer(asked, { timed: watch.timed, signal }));
    } finally {
      leaveSearch();
    }
  } finally {
    leaveUpload();
  }
}
