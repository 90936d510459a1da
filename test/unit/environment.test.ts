import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const at = (path: string) => new URL(`../../${path}`, import.meta.url);
const text = (path: string) => readFileSync(at(path), 'utf8');
const { ENVIRONMENT } = (await import(at('scripts/environment.mjs').href)) as {
  ENVIRONMENT: Record<string, string>;
};

it('what npm start sets for Node and glibc, the container sets too, and the page for operators tells', () => {
  const [dockerfile, page] = [text('Dockerfile'), text('docs/operations.md')];
  for (const [name, value] of Object.entries(ENVIRONMENT)) {
    expect(dockerfile).toContain(` ${name}=${value.includes(' ') ? `"${value}"` : value}`);
    expect(page).toContain(`| \`${name}\` | \`${value}\` |`);
  }
});
