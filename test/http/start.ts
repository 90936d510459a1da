/** Starts the real service, assembled as in production, on a free port with a collection of its own. */
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type App, createApp } from '../../src/app.js';
import type { ModelManifest } from '../../src/core/manifests.js';
import { type Listening, listen } from '../../src/http/listen.js';
import type { LineSink } from '../../src/ops/logger.js';
import { readSettings, type Settings } from '../../src/settings.js';
import { writePictures } from '../fixtures/pictures.js';
import { type TinyEncoder, writeTinyModel } from '../fixtures/tiny-encoder.js';

export interface TestServer {
  app: App;
  settings: Settings;
  url: string;
  listening: Listening;
  close(): Promise<void>;
}

/** Another encoder that the server may use. */
export async function addModel({ settings }: TestServer, encoder: TinyEncoder): Promise<ModelManifest> {
  const models = join(settings.dataDir, 'models');
  const manifest = await writeTinyModel(join(models, '.new'), encoder);
  await rename(join(models, '.new'), join(models, manifest.sha256));
  return manifest;
}

/** `overrides` are settings by name; small limits make refusals cheap to provoke. */
export async function startTestServer(
  overrides: Partial<Settings> = {},
  { awaitStartup = true, log }: { awaitStartup?: boolean; log?: LineSink } = {},
): Promise<TestServer> {
  const home = await mkdtemp(join(tmpdir(), 'lookalike-http-'));
  await writeTinyModel(join(home, 'model'));
  await writePictures(join(home, 'pictures'));
  const settings: Settings = {
    ...readSettings({}, { folder: join(home, 'pictures'), env: {} }),
    port: 0,
    dataDir: join(home, 'data'),
    model: join(home, 'model'),
    exactProvider: 'cpu',
    logLevel: 'silent',
    maxBytes: 256 * 1024,
    maxPixels: 4_000_000,
    maxK: 50,
    ...overrides,
  };
  const app = await createApp(settings, undefined, log);
  if (awaitStartup) await app.startup;
  const listening = await listen(app.http, settings);
  return {
    app,
    settings,
    url: listening.url,
    listening,
    async close() {
      await listening.stop(1000);
      await app.close();
      await rm(home, { recursive: true, force: true });
    },
  };
}
