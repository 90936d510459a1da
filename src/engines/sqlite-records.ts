import type Database from 'better-sqlite3';
import type { Store } from '../core/ports.js';

/** What was worked out about a space (calibration, reports): derived, and kept so that a restart has it. */

type Records = Pick<Store, 'record' | 'saveRecord' | 'recordEntries'>;

/** The statements are compiled once; what is returned binds them to a space. */
export function prepareRecords(db: Database.Database): (space: number) => Records {
  const one = db
    .prepare<[number, string], string>('SELECT value FROM records WHERE space = ? AND name = ? AND place = 0')
    .pluck();
  const some = db.prepare<[number, string, number, number], { place: number; value: string }>(
    'SELECT place, value FROM records WHERE space = ? AND name = ? AND place > ? ORDER BY place LIMIT ?',
  );
  const remove = db.prepare('DELETE FROM records WHERE space = ? AND name = ?');
  const insert = db.prepare('INSERT INTO records (space, name, place, value) VALUES (?, ?, ?, ?)');
  const save = db.transaction((space: number, name: string, values: readonly unknown[]) => {
    remove.run(space, name);
    values.forEach((value, place) => {
      insert.run(space, name, place, JSON.stringify(value));
    });
  });
  return (space) => ({
    record(name) {
      const text = one.get(space, name);
      return text === undefined ? undefined : (JSON.parse(text) as unknown);
    },
    saveRecord: (name, value, entries = []) => void save(space, name, [value, ...entries]),
    recordEntries: (name, after, limit) =>
      some.all(space, name, Math.max(0, after), limit).map(({ place, value }) => {
        return { place, value: JSON.parse(value) as unknown };
      }),
  });
}
