/**
 * Eigenvectors of a symmetric matrix in float64: Householder's reflections make it tridiagonal, implicit QL steps
 * make that diagonal (Golub and Van Loan, Matrix Computations, 8.3). All inner loops run along rows of flat arrays.
 */

export interface Eigen {
  values: Float64Array; // n, descending
  vectors: Float64Array; // n x n: row i has unit length and belongs to values[i]; its largest number is positive
}

const MOST_STEPS = 60; // for one eigenvalue; two or three are usual

/** `matrix`: n x n, symmetric; not changed. Throws when a number is not finite. */
export function symmetricEigen(matrix: Float64Array, n: number): Eigen {
  const { diagonal, off, reflections } = tridiagonalise(matrix.slice(), n);
  const rows = accumulate(reflections, n);
  diagonalise({ diagonal, off, rows });
  const order = Array.from(diagonal.keys()).sort((a, b) => diagonal[b]! - diagonal[a]!);
  const vectors = new Float64Array(n * n);
  order.forEach((from, to) => {
    vectors.set(oriented(rows[from]!), to * n);
  });
  return { values: Float64Array.from(order, (i) => diagonal[i]!), vectors };
}

/** A vector and its opposite are both right: take the one whose largest number (the first of equals) is positive. */
function oriented(vector: Float64Array): Float64Array {
  const largest = vector.reduce((best, value) => (Math.abs(value) > Math.abs(best) ? value : best), 0);
  return largest < 0 ? vector.map((value) => -value) : vector;
}

interface Tridiagonal {
  diagonal: Float64Array; // n
  off: Float64Array; // n: off[i] stands between i and i + 1, the last is 0
  reflections: Float64Array[]; // each of unit length (or all zero: no reflection), acting on the last numbers
}

/** Overwrites `a`. Reflection k turns column k, below the diagonal, onto its first axis. */
function tridiagonalise(a: Float64Array, n: number): Tridiagonal {
  const off = new Float64Array(n);
  const reflections: Float64Array[] = [];
  for (let k = 0; k < n - 1; k++) {
    const u = a.slice(k * n + k + 1, (k + 1) * n); // row k is column k
    const length = norm(u);
    off[k] = u[0]! > 0 ? -length : length; // the other sign than u[0]: no cancellation
    u[0] = u[0]! - off[k]!;
    const scale = norm(u);
    if (scale > 0) for (let i = 0; i < u.length; i++) u[i] = u[i]! / scale;
    reflect(a, n, u);
    reflections.push(u);
  }
  return { diagonal: Float64Array.from({ length: n }, (_, i) => a[i * n + i]!), off, reflections };
}

const norm = (x: Float64Array) => Math.sqrt(dot(x, x));

function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i]! * y[i]!;
  return sum;
}

/** x += factor * y. */
function addScaled(x: Float64Array, y: Float64Array, factor: number): void {
  for (let i = 0; i < x.length; i++) x[i] = x[i]! + factor * y[i]!;
}

/** The trailing square B of `a` becomes H B H with H = 1 - 2 u u': B - 2 (u w' + w u'), w = B u - (u' B u) u. */
function reflect(a: Float64Array, n: number, u: Float64Array): void {
  const from = n - u.length;
  const row = (i: number) => a.subarray((from + i) * n + from, (from + i + 1) * n);
  const w = u.map((_, i) => dot(row(i), u));
  addScaled(w, u, -dot(u, w));
  for (let i = 0; i < u.length; i++) {
    addScaled(row(i), w, -2 * u[i]!);
    addScaled(row(i), u, -2 * w[i]!);
  }
}

/** The product of all reflections, its columns as rows: they turn the tridiagonal matrix back into the given one. */
function accumulate(reflections: readonly Float64Array[], n: number): Float64Array[] {
  const rows = Array.from({ length: n }, (_, i) => new Float64Array(n).fill(1, i, i + 1));
  for (const u of reflections.toReversed()) {
    const from = n - u.length;
    for (let i = from; i < n; i++) {
      const part = rows[i]!.subarray(from);
      addScaled(part, u, -2 * dot(part, u));
    }
  }
  return rows;
}

interface Turning {
  diagonal: Float64Array;
  off: Float64Array;
  rows: Float64Array[]; // turned along; they end as the eigenvectors
}

/** QL steps until nothing beside the diagonal is left, counted against the largest number of the matrix. */
function diagonalise(matrix: Turning): void {
  const { diagonal, off } = matrix;
  const size = diagonal.reduce((most, value, i) => Math.max(most, Math.abs(value) + Math.abs(off[i]!)), 0);
  if (!Number.isFinite(size)) throw new Error('the matrix has numbers that are not finite');
  const negligible = size * Number.EPSILON;
  for (let first = 0; first < diagonal.length; first++)
    for (let step = 0; ; step++) {
      let last = first;
      while (Math.abs(off[last]!) > negligible) last++; // off ends with 0
      if (last === first) break;
      if (step === MOST_STEPS) throw new Error('the eigenvalues do not converge');
      stepQl(matrix, first, last);
    }
}

/** One implicit QL step with Wilkinson's shift on the rows first .. last. */
function stepQl({ diagonal: d, off: e, rows }: Turning, first: number, last: number): void {
  const half = (d[first + 1]! - d[first]!) / (2 * e[first]!);
  const shift = e[first]! / (half + (half < 0 ? -1 : 1) * Math.hypot(half, 1));
  let g = d[last]! - d[first]! + shift;
  let sine = 1;
  let cosine = 1;
  let carried = 0;
  for (let i = last - 1; i >= first; i--) {
    const f = sine * e[i]!;
    const b = cosine * e[i]!;
    const r = Math.hypot(f, g);
    e[i + 1] = r;
    if (r === 0) {
      // The matrix has come apart here: what is above is found again by the next step.
      d[i + 1] = d[i + 1]! - carried;
      e[last] = 0;
      return;
    }
    sine = f / r;
    cosine = g / r;
    const base = d[i + 1]! - carried;
    const change = (d[i]! - base) * sine + 2 * cosine * b;
    carried = sine * change;
    d[i + 1] = base + carried;
    g = cosine * change - b;
    rotate(rows[i]!, rows[i + 1]!, { sine, cosine });
  }
  d[first] = d[first]! - carried;
  e[first] = g;
  e[last] = 0;
}

function rotate(x: Float64Array, y: Float64Array, { sine, cosine }: { sine: number; cosine: number }): void {
  for (let k = 0; k < x.length; k++) {
    const old = y[k]!;
    y[k] = sine * x[k]! + cosine * old;
    x[k] = cosine * x[k]! - sine * old;
  }
}
