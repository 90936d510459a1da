/**
 * Groups of rows that are the same picture: the connected components of the pairs that were joined (a forest of parents,
 * Tarjan 1975). It takes 9 bytes for each row number there may be.
 */
export interface DuplicateGroups {
  /** Two rows that look alike, with their cosine. Joining them again changes nothing but a better score. */
  join(a: number, b: number, score: number): void;
  /** Two rows whose files are the same, byte for byte. */
  joinSame(a: number, b: number): void;
  /** All groups: the one with most rows first, then the one with the smallest row. */
  list(): DuplicateGroup[];
}

export interface DuplicateGroup {
  members: DuplicateMember[]; // by row
}

export interface DuplicateMember {
  row: number;
  score: number; // cosine to the nearest of the group
  exact: boolean; // another one has the same bytes
}

/** For rows from 0 to `rows` - 1. */
export function createDuplicateGroups(rows: number): DuplicateGroups {
  const parent = new Int32Array(rows).fill(ALONE);
  const best = new Float32Array(rows).fill(-1);
  const exact = new Uint8Array(rows);

  /** The row that stands for the group; the way there is halved for the next one who asks. */
  function rootOf(row: number): number {
    let at = row;
    for (let up = parent[at]!; up >= 0; up = parent[at]!) {
      const over = parent[up]!;
      if (over >= 0) parent[at] = over;
      at = up;
    }
    return at;
  }
  function join(a: number, b: number, score: number): void {
    best[a] = Math.max(best[a]!, score);
    best[b] = Math.max(best[b]!, score);
    const [one, other] = [rootOf(a), rootOf(b)];
    if (one !== other) parent[Math.max(one, other)] = Math.min(one, other);
  }

  return {
    join,
    joinSame(a, b) {
      join(a, b, 1);
      exact[a] = 1;
      exact[b] = 1;
    },
    list() {
      const groups = new Map<number, DuplicateGroup>();
      for (let row = 0; row < rows; row++) {
        if (best[row]! < 0) continue;
        const root = rootOf(row);
        const group = groups.get(root) ?? { members: [] };
        groups.set(root, group);
        group.members.push({ row, score: best[row]!, exact: exact[row] === 1 });
      }
      return [...groups.values()].sort((a, b) => b.members.length - a.members.length);
    },
  };
}

const ALONE = -1;
