import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { createExactIndex } from '../../src/engines/exact-index.js';
import { openExactSession } from '../../src/engines/exact-session.js';
import { describeIndex, lists, referee } from './index.contract.js';
import { softwareWebgpu } from './software-webgpu.js';
import { shared, unitVectors } from './vectors.js';

/**
 * The contract on WebGPU, with SwiftShader where there is no GPU: slow and right. A Vulkan driver is chosen
 * by variables that are read when a process starts, so this file runs itself once more in a child process.
 */
const inside = process.env.LOOKALIKE_WEBGPU_SUITE === '1';

if (inside) {
  describeIndex({
    name: 'exact on WebGPU',
    exact: true,
    runs: 2,
    open: (bank) => createExactIndex({ ...shared(bank), provider: 'webgpu' }),
  });

  it('finds the same in several shards as in one', async () => {
    const [rows, dimension, k] = [9000, 32, 40];
    const bank = unitVectors({ rows, dimension, seed: 9 });
    bank.vectors.copyWithin(8500 * dimension, 100 * dimension, 110 * dimension); // equals in the last shard
    const shardBytes = 4096 * dimension * 4;
    const session = await openExactSession(bank, { provider: 'webgpu', intraOpThreads: 1, shardBytes });
    const queries = bank.vectors.slice(100 * dimension, 104 * dimension);
    const hits = await session.search(queries, 4, k);
    expect([session.shards, session.scanned]).toEqual([3, 0]);
    expect(lists(hits)).toEqual(lists(await referee(bank).search(queries, 4, { k })));
    await session.close();
  });
} else {
  const driver = softwareWebgpu();
  describe('exact index on WebGPU', () => {
    it.skipIf(!driver)(
      'keeps the contract of an Index on SwiftShader',
      async () => {
        const { code, output } = await runInside({ ...driver, LOOKALIKE_WEBGPU_SUITE: '1' });
        expect(code, output).toBe(0);
        expect(output).toMatch(/Tests +\d+ passed/);
      },
      600_000,
    );
  });
}

function runInside(env: Record<string, string>): Promise<{ code: number | null; output: string }> {
  const own = Object.entries(process.env).filter(([name]) => !/^(VITEST|NODE_OPTIONS|TEST$)/.test(name));
  const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url));
  const args = [vitest, 'run', fileURLToPath(import.meta.url), '--testTimeout', '300000', '--no-color'];
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, {
      env: { ...Object.fromEntries(own), ...env, NO_COLOR: '1' },
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    child.on('close', (code) => resolve({ code, output }));
  });
}
