import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { type Contract, renderContract } from '../../../src/http/docs-page.js';

const text = readFileSync(new URL('../../../openapi.yaml', import.meta.url), 'utf8');
const contract = load(text) as Contract;
const page = renderContract(contract);

describe('the reference page', () => {
  it('has every route, parameter, schema and field', () => {
    for (const path of Object.keys(contract.paths)) expect(page).toContain(`<code>${path}</code>`);
    for (const { name } of Object.values(contract.components.parameters))
      expect(page).toContain(`<code>${name}</code>`);
    for (const [name, schema] of Object.entries(contract.components.schemas)) {
      expect(page).toContain(`id="${name}"`);
      for (const field of Object.keys(schema.properties ?? {}))
        expect(page).toContain(`<code>${field}</code>`);
    }
  });

  it('has a place for every error code, since the type of a problem points there', () => {
    for (const code of contract.components.schemas.ErrorCode!.enum!) expect(page).toContain(`id="${code}"`);
  });

  it('has no link to a place that is not there, and no name twice', () => {
    const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, target] of page.matchAll(/href="#([^"]+)"/g)) expect(ids).toContain(target);
  });

  it('needs no script and no inline style, and shows nothing that was forgotten', () => {
    expect(page).not.toMatch(/<script|<style|style=|javascript:/);
    expect(page).not.toMatch(/undefined|\[object/);
  });
});
