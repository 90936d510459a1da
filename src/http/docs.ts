import { readFileSync } from 'node:fs';
import type { Express } from 'express';
import { load } from 'js-yaml';
import { LookalikeError } from '../core/errors.js';
import { type Contract, renderContract } from './docs-page.js';
import { resource } from './routes.js';
import type { RouteParts } from './server.js';

/** The contract as it is (`/openapi.yaml`) and as a page to read (`/docs`), rendered once at the start. */
export function docsRoutes(app: Express, { settings }: RouteParts): void {
  const text = readContract(settings.openapiPath);
  const page = renderContract(load(text) as Contract);

  resource(app, '/openapi.yaml', {
    get(_req, res) {
      res.set('Cache-Control', 'no-cache').type('application/yaml').send(text);
    },
  });

  resource(app, '/docs', {
    get(_req, res) {
      res.set('Cache-Control', 'no-cache').type('html').send(page);
    },
  });
}

function readContract(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new LookalikeError('invalid_setting', `cannot read the contract ${path}`, { cause });
  }
}
