/** The lock that lets writes go on together and a switch go alone. */
import { expect, it } from 'vitest';
import { createSharedLock } from '../../../src/core/shared-lock.js';

function step() {
  let end!: () => void;
  let fail!: (error: Error) => void;
  const until = new Promise<void>((resolve, reject) => {
    [end, fail] = [resolve, reject];
  });
  return { end, fail, until };
}
const turn = () => new Promise((resolve) => setImmediate(resolve));

it('lets many in at once, and one alone between those before and those after it', async () => {
  const lock = createSharedLock();
  const seen: string[] = [];
  const steps = Object.fromEntries(['a', 'b', 'alone', 'c'].map((name) => [name, step()]));
  const enter = (kind: 'shared' | 'alone', name: string) =>
    lock[kind](async () => {
      seen.push(`${name} in`);
      await steps[name]!.until;
      seen.push(`${name} out`);
    });
  const all = [enter('shared', 'a'), enter('shared', 'b'), enter('alone', 'alone'), enter('shared', 'c')];
  await turn();
  expect(seen).toEqual(['a in', 'b in']);
  steps.a!.end();
  await turn();
  expect(seen).toEqual(['a in', 'b in', 'a out']);
  steps.b!.end();
  await turn();
  expect(seen.slice(3)).toEqual(['b out', 'alone in']);
  steps.c!.end();
  await turn();
  expect(seen.length).toBe(5);
  steps.alone!.end();
  await Promise.all(all);
  expect(seen.slice(5)).toEqual(['alone out', 'c in', 'c out']);
});

it('opens again after a step that failed, and hands its error and its value on', async () => {
  const lock = createSharedLock();
  await expect(lock.alone(async () => Promise.reject(new Error('alone')))).rejects.toThrow('alone');
  await expect(lock.shared(async () => Promise.reject(new Error('shared')))).rejects.toThrow('shared');
  expect(await lock.shared(async () => 1)).toBe(1);
  expect(await lock.alone(async () => 2)).toBe(2);
});
