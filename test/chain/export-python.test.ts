/**
 * The shipped encoder and bank in Python's own tools: `scripts/check-export.mjs` holds on them and fails on damaged
 * copies. It needs a Python with the packages (LOOKALIKE_PYTHON, or the environment that the script makes) and is
 * skipped without one: a test downloads nothing.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { sha256Of } from '../../src/offline.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const shipped = { model: join(root, 'model'), bank: join(root, 'index') };

function check({ model, bank }: typeof shipped): { code: number | null; output: string } {
  const script = join(root, 'scripts', 'check-export.mjs');
  const args = [script, '--no-install', '--model', model, '--bank', bank];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  return { code: status, output: stdout + stderr };
}

const NO_PYTHON = 2;
const whole = check(shipped);
if (whole.code === NO_PYTHON) console.warn(`skipped: ${whole.output.trim()}`);

describe.skipIf(whole.code === NO_PYTHON)('an export in Python', { timeout: 180_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'lookalike-export-test-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  const failed = (output: string) => output.split('\n').filter((line) => line.startsWith('FAIL'));
  /** A copy of the bank whose file of vectors `damage` changed. */
  function damagedBank(name: string, damage: (bytes: Buffer) => void): string {
    const bank = join(folder, name);
    cpSync(shipped.bank, bank, { recursive: true });
    const bytes = readFileSync(join(bank, 'bank.safetensors'));
    damage(bytes);
    writeFileSync(join(bank, 'bank.safetensors'), bytes);
    return bank;
  }

  test('the shipped encoder and bank hold', () => {
    expect(failed(whole.output)).toEqual([]);
    expect(whole.output).toMatch(/ok +onnx\.checker/);
    expect(whole.output).toMatch(/ok +onnxruntime in Python agrees with Node's/);
    expect(whole.output).toMatch(/ok +bank\.safetensors opens/);
    expect(whole.code).toBe(0);
  });

  test('a flipped bit in the bank is found by its hash', () => {
    const bank = damagedBank('flipped', (bytes) => {
      bytes[bytes.length - 12]! ^= 1; // the lowest bit of a number: no length shows it
    });
    const { code, output } = check({ ...shipped, bank });
    expect(failed(output)).toEqual([expect.stringContaining("the bank's files are the manifest's")]);
    expect(code).toBe(1);
  });

  test('a row that is too long is found although the hash was made anew', () => {
    const bank = damagedBank('long', (bytes) => {
      bytes.writeFloatLE(1.5, bytes.length - 4);
    });
    const manifest = JSON.parse(readFileSync(join(bank, 'manifest.json'), 'utf8'));
    manifest.files['bank.safetensors'] = sha256Of(readFileSync(join(bank, 'bank.safetensors')));
    writeFileSync(join(bank, 'manifest.json'), JSON.stringify(manifest));
    const { code, output } = check({ ...shipped, bank });
    expect(failed(output)).toEqual([expect.stringContaining('rows have unit length')]);
    expect(code).toBe(1);
  });

  test('a damaged encoder is refused before it runs', () => {
    const model = join(folder, 'model');
    cpSync(shipped.model, model, { recursive: true });
    const bytes = readFileSync(join(model, 'encoder.onnx'));
    bytes[bytes.length >> 1]! ^= 1;
    writeFileSync(join(model, 'encoder.onnx'), bytes);
    const { code, output } = check({ ...shipped, model });
    expect(output).toContain('SHA-256');
    expect(code).toBe(1);
  });
});
