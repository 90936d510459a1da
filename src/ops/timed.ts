import { STAGES, type Stage, type Timed } from '../flow/service.js';
import type { StageRun } from './tracing.js';

/**
 * The stopwatch of one request: the wrapper around every stage of a flow. Steps neither log nor count;
 * this does both for them, once: it feeds the stage histogram and collects the `Server-Timing` header.
 */
export interface Stopwatch {
  readonly timed: Timed;
  /** Milliseconds since the start. */
  total(): number;
  /** Milliseconds by stage, of the stages that have run, in their order; a stage that ran twice is summed. */
  stages(): Partial<Record<Stage, number>>;
  /** The value of a `Server-Timing` header: the stages so far, then the total. */
  header(): string;
}

/** Starts a stopwatch. `observe` is called at the end of each stage, also of one that threw. */
export function startStopwatch(observe: (stage: Stage, ran: StageRun) => void = () => {}): Stopwatch {
  const started = performance.now();
  const spent: Partial<Record<Stage, number>> = {};
  const total = () => performance.now() - started;

  const timed: Timed = async (stage, step) => {
    const before = performance.now();
    let failed = true;
    try {
      const result = await step();
      failed = false;
      return result;
    } finally {
      const after = performance.now();
      spent[stage] = (spent[stage] ?? 0) + after - before;
      const { timeOrigin } = performance;
      observe(stage, { started: timeOrigin + before, ended: timeOrigin + after, failed });
    }
  };

  const stages = () => {
    const ran = STAGES.filter((stage) => spent[stage] !== undefined);
    return Object.fromEntries(ran.map((stage) => [stage, round(spent[stage]!)]));
  };
  const header = () =>
    Object.entries({ ...stages(), total: round(total()) })
      .map(([name, milliseconds]) => `${name};dur=${milliseconds}`)
      .join(', ');

  return { timed, total, stages, header };
}

/** Hundredths of a millisecond say enough. */
const round = (milliseconds: number): number => Math.round(milliseconds * 100) / 100;
