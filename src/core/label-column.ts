import { RowSet } from './row-set.js';

/** The labels of all rows in memory, four bytes a row: filters and votes read it instead of the store. */
export class LabelColumn {
  #codes = new Int32Array(1024).fill(ABSENT);
  readonly #names: string[] = [];
  readonly #codeOf = new Map<string, number>();
  readonly #counts = new Map<number, number>();

  /** From the rows of each label; null is for those without one. */
  static of(parts: Iterable<{ label: string | null; rows: readonly number[] }>): LabelColumn {
    const column = new LabelColumn();
    for (const { label, rows } of parts) column.setAll(rows, label);
    return column;
  }

  setAll(rows: readonly number[], label: string | null): void {
    for (const row of rows) this.set(row, label);
  }

  set(row: number, label: string | null): void {
    this.delete(row);
    if (row >= this.#codes.length) this.#grow(row + 1);
    const code = label === null ? UNLABELLED : this.#code(label);
    this.#codes[row] = code;
    this.#counts.set(code, (this.#counts.get(code) ?? 0) + 1);
  }

  delete(row: number): void {
    const code = this.#codes[row] ?? ABSENT;
    if (code === ABSENT) return;
    this.#codes[row] = ABSENT;
    this.#counts.set(code, this.#counts.get(code)! - 1);
  }

  /** The row's label; null when it has none or is not there. */
  get(row: number): string | null {
    return this.#names[this.#codes[row] ?? ABSENT] ?? null;
  }

  /** Whether the row is there, labelled or not. */
  has(row: number): boolean {
    return (this.#codes[row] ?? ABSENT) !== ABSENT;
  }

  /** All rows that are there, in their order; one that was just given may be deleted. */
  *rows(): Generator<number> {
    for (let row = 0; row < this.#codes.length; row++) if (this.#codes[row] !== ABSENT) yield row;
  }

  copy(): LabelColumn {
    const copy = new LabelColumn();
    copy.#codes = this.#codes.slice();
    copy.#names.push(...this.#names);
    for (const [label, code] of this.#codeOf) copy.#codeOf.set(label, code);
    for (const [code, count] of this.#counts) copy.#counts.set(code, count);
    return copy;
  }

  /** label -> rows that carry it; only labels that some row carries. */
  counts(): Map<string, number> {
    const named = [...this.#counts].filter(([code, count]) => code >= 0 && count > 0);
    return new Map(named.map(([code, count]) => [this.#names[code]!, count]));
  }

  get unlabelled(): number {
    return this.#counts.get(UNLABELLED) ?? 0;
  }

  /** Rows that carry one of the labels. */
  rowsWith(labels: readonly string[]): RowSet {
    const wanted = new Uint8Array(this.#names.length); // by code
    for (const label of labels) {
      const code = this.#codeOf.get(label);
      if (code !== undefined) wanted[code] = 1;
    }
    const mask = new Uint8Array(this.#codes.length);
    for (let row = 0; row < mask.length; row++) mask[row] = wanted[this.#codes[row]!] ?? 0; // no code below 0 is wanted
    return new RowSet(mask);
  }

  /** How many of these rows carry a label. */
  labelledAmong(rows: ReadonlySet<number>): number {
    let count = 0;
    for (const row of rows) if (this.#codes[row]! >= 0) count++;
    return count;
  }

  #code(label: string): number {
    let code = this.#codeOf.get(label);
    if (code === undefined) {
      code = this.#names.push(label) - 1;
      this.#codeOf.set(label, code);
    }
    return code;
  }

  #grow(needed: number): void {
    const larger = new Int32Array(Math.max(needed, this.#codes.length * 2)).fill(ABSENT);
    larger.set(this.#codes);
    this.#codes = larger;
  }
}

const ABSENT = -2;
const UNLABELLED = -1;
