/** The SQLite store: the contract, and refusals that leave every byte of the file as it was. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openSqliteDatabase } from '../../src/engines/sqlite-database.js';
import { openDefault } from '../fixtures/database.js';
import { refusal } from '../fixtures/errors.js';
import { newItem } from '../fixtures/items.js';
import { tempFolder } from '../fixtures/temp-folder.js';
import { describeStore } from './store.contract.js';

describeStore({ name: 'sqlite', open: (folder) => openDefault(join(folder, 'x.db')) });

/** A closed database of 200 items, and its path. */
async function filled(): Promise<string> {
  const path = join(await tempFolder(), 'x.db');
  const { database, store } = openDefault(path);
  store.put(Array.from({ length: 200 }, (_, i) => newItem(`${i}`, { label: 'x'.repeat(100) })));
  database.close();
  return path;
}

/** Refused with this code, and not a byte of the file is another one afterwards. */
async function refusedUntouched(path: string, code: 'database_invalid') {
  const before = readFileSync(path);
  const error = await refusal(code, () => openSqliteDatabase(path));
  expect(error.message).toContain(path);
  expect(readFileSync(path).equals(before)).toBe(true);
  return error;
}

describe('the database file', () => {
  it('of garbage is refused', async () => {
    const path = join(await tempFolder(), 'x.db');
    writeFileSync(path, Buffer.alloc(5000, 'this is no database '));
    await refusedUntouched(path, 'database_invalid');
    writeFileSync(path, 'short');
    await refusedUntouched(path, 'database_invalid');
  });

  it('that was cut short is refused', async () => {
    const path = await filled();
    const whole = readFileSync(path).length;
    for (const size of [whole - 1, Math.floor(whole / 2), 4096, 100]) {
      truncateSync(path, size);
      await refusedUntouched(path, 'database_invalid');
    }
  });

  it('with an overwritten page is refused, whichever page it is', async () => {
    const path = await filled();
    const whole = readFileSync(path);
    for (let page = 0; page < whole.length / 4096; page++) {
      const damaged = Buffer.from(whole);
      damaged.fill(0xa5, page * 4096, (page + 1) * 4096);
      writeFileSync(path, damaged);
      await refusedUntouched(path, 'database_invalid');
    }
  });

  it('of a later format is refused', async () => {
    const path = await filled();
    const db = new Database(path);
    db.pragma('user_version = 3');
    db.close();
    expect((await refusedUntouched(path, 'database_invalid')).message).toMatch(/format 3/);
  });

  it('of another program is refused', async () => {
    const path = join(await tempFolder(), 'x.db');
    const db = new Database(path);
    db.exec('CREATE TABLE theirs (x)');
    db.close();
    await refusedUntouched(path, 'database_invalid');
  });

  it('appears with its folders when there is none', async () => {
    const path = join(await tempFolder(), 'a', 'b', 'x.db');
    openSqliteDatabase(path).close();
    expect(existsSync(path)).toBe(true);
  });
});

describe('answers to requests with an idempotency key', () => {
  const answer = { fingerprint: 'f', status: 201, headers: {}, body: '1' };
  /** Changes what is kept as time would. */
  function later(path: string, sql: string): void {
    const db = new Database(path);
    db.exec(sql);
    db.close();
  }

  it('are forgotten after 24 hours, and the key is free again', async () => {
    const path = await filled();
    const keep = (body: string) => {
      const { database } = openDefault(path);
      database.keepAnswer('k', { ...answer, body });
      const found = database.answer('k')?.body;
      database.close();
      return found;
    };
    expect(keep('1')).toBe('1');
    later(path, "UPDATE answers SET created_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-23 hours')");
    expect(keep('2')).toBe('1');
    later(path, "UPDATE answers SET created_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-25 hours')");
    expect(keep('3')).toBe('3');
  });

  it('are 10,000 at most, the newest', async () => {
    const path = await filled();
    later(
      path,
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
       INSERT INTO answers (key, fingerprint, status, headers, body, created_at)
       SELECT 'old' || i, 'f', 201, '{}', '1', strftime('%Y-%m-%dT%H:%M:%fZ', 'now') FROM n`,
    );
    const { database } = openDefault(path);
    for (let i = 0; i < 25; i++) database.keepAnswer(`new${i}`, answer);
    expect(['old1', 'old25', 'old26', 'new0'].map((key) => database.answer(key) !== undefined)).toEqual([
      false,
      false,
      true,
      true,
    ]);
    database.close();
  });
});

/** Opens the database in a process of its own and holds it until the test ends. */
async function heldByAnother(path: string) {
  const engine = new URL('../../dist/engines/sqlite-database.js', import.meta.url).href;
  const script = `
    const { openSqliteDatabase } = await import(${JSON.stringify(engine)});
    openSqliteDatabase(process.argv[1]);
    console.log('open');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child;
}

describe('two processes', () => {
  it('never hold one database: the second is refused, until the first is gone', async () => {
    const path = await filled();
    const first = await heldByAnother(path);
    const { message } = await refusal('data_dir_busy', () => openSqliteDatabase(path));
    expect(message).toMatch(/in use by another process.*--data-dir/);
    first.kill('SIGKILL'); // no goodbye: the lock goes with the process
    await once(first, 'exit');
    const { database, store } = openDefault(path);
    expect(store.count()).toBe(200);
    database.close();
  });
});
