/** The bank as files: written, read again bit for bit, and refused when any of it is not what it claims. */
import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { BankItem } from '../../../src/core/manifests.js';
import { readBank, writeBank } from '../../../src/engines/bank.js';
import { sha256Of } from '../../../src/engines/files.js';
import { encodeSafetensors } from '../../../src/engines/safetensors.js';
import { unitVectors } from '../../contract/vectors.js';
import { refusal } from '../../fixtures/errors.js';
import { tempFolder } from '../../fixtures/temp-folder.js';

const MODEL = 'ab'.repeat(32);
const ABOUT = { model_sha256: MODEL, dimension: 16, name: 'test', terms: 'MIT', source_package: null };
const { vectors } = unitVectors({ rows: 5, dimension: 16, seed: 1 });
const items: BankItem[] = Array.from({ length: 5 }, (_, i) => ({
  id: `é${i}`,
  sha256: sha256Of(Uint8Array.of(i)),
  ...(i % 2 === 0 && { label: 'even', source: `a/${i}.png`, metadata: { n: i } }),
}));

let folder: string;
const file = (name: string) => join(folder, name);

beforeEach(async () => {
  folder = await tempFolder();
  await writeBank(folder, { vectors, items }, ABOUT);
});

/** Rewrites a file and puts its new hash into the manifest: damage that no checksum tells. */
async function rewrite(name: string, bytes: Uint8Array): Promise<void> {
  await writeFile(file(name), bytes);
  const manifest = JSON.parse(await readFile(file('manifest.json'), 'utf8'));
  manifest.files[name] = sha256Of(bytes);
  await writeFile(file('manifest.json'), JSON.stringify(manifest));
}

describe('a bank', () => {
  it('comes back as it was written', async () => {
    const bank = await readBank(folder, MODEL);
    expect(new Uint32Array(bank.vectors.slice().buffer)).toEqual(new Uint32Array(vectors.slice().buffer));
    expect(bank.items).toEqual(items);
    expect(bank.manifest).toMatchObject({ ...ABOUT, rows: 5, normalised: true, format_version: 1 });
  });

  it('may be empty', async () => {
    await writeBank(folder, { vectors: new Float32Array(0), items: [] }, ABOUT);
    expect((await readBank(folder, MODEL)).items).toEqual([]);
  });

  it('of another model is refused with both models named', async () => {
    const { message } = await refusal('bank_mismatch', () => readBank(folder, 'cd'.repeat(32)));
    expect(message).toContain('abababababab');
    expect(message).toContain('cdcdcdcdcdcd');
  });

  it.each(['manifest.json', 'bank.safetensors', 'items.ndjson'])(
    'without its %s is refused',
    async (name) => {
      await rm(file(name));
      expect((await refusal('bank_invalid', () => readBank(folder, MODEL))).message).toContain(name);
    },
  );

  it.each(['bank.safetensors', 'items.ndjson'])('with one changed bit in %s is refused', async (name) => {
    const whole = await readFile(file(name));
    for (const at of [0, Math.floor(whole.length / 2), whole.length - 1]) {
      const damaged = Buffer.from(whole);
      damaged[at]! ^= 1;
      await writeFile(file(name), damaged);
      expect((await refusal('bank_invalid', () => readBank(folder, MODEL))).message).toContain(name);
    }
    await truncate(file(name), whole.length - 1);
    await refusal('bank_invalid', () => readBank(folder, MODEL));
  });

  it('with a manifest that is garbage, of a later format or with other counts is refused', async () => {
    const manifest = JSON.parse(await readFile(file('manifest.json'), 'utf8'));
    const wrong = [
      '',
      '{',
      '[]',
      'null',
      ...[{ format_version: 2 }, { rows: 4 }, { dimension: 8 }].map((change) =>
        JSON.stringify({ ...manifest, ...change }),
      ),
    ];
    for (const text of wrong) {
      await writeFile(file('manifest.json'), text);
      await refusal('bank_invalid', () => readBank(folder, MODEL));
    }
  });

  it('with fewer items than vectors, or a line that is no item, is refused', async () => {
    const lines = (await readFile(file('items.ndjson'), 'utf8')).split('\n');
    await rewrite('items.ndjson', Buffer.from(lines.slice(1).join('\n')));
    await refusal('bank_invalid', () => readBank(folder, MODEL));
    await rewrite(
      'items.ndjson',
      Buffer.from([...lines.slice(0, 2), '{"id":7}', ...lines.slice(3)].join('\n')),
    );
    expect((await refusal('bank_invalid', () => readBank(folder, MODEL))).message).toMatch(/line 3/);
  });

  it('with two items of one id is refused', async () => {
    const lines = (await readFile(file('items.ndjson'), 'utf8')).split('\n');
    await rewrite(
      'items.ndjson',
      Buffer.from([lines[0], ...lines.slice(0, 1), ...lines.slice(2)].join('\n')),
    );
    expect((await refusal('bank_invalid', () => readBank(folder, MODEL))).message).toContain('é0');
  });

  it('of vectors that are not unit length is neither written nor read', async () => {
    const long = vectors.map((value) => value * 1.001);
    await refusal('invalid_vector', () => writeBank(folder, { vectors: long, items }, ABOUT));
    expect((await readBank(folder, MODEL)).vectors).toEqual(vectors);
    await rewrite('bank.safetensors', encodeSafetensors('vectors', long, [5, 16]));
    await refusal('invalid_vector', () => readBank(folder, MODEL));
  });
});
