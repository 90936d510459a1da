import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { LookalikeError } from '../../../src/core/errors.js';
import { WorkerThread, workerUrl } from '../../../src/engines/worker-call.js';

/**
 * The plumbing with a worker that does what it is told: echo, fail, die. It runs in real threads on the
 * compiled `serveCalls`, as the engines' workers do.
 */
const module = (path: string) => JSON.stringify(new URL(path, workerUrl('worker-call')).href);
const SCRIPT = `
import { existsSync } from 'node:fs';
import { LookalikeError } from ${module('../core/errors.js')};
import { serveCalls } from ${module('worker-call.js')};
await serveCalls(async ({ base, blocker }) => {
  if (blocker && existsSync(blocker)) throw new LookalikeError('model_invalid', 'blocked', { field: 'file' });
  let calls = 0;
  return async ({ say, ms = 0, fail, die, steps = 0 }, report) => {
    calls++;
    for (let i = 1; i <= steps; i++) report(i);
    if (ms) await new Promise((resolve) => setTimeout(resolve, ms));
    if (fail) throw new LookalikeError('invalid_vector', fail, { field: 'queries' });
    if (die === 'throw') setImmediate(() => { throw new Error('struck by lightning'); });
    if (die === 'exit') process.exit(3);
    if (die) await new Promise(() => setInterval(() => {}, 1000));
    return { value: { say, base, calls } };
  };
});
`;

interface Request {
  say?: string;
  ms?: number;
  fail?: string;
  die?: 'throw' | 'exit';
  steps?: number;
  bytes?: Uint8Array;
}
type Reply = { say: string; base: number; calls: number };

let folder: string;
let name: string;
let thread: WorkerThread<Request, Reply> | undefined;
const crashes: LookalikeError[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lookalike-worker-'));
  await writeFile(join(folder, 'worker.js'), SCRIPT);
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  // Workers are named relative to the compiled engines.
  name = relative(dirname(fileURLToPath(workerUrl('worker-call'))), join(folder, 'worker'));
});
afterAll(() => rm(folder, { recursive: true }));
afterEach(async () => {
  await thread?.close();
  crashes.length = 0;
});

async function start(data: { base: number; blocker?: string } = { base: 7 }) {
  const onCrash = (error: LookalikeError) => crashes.push(error);
  thread = await WorkerThread.start<Request, Reply>(name, { data, what: 'parrot', onCrash });
  return thread;
}

describe('workerUrl', () => {
  it('names a compiled file', () => {
    const path = fileURLToPath(workerUrl('onnx-embedder.worker'));
    expect(path).toMatch(/dist\/engines\/onnx-embedder\.worker\.js$/);
    expect(existsSync(path)).toBe(true);
  });
});

describe('a worker thread', () => {
  it('answers each call in order, one at a time', async () => {
    const parrot = await start();
    const answers = await Promise.all([
      parrot.call({ say: 'a', ms: 30 }),
      parrot.call({ say: 'b' }),
      parrot.call({ say: 'c' }),
    ]);
    expect(answers).toEqual(['a', 'b', 'c'].map((say, i) => ({ say, base: 7, calls: i + 1 })));
  });

  it('carries an error over with its code and field, and goes on', async () => {
    const parrot = await start();
    const failing = parrot.call({ fail: 'not a vector' });
    await expect(failing).rejects.toMatchObject({
      code: 'invalid_vector',
      message: 'not a vector',
      field: 'queries',
    });
    expect((await parrot.call({ say: 'still here' })).calls).toBe(2);
    expect(crashes).toEqual([]);
  });

  it('reports progress before the answer', async () => {
    const parrot = await start();
    const seen: number[] = [];
    await parrot.call<number>({ steps: 4 }, { onProgress: (step) => seen.push(step) });
    expect(seen).toEqual([1, 2, 3, 4]);
  });

  it('moves transferred memory', async () => {
    const parrot = await start();
    const bytes = new Uint8Array(8);
    await parrot.call({ say: 'x', bytes }, { transfer: [bytes.buffer] });
    expect(bytes.length).toBe(0);
  });

  it('never sends a call that was aborted while it waited, and drops the answer of one at work', async () => {
    const parrot = await start();
    const controller = new AbortController();
    const { signal } = controller;
    const atWork = parrot.call({ say: 'at work', ms: 30 }, { signal });
    const waiting = parrot.call({ say: 'waiting' }, { signal });
    const last = parrot.call({ say: 'last' });
    controller.abort();
    await expect(atWork).rejects.toMatchObject({ code: 'aborted' });
    await expect(waiting).rejects.toMatchObject({ code: 'aborted' });
    await expect(parrot.call({ say: 'late' }, { signal })).rejects.toMatchObject({ code: 'aborted' });
    expect(await last).toEqual({ say: 'last', base: 7, calls: 2 });
  });

  it.each([
    ['throw', 'struck by lightning'],
    ['exit', 'exit code 3'],
  ] as const)(
    'is started again after it dies (%s): the call at work fails, the waiting ones are answered',
    async (die, cause) => {
      const parrot = await start();
      const dying = parrot.call({ die });
      const waiting = parrot.call({ say: 'next' });
      const failure = { code: 'internal', message: expect.stringContaining(cause) };
      await expect(dying).rejects.toMatchObject(failure);
      expect(await waiting).toEqual({ say: 'next', base: 7, calls: 1 });
      expect(crashes).toEqual([expect.objectContaining(failure)]);
    },
  );

  it('that cannot be started again fails what waits, and is tried once more with the next call', async () => {
    const blocker = join(folder, 'blocker');
    const parrot = await start({ base: 1, blocker });
    await writeFile(blocker, '');
    const dying = parrot.call({ die: 'exit' });
    const waiting = parrot.call({ say: 'lost' });
    await expect(dying).rejects.toMatchObject({ code: 'internal' });
    await expect(waiting).rejects.toMatchObject({ code: 'model_invalid', message: 'blocked', field: 'file' });
    await rm(blocker);
    expect(await parrot.call({ say: 'back' })).toEqual({ say: 'back', base: 1, calls: 1 });
    expect(crashes.length).toBe(1);
  });

  it('rejects with what its preparation threw, or why it does not run', async () => {
    const blocker = join(folder, 'always');
    await writeFile(blocker, '');
    await expect(start({ base: 1, blocker })).rejects.toMatchObject({ code: 'model_invalid', field: 'file' });
    const absent = WorkerThread.start('no-such-worker', { data: null, what: 'ghost' });
    await expect(absent).rejects.toMatchObject({
      code: 'internal',
      message: expect.stringContaining('ghost'),
    });
  });

  it('refuses a request that cannot be sent, and goes on', async () => {
    const parrot = await start();
    const unsendable = { say: (() => {}) as unknown as string };
    await expect(parrot.call(unsendable)).rejects.toMatchObject({ code: 'internal' });
    expect((await parrot.call({ say: 'fine' })).say).toBe('fine');
  });

  it('answers what it began when it is closed, refuses the rest, and may be closed twice', async () => {
    const parrot = await start();
    const begun = parrot.call({ say: 'begun', ms: 30 });
    const waiting = parrot.call({ say: 'waiting' });
    const closing = Promise.all([parrot.close(), parrot.close()]);
    await expect(waiting).rejects.toMatchObject({ code: 'not_ready', message: 'the parrot is closed' });
    expect((await begun).say).toBe('begun');
    await closing;
    await parrot.close();
    await expect(parrot.call({ say: 'late' })).rejects.toMatchObject({ code: 'not_ready' });
    expect(crashes).toEqual([]);
  });
});
