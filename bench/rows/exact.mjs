// Rows 1 and 2: the exact index on the CPU, one query and a batch of 32, beside reading its bytes once, the float32 graph
// of onnxruntime, faiss and usearch; and whether its lists are those of a plain scan.

import { scanTopK } from '../../dist/core/top-k.js';
import { createExactIndex } from '../../dist/engines/exact-index.js';
import { openExactSession } from '../../dist/engines/exact-session.js';
import { randomBank, readBank } from '../bank.mjs';
import { inTurns, ratio } from '../kit.mjs';
import { readProbe } from '../probe.mjs';
import { openPeers } from './exact-peers.mjs';

const K = 200;
const BATCH = 32;

export const row = {
  id: 'exact',
  needs: ['vectors'],
  title: 'Exact search on the CPU (rows 1 and 2)',
  async run(context) {
    const bank = readBank(context.vectors, context.rows);
    const real = await measure(context, bank, { peers: true });
    const random = await measure(context, { ...bank, vectors: randomBank(context.rows, bank.dimension) }, {});
    return {
      ...real,
      facts: {
        ...real.facts,
        rows: context.rows,
        real_rows: bank.real,
        random_single_ms: random.sides['lookalike, 2 threads'].median,
        random_lists_equal: random.facts.lists_equal,
      },
    };
  },
};

async function measure(context, { vectors, queries, dimension }, { peers }) {
  const { rows, quick, say } = context;
  const bank = { vectors, rows, dimension };
  const count = queries.length / dimension;
  const query = (i, n = 1) => {
    const first = (i * n) % (count - n);
    return queries.subarray(first * dimension, (first + n) * dimension);
  };
  say('opening the indexes');
  const one = await createExactIndex({ ...bank, provider: 'cpu', threads: 1 });
  const two = await createExactIndex({ ...bank, provider: 'cpu', threads: 2 });
  const probe = await readProbe(rows * dimension, 2);
  const others = peers
    ? await openPeers(context, { vectors, queries, dimension, K })
    : { sides: () => [], versions: {}, missing: [], close() {} };
  const graph = peers ? await openExactSession(bank, { provider: 'cpu', intraOpThreads: 2 }) : undefined;
  try {
    const rounds = quick ? 5 : 50;
    say('single queries');
    const single = await inTurns(
      [
        { name: 'reading the 8-bit plane, 2 threads', once: () => probe.read().then(() => undefined) },
        { name: 'lookalike, 1 thread', once: (i) => one.search(query(i), 1, { k: K }).then(() => undefined) },
        {
          name: 'lookalike, 2 threads',
          once: (i) => two.search(query(i), 1, { k: K }).then(() => undefined),
        },
        ...(graph
          ? [
              {
                name: 'onnxruntime float32, 2 threads',
                once: (i) => graph.search(query(i), 1, K).then(() => undefined),
              },
            ]
          : []),
        ...others.sides(1),
      ],
      { rounds, block: quick ? 1 : 5 },
    );
    say('batches');
    const batch = await inTurns(
      [
        {
          name: `lookalike, batch of ${BATCH}`,
          once: (i) => two.search(query(i, BATCH), BATCH, { k: K }).then(() => undefined),
        },
        ...(graph
          ? [
              {
                name: `onnxruntime float32, batch of ${BATCH}`,
                once: (i) => graph.search(query(i, BATCH), BATCH, K).then(() => undefined),
              },
            ]
          : []),
        ...others.sides(BATCH),
      ],
      { rounds: quick ? 2 : 8, warmUp: 1 },
    );
    say('lists against a plain scan');
    const lists_equal = await equalLists(two, bank, query, quick ? 5 : 25);
    return {
      sides: { ...single, ...batch },
      ratios: peers ? ratiosOf({ ...single, ...batch }, lists_equal) : [],
      facts: {
        lists_equal,
        k: K,
        peers: others.versions,
        read_gb_s: (rows * dimension) / 1e6 / single['reading the 8-bit plane, 2 threads'].median,
      },
      notes: others.missing,
    };
  } finally {
    await Promise.all([one.close(), two.close(), probe.close(), graph?.close(), others.close()]);
  }
}

/** How many of so many lists are the plain scan's, row by row and score by score. */
async function equalLists(index, bank, query, lists) {
  let equal = 0;
  for (let i = 0; i < lists; i++) {
    const [found] = await index.search(query(i), 1, { k: K });
    const truth = scanTopK(bank, query(i), { k: K });
    const same = found.rows.every(
      (row, at) => row === truth.rows[at] && found.scores[at] === truth.scores[at],
    );
    if (same && found.exact && found.rows.length === truth.rows.length) equal++;
  }
  return `${equal} of ${lists}`;
}

function ratiosOf(sides, listsEqual) {
  const ours = sides['lookalike, 2 threads'].median;
  const batch = sides[`lookalike, batch of ${BATCH}`].median;
  const to = (name, limit, value = ours) =>
    sides[name] ? [ratio(`to ${name}`, value / sides[name].median, limit)] : [];
  const [equal, of] = listsEqual.split(' of ').map(Number);
  return [
    ...to('reading the 8-bit plane, 2 threads', 2),
    ...to('onnxruntime float32, 2 threads', 1 / 3),
    ...to('faiss flat, sharded, 2 threads', 1 / 3),
    ...to('usearch float32, 2 threads', 1 / 3),
    ...to('usearch 8-bit, 2 threads', 1 / 2),
    ...to(`faiss flat, batch of ${BATCH}`, 1 / 2, batch),
    ...to(`onnxruntime float32, batch of ${BATCH}`, null, batch),
    ratio('lists equal to a plain scan', equal / of, 1, { atLeast: true }),
  ];
}
