import type { EncoderRun, SessionThreads } from './onnx-session.js';
import { allowedProcessors, currentProcessor } from './processors.js';

/**
 * Runs of the encoder whose helping threads are on other processors than the thread that runs it. In a virtual machine
 * the kernel was seen to leave a woken thread on the processor of the one that woke it, beside an idle one, probably because
 * an idle processor that the host has taken back counts as busy (`vcpu_is_preempted` in `available_idle_cpu` of Linux). Both
 * then share one for some milliseconds, longer than a run. So there are two sessions, the helpers of each in one half of the processors, and a
 * run takes the one in whose half it is not (decision 25).
 */
export interface RunsOptions extends Omit<SessionThreads, 'helpersOn'> {
  open: (threads: SessionThreads) => Promise<EncoderRun>;
  processors?: readonly number[]; // that may be used
  current?: () => number | null;
}

/**
 * Resolves to what gives the run for this moment, on this thread; rejects with what `open` does. Where halves are too small
 * for the helpers, or where nobody knows the processors, there is one session. The second of two is opened after it was
 * first wanted; when that fails, the first goes on alone.
 */
export async function openRuns({
  open,
  processors = allowedProcessors(),
  current = currentProcessor,
  ...threads
}: RunsOptions): Promise<() => EncoderRun> {
  const half = Math.floor(processors.length / 2);
  const helpers = threads.intraOpThreads - 1;
  if (threads.spinning || helpers === 0 || helpers > half) {
    const only = await open(threads);
    return () => only;
  }
  const [lower, upper] = [processors.slice(0, half), processors.slice(half)];
  const usual = await open({ ...threads, helpersOn: upper });
  let other: EncoderRun | undefined;
  let wanted = false;
  return () => {
    const here = current();
    if (here === null || !upper.includes(here)) return usual;
    if (!wanted) {
      wanted = true;
      open({ ...threads, helpersOn: lower }).then(
        (run) => {
          other = run;
        },
        () => undefined,
      );
    }
    return other ?? usual;
  };
}
