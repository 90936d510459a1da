/** The files of `deploy/prometheus/`, and a real Prometheus started from them. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { dump, load } from 'js-yaml';
import { tempFolder } from '../fixtures/temp-folder.js';

export const DEPLOY = fileURLToPath(new URL('../../deploy/prometheus/', import.meta.url));

export const isInstalled = (program: string): boolean => spawnSync(program, ['--version']).status === 0;

export interface Rule {
  record?: string;
  alert?: string;
  expr: string;
  for?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}

/** Every rule of rules.yml, in its order. */
export function readRules(): Rule[] {
  const { groups } = load(readFileSync(join(DEPLOY, 'rules.yml'), 'utf8')) as {
    groups: { rules: Rule[] }[];
  };
  return groups.flatMap(({ rules }) => rules);
}

interface Configuration {
  global: { scrape_interval: string; evaluation_interval: string };
  scrape_configs: { static_configs: { targets: string[] }[] }[];
}

/** A copy of the folder with a key beside the configuration, as its head says; the absolute folder. */
export async function configured(key: string, change: (configuration: Configuration) => void = () => {}) {
  const folder = await tempFolder();
  await cp(DEPLOY, folder, { recursive: true });
  await writeFile(join(folder, 'api-key'), `${key}\n`);
  const path = join(folder, 'prometheus.yml');
  const configuration = load(await readFile(path, 'utf8')) as Configuration;
  change(configuration);
  await writeFile(path, dump(configuration));
  return folder;
}

export interface Prometheus {
  /** The result of an instant query. */
  query(expression: string): Promise<{ metric: Record<string, string>; value: number }[]>;
  /** The `data` of an answer of its HTTP API. */
  get<T>(path: string): Promise<T>;
  stop(): Promise<void>;
}

/** Scrapes `target` (host:port) every second; resolves when it is ready. */
export async function startPrometheus({ target, key }: { target: string; key: string }): Promise<Prometheus> {
  const folder = await configured(key, ({ global, scrape_configs }) => {
    global.scrape_interval = global.evaluation_interval = '1s';
    scrape_configs[0]!.static_configs[0]!.targets = [target];
  });
  const { child, url } = await spawnOnFreePort(folder);
  const get = async <T>(path: string): Promise<T> => {
    const answer = (await (await fetch(`${url}/api/v1/${path}`)).json()) as { data: T; error?: string };
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer.data;
  };
  return {
    get,
    async query(expression) {
      type Found = { result: { metric: Record<string, string>; value: [number, string] }[] };
      const { result } = await get<Found>(`query?query=${encodeURIComponent(expression)}`);
      return result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
    },
    stop: () => ended(child),
  };
}

/** The port may be taken between our look and Prometheus's: then another. */
async function spawnOnFreePort(folder: string): Promise<{ child: ChildProcess; url: string }> {
  for (let attempt = 1; ; attempt++) {
    const address = `127.0.0.1:${await freePort()}`;
    const child = spawn(
      'prometheus',
      [
        `--config.file=${join(folder, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(folder, `data-${attempt}`)}`,
        `--web.listen-address=${address}`,
        '--log.level=error',
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    let said = '';
    child.stderr!.on('data', (chunk) => {
      said += chunk;
    });
    const url = `http://${address}`;
    if (await isReady(child, url)) return { child, url };
    await ended(child);
    if (attempt === 5 || !/address already in use/.test(said)) throw new Error(`prometheus ended: ${said}`);
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** False when the process ends first. */
async function isReady(child: ChildProcess, url: string): Promise<boolean> {
  while (child.exitCode === null && child.signalCode === null) {
    const ready = await fetch(`${url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (ready) return true;
    await sleep(50);
  }
  return false;
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  await exit;
}
