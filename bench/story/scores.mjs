// How well the reports find what was planted.

/**
 * Groups of duplicates against the copies that were planted. A group that was there before the planting is the
 * collection's own; of the new groups, those are right that hold a copy and its original.
 */
export function judgeDuplicates({ before, after, copies }) {
  const own = new Set(before.groups.map(membersOf));
  const found = copies.filter(({ of, id }) =>
    after.groups.some((group) => holds(group, of) && holds(group, id)),
  );
  const planted = new Set(copies.map(({ id }) => id));
  const isNew = (group) => !own.has(membersOf(group));
  const fresh = after.groups.filter(isNew);
  const right = fresh.filter(
    ({ members }) => members.some(({ id }) => planted.has(id)) && rightOf(members, copies),
  );
  return {
    planted: copies.length,
    found: found.length,
    recall: found.length / copies.length,
    groups: fresh.length,
    precision: fresh.length === 0 ? null : right.length / fresh.length,
    own: before.groups.length,
    by_change: Object.fromEntries(
      [...new Set(copies.map(({ change }) => change))].map((change) => {
        const of = copies.filter((copy) => copy.change === change);
        return [change, { planted: of.length, found: of.filter((copy) => found.includes(copy)).length }];
      }),
    ),
  };
}

const membersOf = ({ members }) =>
  members
    .map(({ id }) => id)
    .sort()
    .join('\n');
const holds = ({ members }, id) => members.some((member) => member.id === id);
const rightOf = (members, copies) =>
  copies.some(({ of, id }) => holds({ members }, of) && holds({ members }, id));

/** The labels in doubt, the surest first, against those that were changed. */
export function judgeDoubts({ doubts, judged }, wrong) {
  const truth = new Map(wrong.map(({ id, was }) => [id, was]));
  const hits = doubts.map(({ id }) => truth.has(id));
  const among = (n) => hits.slice(0, n).filter(Boolean).length;
  const at = [wrong.length, 2 * wrong.length, doubts.length].map((first) => ({
    first,
    precision: doubts.length === 0 ? 0 : among(first) / Math.min(first, doubts.length),
    recall: among(first) / wrong.length,
  }));
  const named = doubts.filter(({ id, suggested }) => truth.get(id) === suggested).length;
  return {
    planted: wrong.length,
    judged,
    doubts: doubts.length,
    by_chance: wrong.length / judged,
    at,
    named,
  };
}
