/** Who trains into a folder right now: two trainings in one folder would spoil each other's checkpoints. */
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { resolve } from 'node:path';

const PROCESSES = '/proc'; // Linux; elsewhere nobody can be seen

/** The id of a process whose command line says `--out <folder>`, or null. */
export function writerOf(folder: string): number | null {
  if (!existsSync(PROCESSES)) return null;
  const ids = readdirSync(PROCESSES).filter((name) => /^\d+$/.test(name));
  return ids.map(Number).find((id) => id !== process.pid && writesTo(id, folder)) ?? null;
}

function writesTo(id: number, folder: string): boolean {
  try {
    const words = readFileSync(`${PROCESSES}/${id}/cmdline`, 'utf8').split('\0');
    const at = words.indexOf('--out');
    if (at < 0 || !words.some((word) => word.endsWith('main.js'))) return false;
    return resolve(readlinkSync(`${PROCESSES}/${id}/cwd`), words[at + 1]!) === folder;
  } catch {
    return false; // ended while it was looked at, or another user's
  }
}
