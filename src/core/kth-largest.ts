/** The k-th largest of the first `count` values, 1 <= k <= count; leaves them in another order (quickselect). */
export function kthLargest(values: Float64Array, count: number, k: number): number {
  let [from, to] = [0, count - 1];
  const wanted = k - 1;
  while (from < to) {
    const pivot = values[(from + to) >> 1]!;
    let [left, right] = [from, to];
    while (left <= right) {
      while (values[left]! > pivot) left++;
      while (values[right]! < pivot) right--;
      if (left > right) break;
      const value = values[left]!;
      values[left++] = values[right]!;
      values[right--] = value;
    }
    if (wanted <= right) to = right;
    else if (wanted >= left) from = left;
    else break;
  }
  return values[wanted]!;
}
