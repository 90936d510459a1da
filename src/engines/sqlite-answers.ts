import type Database from 'better-sqlite3';
import type { AnswerStore, KeptAnswer } from '../core/ports.js';
import { NOW } from './sqlite-schema.js';

/** Answers to requests with an idempotency key. Numbers and times rise together, so the oldest are the lowest. */

const MOST = 10_000;
const OLDEST = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-24 hours')";
/** Expired ones that are removed with each new one: what comes in a day goes in a day. */
const AT_ONCE = 10;

type Row = Omit<KeptAnswer, 'headers'> & { headers: string };

export function answersOf(db: Database.Database): AnswerStore {
  const one = db.prepare<[string], Row>(
    `SELECT fingerprint, status, headers, body FROM answers WHERE key = ? AND created_at > ${OLDEST}`,
  );
  const expire = db.prepare(`DELETE FROM answers WHERE key = ? AND created_at <= ${OLDEST}`);
  const keep = db.prepare(
    `INSERT OR IGNORE INTO answers (key, fingerprint, status, headers, body, created_at)
     VALUES (@key, @fingerprint, @status, @headers, @body, ${NOW})`,
  );
  const prune = db.prepare(
    `DELETE FROM answers WHERE number IN (SELECT number FROM answers ORDER BY number LIMIT ${AT_ONCE})
     AND (created_at <= ${OLDEST} OR number <= (SELECT max(number) FROM answers) - ${MOST})`,
  );
  return {
    answer(key) {
      const row = one.get(key);
      return row && { ...row, headers: JSON.parse(row.headers) as KeptAnswer['headers'] };
    },
    keepAnswer: db.transaction((key: string, { headers, ...answer }: KeptAnswer) => {
      expire.run(key);
      keep.run({ key, ...answer, headers: JSON.stringify(headers) });
      prune.run();
    }),
  };
}
