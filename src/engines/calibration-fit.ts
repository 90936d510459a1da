import type { CalibrationRecord } from '../core/calibrate.js';
import type { CalibrationFit } from '../core/ports.js';
import type { FitRequest } from './calibration-fit.worker.js';
import { WorkerThread } from './worker-call.js';

/** Fits in a thread of its own: with hundreds of labels it takes seconds, which requests would have to wait for. */
export async function startCalibrationFit(): Promise<CalibrationFit> {
  const thread = await WorkerThread.start<FitRequest, CalibrationRecord | undefined>(
    'calibration-fit.worker',
    { data: undefined, what: 'calibration' },
  );
  return {
    add: async (rows) => void (await thread.call({ rows })),
    finish: async (options) => (await thread.call({ options }))!,
    close: () => thread.close(),
  };
}
