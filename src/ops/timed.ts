import { STAGES, type Stage, type Timed } from '../flow/service.js';

/**
 * The stopwatch of one request: the wrapper around every stage of a flow. Steps neither log nor count;
 * this does both for them, once: it feeds the stage histogram and collects the `Server-Timing` header.
 */
export interface Stopwatch {
  readonly timed: Timed;
  /** Milliseconds since the start. */
  total(): number;
  /** Milliseconds by stage, of the stages that have run; a stage that ran twice is summed. */
  stages(): Partial<Record<Stage, number>>;
  /** The value of a `Server-Timing` header: the stages so far, then the total. */
  header(): string;
}

/** Starts a stopwatch. `observe` is called at the end of each stage, also of one that threw, with seconds. */
export function startStopwatch(observe: (stage: Stage, seconds: number) => void = () => {}): Stopwatch {
  const started = performance.now();
  const spent: Partial<Record<Stage, number>> = {};
  const total = () => performance.now() - started;

  const timed: Timed = async (stage, step) => {
    const before = performance.now();
    try {
      return await step();
    } finally {
      const took = performance.now() - before;
      spent[stage] = (spent[stage] ?? 0) + took;
      observe(stage, took / 1000);
    }
  };

  const header = () =>
    [...STAGES.filter((stage) => spent[stage] !== undefined).map((stage) => entry(stage, spent[stage]!))]
      .concat(entry('total', total()))
      .join(', ');

  return { timed, total, stages: () => ({ ...spent }), header };
}

const entry = (name: string, milliseconds: number): string => `${name};dur=${milliseconds.toFixed(2)}`;
