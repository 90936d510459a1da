import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseSetting, readRecipe, resolveSettings } from '../../../trainer/src/config.js';

describe('resolveSettings', () => {
  test('later layers win, the pack follows the size', () => {
    const settings = resolveSettings({ epochs: 10, size: 32 }, { epochs: 3 });
    expect(settings).toMatchObject({ epochs: 3, size: 32, pack: 48, objective: 'two-view' });
  });

  test.each([
    [{ epoch: 3 }, '"epoch" is not a setting'],
    [{ epochs: 0 }, 'epochs is 0, allowed: a whole number from 1 to 10000'],
    [{ epochs: '3' }, 'epochs is "3", allowed'],
    [{ lr: Number.NaN }, 'lr is null, allowed'],
    [{ objective: 'moco' }, 'objective is "moco", allowed: two-view or memory-bank'],
    [{ drops: [1.5] }, 'drops is [1.5], allowed: whole numbers above 0'],
    [{ drops: 5 }, 'drops is 5, allowed: whole numbers above 0'],
    [{ eval_scales: [] }, 'eval_scales is [], allowed'],
  ])('refuses %j', (layer, message) => {
    expect(() => resolveSettings(layer)).toThrow(message);
  });

  test('takes every recipe in the folder', () => {
    const names = readdirSync(new URL('../../../trainer/recipes/', import.meta.url));
    expect(names.length).toBeGreaterThan(1);
    for (const name of names) resolveSettings(readRecipe(name.replace('.json', '')));
  });

  test('names a recipe that is not there', () => {
    expect(() => readRecipe('no-such')).toThrow('the recipe no-such cannot be read');
  });
});

describe('parseSetting', () => {
  test('reads the text by the kind of the setting', () => {
    expect(parseSetting('lr', '0.1')).toBe(0.1);
    expect(parseSetting('lr', '')).toBeNaN();
    expect(parseSetting('drops', '120,160')).toEqual([120, 160]);
    expect(parseSetting('objective', 'memory-bank')).toBe('memory-bank');
  });
});
