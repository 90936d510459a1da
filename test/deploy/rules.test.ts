/** The rules of `deploy/prometheus/`, by promtool and against our own /metrics. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import request from 'supertest';
import { describe, expect, it } from 'vitest';
import { startTestServer } from '../http/start.js';
import { configured, DEPLOY, isInstalled, readRules } from './prometheus.js';

const KEY = 'a-key-of-enough-letters';
const promtool = isInstalled('promtool');
if (!promtool) console.warn('skipped: promtool is not installed, the rules are not checked');
const text = (name: string) => readFileSync(join(DEPLOY, name), 'utf8');
const rules = readRules();
const alerts = rules.filter(({ alert }) => alert !== undefined);

describe.skipIf(!promtool)('promtool', () => {
  const run = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8' });
    return { status, said: `${stdout}${stderr}` };
  };

  it('finds no fault in the rules', () => {
    expect(run('check', 'rules', join(DEPLOY, 'rules.yml'))).toMatchObject({ status: 0 });
  });

  it('finds no fault in the configuration, once there is a key', async () => {
    const folder = await configured(KEY);
    const { status, said } = run('check', 'config', join(folder, 'prometheus.yml'));
    expect(said).toContain(`${rules.length} rules found`);
    expect(status).toBe(0);
  });

  it('sees every record and every alert do what it is for', () => {
    const { status, said } = run('test', 'rules', join(DEPLOY, 'rules.test.yml'));
    expect(said).toContain('SUCCESS');
    expect(status).toBe(0);
  });
});

describe('the alerts', () => {
  interface Expected {
    expr: string;
    eval_time: string;
    exp_samples: { labels: string }[];
  }
  const cases = (load(text('rules.test.yml')) as { tests: { promql_expr_test: Expected[] }[] }).tests;
  const runbook = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');

  it.each(alerts.map(({ alert }) => alert!))(
    '%s is tried with what sets it off and what does not',
    (name) => {
      const own = cases.find(({ promql_expr_test }) =>
        promql_expr_test.some(({ exp_samples }) =>
          exp_samples.some(({ labels }) => labels.includes(`"${name}"`)),
        ),
      );
      expect(own).toBeDefined();
      const silent = own!.promql_expr_test.filter(
        ({ expr, exp_samples }) => expr.includes('ALERTS') && exp_samples.length === 0,
      );
      expect(silent.length).toBeGreaterThan(0);
    },
  );

  it.each(alerts.map((rule) => [rule.alert!, rule] as const))(
    '%s says how long, how bad, what, and what to do',
    (name, rule) => {
      expect(rule.for).toMatch(/^\d+[mh]$/);
      expect(['critical', 'warning']).toContain(rule.labels?.severity);
      expect(Object.keys(rule.annotations ?? {}).sort()).toEqual(['description', 'runbook_url', 'summary']);
      expect(rule.annotations!.runbook_url).toBe(`docs/operations.md#${name.toLowerCase()}`);
      expect(runbook).toContain(`\n### ${name}\n`);
    },
  );
});

it('every metric that a rule reads is there', async () => {
  const server = await startTestServer();
  const { text: exposition } = await request(server.url).get('/metrics').expect(200);
  const types = exposition.matchAll(/^# TYPE (\w+) (\w+)$/gm);
  const known = new Set([...types].map(([, name, type]) => (type === 'histogram' ? `${name}_bucket` : name)));
  // What stands before or after a colon is a recorded name, not a metric of ours.
  const read = rules.flatMap(({ expr }) => expr.match(/(?<![:\w])lookalike_\w+(?![:\w])/g) ?? []);
  expect(new Set(read).size).toBeGreaterThan(10);
  for (const name of read) expect(known, name).toContain(name);
  await server.close();
});

it('every record that a rule reads is made', () => {
  const made = new Set(rules.flatMap(({ record }) => record ?? []));
  const read = rules.flatMap(({ expr }) => expr.match(/[a-z_]+:[a-z_]+:\w+/g) ?? []);
  expect(read.length).toBeGreaterThan(10);
  for (const name of read) expect(made, name).toContain(name);
});
