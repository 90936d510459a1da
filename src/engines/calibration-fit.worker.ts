import type { CalibrationRecord } from '../core/calibrate.js';
import { type FitOptions, fitCalibration, type VotedRow } from '../core/fit-calibration.js';
import { serveCalls } from './worker-call.js';

/** The thread of `startCalibrationFit`: takes rows as they come, and fits them all when it is asked to. */
export type FitRequest = { rows: readonly VotedRow[] } | { options: FitOptions };

await serveCalls<undefined, FitRequest, CalibrationRecord | undefined>(async () => {
  const all: VotedRow[] = [];
  return (request) => {
    if ('options' in request) return { value: fitCalibration(all, request.options) };
    for (const row of request.rows) all.push(row);
    return { value: undefined };
  };
});
