/** The doctor on this machine: what it says of engines that are there, that are missing, and that are broken. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { doctor } from '../../trainer/src/doctor.js';
import { nativeReady } from '../unit/trainer/native.js';

const folder = mkdtempSync(join(tmpdir(), 'lookalike-doctor-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A trainer folder with packages in `below` whose main files are `main`. */
function trainerWith(name: string, below: string, packages: Record<string, string>): string {
  const trainer = join(folder, name);
  for (const [packageName, main] of Object.entries(packages)) {
    const home = join(trainer, below, 'node_modules', packageName);
    mkdirSync(join(home, 'dist'), { recursive: true });
    mkdirSync(join(home, 'lib', 'napi-v8'), { recursive: true });
    writeFileSync(join(home, 'package.json'), JSON.stringify({ name: packageName, main: 'dist/index.js' }));
    writeFileSync(join(home, 'dist', 'index.js'), main);
    writeFileSync(join(home, 'lib', 'napi-v8', 'tfjs_binding.node'), '');
  }
  return trainer;
}

const TIMEOUT = 200_000;

describe('doctor', () => {
  test('the machine: Node, memory, disk, threads, the way of a picture', async () => {
    const { lines } = await doctor({ trainer: folder, folder });
    expect(lines).toContain(`Node ${process.versions.node}: ok`);
    expect(lines).toContainEqual(expect.stringMatching(/^memory: [\d.]+ of [\d.]+ GB available/));
    expect(lines).toContainEqual(expect.stringContaining(`GB free in ${folder}`));
    expect(lines).toContainEqual(expect.stringMatching(/^threads: [1-9]/));
    expect(lines).toContain('pictures: decoding and embedding work');
  });

  test('nothing installed: every engine with the command that installs it, and training cannot run', async () => {
    const { lines, ok } = await doctor({ trainer: folder });
    expect(ok).toBe(false);
    expect(lines).toContain('official tfjs-node: not installed');
    expect(lines).toContain('own build (trainer/native): not installed; npm run trainer:setup installs it');
    expect(lines).toContain(
      'own GPU build (trainer/native-gpu): not installed; npm run trainer:setup -- --gpu installs it',
    );
    expect(lines).toContain(
      'WebGPU (trainer/native-webgpu): not installed; npm run trainer:setup -- --webgpu installs it',
    );
    expect(lines.at(-1)).toBe('train cannot run: run npm run trainer:setup');
  });

  test.skipIf(!nativeReady)(
    'the CPU engine trains: the loss falls',
    async () => {
      const { lines, ok } = await doctor();
      const line = lines.find((line) => /^(own build|official tfjs-node\b).* works on CPU/.test(line));
      const [, version, first, last] = /TensorFlow ([\d.]+), loss ([\d.]+) to ([\d.]+) in/.exec(line!)!;
      expect(version).toMatch(/^2\./);
      expect(Number(last)).toBeLessThan(Number(first));
      expect(lines).toContainEqual(expect.stringMatching(/^train uses: (own build|official tfjs-node)/));
      expect(ok).toBe(true);
    },
    TIMEOUT,
  );

  test('a library that does not load is named with its reason, and how to mend it', async () => {
    const trainer = trainerWith('broken', 'native', {
      '@tensorflow/tfjs-node': "throw new Error('libtensorflow.so.2: cannot open shared object file')",
    });
    const { lines, ok } = await doctor({ trainer });
    expect(ok).toBe(false);
    expect(lines).toContain(
      'own build (trainer/native): fails: libtensorflow.so.2: cannot open shared object file; remove trainer/native and run npm run trainer:setup',
    );
    expect(lines.at(-1)).toBe('train uses: own build (trainer/native), which does not work');
  });

  test('a library that ends its process or never answers does neither to the doctor', async () => {
    const crash = trainerWith('crash', 'native', { '@tensorflow/tfjs-node': 'process.abort()' });
    expect((await doctor({ trainer: crash })).lines).toContainEqual(
      expect.stringContaining('fails: its process ended with SIGABRT'),
    );
    const hang = trainerWith('hang', 'native', { '@tensorflow/tfjs-node': 'for (;;);' });
    expect((await doctor({ trainer: hang, timeoutMs: 3000 })).lines).toContainEqual(
      expect.stringContaining('fails: no answer within 3 s'),
    );
  });

  test('a package without its library counts as not installed', async () => {
    const trainer = trainerWith('bare', '.', { '@tensorflow/tfjs-node': '' });
    rmSync(join(trainer, 'node_modules', '@tensorflow', 'tfjs-node', 'lib'), { recursive: true });
    expect((await doctor({ trainer })).lines).toContain('official tfjs-node: not installed');
  });
});
