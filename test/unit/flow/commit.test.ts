/** What is written with a write is there together with it or not at all. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createJobs } from '../../../src/flow/jobs.js';
import { tempFolder } from '../../fixtures/temp-folder.js';
import { writeTinyModel } from '../../fixtures/tiny-encoder.js';
import { openParts } from './parts.js';

const answer = { fingerprint: 'f', status: 202, headers: {}, body: '{}' };
const cutOff = () => {
  throw new Error('the disk is gone');
};

it('an answer to an idempotency key: with its job, with its collection', async () => {
  const home = await tempFolder();
  await writeTinyModel(join(home, 'model'));
  const parts = await openParts(home);
  const { database, collections, manifest } = parts;
  const work = async () => ({});
  const jobs = createJobs({
    store: database,
    work: { import: work, reindex: work, report: work, snapshot: work },
    newId: () => `job-${Math.random()}`,
    now: () => new Date(0).toISOString(),
  });
  const request = { kind: 'snapshot' as const, collection: null, parameters: {} };
  const keep = (key: string) => () => database.keepAnswer(key, answer);
  const keepAndStop = (key: string) => () => {
    keep(key)();
    cutOff();
  };

  expect(() => jobs.start(request, keepAndStop('job'))).toThrow('the disk is gone');
  expect([jobs.list(10), database.answer('job')]).toEqual([[], undefined]);
  await jobs.start(request, keep('job')).finished;
  expect([jobs.list(10).length, database.answer('job')]).toEqual([1, answer]);

  const make = (onCommit: () => void) => collections.create('made', manifest.sha256, onCommit);
  await expect(make(keepAndStop('collection'))).rejects.toThrow('the disk is gone');
  expect([collections.list().length, database.collections().length]).toEqual([1, 1]);
  expect(database.answer('collection')).toBe(undefined);
  await make(keep('collection'));
  expect([collections.list().length, database.answer('collection')]).toEqual([2, answer]);
  await parts.close();
});
