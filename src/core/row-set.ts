/**
 * A set of rows as one byte a row: a filter that leaves half of a million rows costs a pass over a megabyte, where a
 * `Set` of them costs hundreds of milliseconds and 30 MB. It is a `ReadonlySet`, so whatever takes one takes it.
 */
export class RowSet implements ReadonlySet<number> {
  readonly #mask: Uint8Array; // 1 for a member
  readonly size: number;

  /** `mask`: not 0 for each member, by row; it belongs to the set from now on. */
  constructor(mask: Uint8Array) {
    this.#mask = mask;
    let size = 0;
    for (let row = 0; row < mask.length; row++) if (mask[row]) size++;
    this.size = size;
  }

  /** Rows in any order, also repeatedly; none is negative. */
  static of(rows: ArrayLike<number>): RowSet {
    let most = -1;
    for (let i = 0; i < rows.length; i++) if (rows[i]! > most) most = rows[i]!;
    const mask = new Uint8Array(most + 1);
    for (let i = 0; i < rows.length; i++) mask[rows[i]!] = 1;
    return new RowSet(mask);
  }

  has(row: number): boolean {
    return this.#mask[row]! > 0; // undefined, beyond the mask, is not
  }

  /** The members of both. */
  and(other: ReadonlySet<number>): RowSet {
    return new RowSet(this.#mask.map((member, row) => (member && other.has(row) ? 1 : 0)));
  }

  /** The members below `end`, ascending. */
  toArray(end = this.#mask.length): Int32Array {
    const rows = new Int32Array(this.size);
    const last = Math.min(end, this.#mask.length);
    let count = 0;
    for (let row = 0; row < last; row++) if (this.#mask[row]) rows[count++] = row;
    return count === rows.length ? rows : rows.slice(0, count);
  }

  *[Symbol.iterator](): SetIterator<number> {
    for (let row = 0; row < this.#mask.length; row++) if (this.#mask[row]) yield row;
  }
  keys = () => this[Symbol.iterator]();
  values = () => this[Symbol.iterator]();
  *entries(): SetIterator<[number, number]> {
    for (const row of this) yield [row, row];
  }
  forEach(step: (row: number, again: number, set: ReadonlySet<number>) => void): void {
    for (const row of this) step(row, row, this);
  }
}
