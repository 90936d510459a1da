import { expect, it } from 'vitest';
import { createPace, paceOfEnded } from '../../../src/core/pace.js';
import { newJob } from '../../fixtures/items.js';

const job = (done: number, total: number | null = 1000) => newJob('x', { state: 'running', done, total });

it('knows nothing before something was done, and no end without a total', () => {
  const pace = createPace();
  expect(pace.read(job(0), 5000)).toEqual({ rate: null, seconds_left: null });
  pace.note(0, 1000);
  expect(pace.read(job(0), 1100)).toEqual({ rate: null, seconds_left: null });
  expect(pace.read(job(0), 2000)).toEqual({ rate: 0, seconds_left: null });
  expect(pace.read(job(50, null), 6000)).toEqual({ rate: 10, seconds_left: null });
  expect(pace.read(job(50), 6000)).toEqual({ rate: 10, seconds_left: 95 });
  expect(pace.read(job(1000), 6000).seconds_left).toBeNull();
});

it('forgets how fast it passed over what was done already', () => {
  const pace = createPace();
  pace.note(0, 0);
  pace.note(900, 1000); // what an earlier process did
  for (let second = 2; second <= 60; second++) pace.note(900 + second, second * 1000);
  expect(pace.read(job(960), 60_000)).toEqual({ rate: 1, seconds_left: 40 });
});

it('of a job that ended is that of its whole time', () => {
  const times = { started_at: '2026-01-01T00:00:00.000Z', finished_at: '2026-01-01T00:00:08.000Z' };
  expect(paceOfEnded(newJob('x', { done: 20, ...times }))).toEqual({ rate: 2.5, seconds_left: null });
  expect(paceOfEnded(newJob('x', { finished_at: times.finished_at }))).toEqual({
    rate: null,
    seconds_left: null,
  });
});

it('of a job that waits is not known', () => {
  const pace = createPace();
  pace.note(10, 0);
  expect(pace.read(newJob('x'), 9000)).toEqual({ rate: null, seconds_left: null });
});
