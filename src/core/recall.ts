/**
 * Which part of the k nearest a list of scores holds: those that reach the k-th true score, over k; 0 to 1.
 * Counted by score, not by row: a row that ties with the k-th is as near as the one that the true list
 * happened to take (ann-benchmarks counts so too, by a threshold of distance). Both lists are canonical
 * scores, best first. With fewer true neighbours than k, all of them are wanted; null when there is none.
 */
export function recallAt(k: number, found: ArrayLike<number>, truth: ArrayLike<number>): number | null {
  const wanted = Math.min(k, truth.length);
  if (wanted === 0) return null;
  const least = truth[wanted - 1]!;
  let right = 0;
  while (right < wanted && right < found.length && found[right]! >= least) right++;
  return right / wanted;
}
