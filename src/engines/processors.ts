import { readFileSync } from 'node:fs';

/** Which processors this process may use, and on which one a thread is. Linux tells both (proc(5)); elsewhere nobody knows. */

/** Their numbers, ascending; empty where nobody knows. */
export function allowedProcessors(): number[] {
  return processorsOf(/^Cpus_allowed_list:\s*(\S+)$/m.exec(textOf('/proc/self/status'))?.[1] ?? '');
}

/** The numbers of a list as the kernel writes it, `0-3,8`. */
export function processorsOf(list: string): number[] {
  return list.split(',').flatMap((range) => {
    const [, first, last] = /^(\d+)(?:-(\d+))?$/.exec(range) ?? [];
    if (first === undefined) return [];
    return Array.from({ length: Number(last ?? first) - Number(first) + 1 }, (_, i) => Number(first) + i);
  });
}

const PROCESSOR = 39 - 3; // of the fields that follow the command's name, the second

/** Where the calling thread is at this moment; null where nobody knows. */
export function currentProcessor(): number | null {
  const stat = textOf('/proc/thread-self/stat');
  // A name may hold spaces and parentheses itself.
  const number = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[PROCESSOR]);
  return Number.isInteger(number) ? number : null;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
