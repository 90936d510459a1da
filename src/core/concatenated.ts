/** The numbers of all parts, one part after the other, in memory of their own. */
export function concatenated<T extends Float32Array | Int32Array | Uint8Array>(
  Type: new (length: number) => T,
  parts: readonly ArrayLike<number>[],
): T {
  const all = new Type(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
