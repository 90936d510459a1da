import { describe, expect, it } from 'vitest';
import { chooseTrial } from '../../../src/core/tuning.js';
import { refusal } from '../../fixtures/errors.js';

const trial = (name: string, times: number[]) => ({ name, times });
const usual = trial('standard', [10, 10.5, 9.8, 10.2, 10.1]);

describe('chooseTrial', () => {
  it('takes the fastest one', () => {
    const trials = [
      trial('slower', [12, 12, 12, 12, 12]),
      usual,
      trial('fast', [7, 7, 7, 7, 7]),
      trial('faster', [5, 5, 5, 5, 5]),
    ];
    const { best, gain } = chooseTrial(trials, 1);
    expect(trials[best]!.name).toBe('faster');
    expect(gain).toBeCloseTo(2.02, 2);
  });

  it('stays with the standard for a gain that is small, or not there in most rounds', () => {
    const small = usual.times.map((time) => time / 1.03);
    expect(chooseTrial([usual, trial('small', small)], 0)).toEqual({ best: 0, gain: 1 });
    // Twice as fast in three rounds of five, and slower in the others.
    expect(chooseTrial([usual, trial('unsteady', [5, 5, 5, 20, 20])], 0)).toEqual({ best: 0, gain: 1 });
  });

  it('is measured against the same round, so that what slows all down does no harm', () => {
    const drifting = trial('standard', [10, 11, 12, 12.5, 12.8]);
    const half = trial(
      'half',
      drifting.times.map((time) => time / 2),
    );
    expect(chooseTrial([drifting, half], 0)).toMatchObject({ best: 1, gain: 2 });
  });

  it('refuses to tell anything from times that vary too much', async () => {
    const noisy = trial('standard', [10, 30, 11, 29, 50]);
    const { message } = await refusal('overloaded', () => chooseTrial([noisy, usual], 0));
    expect(message).toMatch(/too busy.*11\.0 ms.*30\.0 ms/);
    await refusal('overloaded', () => chooseTrial([trial('standard', [Number.NaN, Number.NaN])], 0));
  });
});
