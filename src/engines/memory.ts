import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** How much memory this process can still take: what the machine has free, or less where a control group allows less. */

/** In bytes. What the page cache holds counts as available: the kernel gives it up. */
export function availableMemory(): number {
  const groups = process.platform === 'linux' ? groupsOf(textOf('/proc/self/cgroup') ?? '') : [];
  const inGroups = groups.map(roomIn).filter((room) => room !== null);
  // Of a version 1 group the runtime knows the limit; of version 2 it would count the page cache as taken.
  const onMachine = inGroups.length > 0 ? freeOf(textOf('/proc/meminfo') ?? '') : null;
  return Math.min(onMachine ?? process.availableMemory(), ...inGroups);
}

const ROOT = '/sys/fs/cgroup';

/** The folders of a version 2 control group and of all above it: each of them may limit. */
export function groupsOf(membership: string): string[] {
  const path = /^0::(\/.*)$/m.exec(membership)?.[1];
  if (path === undefined) return [];
  const parts = path.split('/').filter((part) => part !== '' && part !== '..');
  return Array.from({ length: parts.length + 1 }, (_, i) => join(ROOT, ...parts.slice(0, i)));
}

function roomIn(folder: string): number | null {
  const [limit, used, stat] = ['memory.max', 'memory.current', 'memory.stat'].map((name) =>
    textOf(join(folder, name)),
  );
  return limit === undefined || used === undefined ? null : roomOf({ limit, used, stat: stat ?? '' });
}

/** Bytes left under a limit; null when there is none. The text of `memory.max`, `memory.current` and `memory.stat`. */
export function roomOf({ limit, used, stat }: { limit: string; used: string; stat: string }): number | null {
  const most = Number.parseInt(limit, 10); // `max` is no number
  if (!Number.isFinite(most)) return null;
  const cached = ['inactive_file', 'active_file'].map((name) => numberAfter(stat, name) ?? 0);
  return Math.max(0, most - Number.parseInt(used, 10) + cached[0]! + cached[1]!);
}

/** `MemAvailable` of /proc/meminfo, in bytes. */
export function freeOf(meminfo: string): number | null {
  const kib = numberAfter(meminfo, 'MemAvailable:');
  return kib === null ? null : kib * 1024;
}

function numberAfter(text: string, name: string): number | null {
  const found = new RegExp(`^${name}\\s+(\\d+)`, 'm').exec(text)?.[1];
  return found === undefined ? null : Number(found);
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
