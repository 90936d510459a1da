// Row 5: the graph beside bare hnswlib-node on the same vectors: its build, and a search at recall 0.99.
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import hnswlib from 'hnswlib-node';
import { canonicalScore } from '../../dist/core/vector.js';
import { createExactIndex } from '../../dist/engines/exact-index.js';
import { buildHnswGraph } from '../../dist/engines/hnsw-build.js';
import { COARSE_ERROR, candidates, likelyError, nearest, openGraph } from '../../dist/engines/hnsw-graph.js';
import { createHnswIndex } from '../../dist/engines/hnsw-index.js';
import { readBank } from '../bank.mjs';
import { inSequence, inTurns, leastBreadth, ratio, timed } from '../kit.mjs';

const K = 10;
const RECALL = 0.99;
const EFS = [10, 15, 20, 30, 40, 60, 80, 120, 160, 240, 320, 480, 640];
const M = 16;
const EF_CONSTRUCTION = 200;

export const row = {
  id: 'graph',
  title: 'The graph beside bare hnswlib-node (row 5)',
  needs: ['vectors'],
  async run({ vectors: folder, graphRows: rows, quick, scratch, say }) {
    const { vectors, queries, dimension } = readBank(folder, rows);
    const path = join(scratch, `${rows}.graph`);
    say(`building ours over ${rows} vectors`);
    const parameters = { m: M, efConstruction: EF_CONSTRUCTION };
    const ours_ms = await timed(() => buildHnswGraph({ vectors, rows, dimension, path, ...parameters }));
    say('building hnswlib-node');
    const bare = new hnswlib.HierarchicalNSW('ip', dimension);
    bare.initIndex(rows, M, EF_CONSTRUCTION, 100);
    const bare_ms = await timed(() => {
      for (let i = 0; i < rows; i++)
        bare.addPoint(Array.from(vectors.subarray(i * dimension, (i + 1) * dimension)), i);
    });
    const graph = await createHnswIndex({ graphPath: path, vectors, rows, dimension });
    const exact = await createExactIndex({ vectors, rows, dimension, provider: 'cpu', threads: 2 });
    try {
      const count = queries.length / dimension;
      const query = (i) => queries.subarray((i % count) * dimension, ((i % count) + 1) * dimension);
      const asked = quick ? 20 : 200;
      const truth = [];
      for (let i = 0; i < asked; i++)
        truth.push(new Set((await exact.search(query(i), 1, { k: K }))[0].rows));
      const searchOurs = async (i, ef) => (await graph.search(query(i), 1, { k: K, ef }))[0].rows;
      const searchBare = (i, ef) => {
        bare.setEf(ef);
        return bare.searchKnn(Array.from(query(i)), K).neighbors;
      };
      say(`breadths for a recall of ${RECALL}`);
      const breadthOf = (search) =>
        leastBreadth(EFS, {
          recall: RECALL,
          truth,
          search: (ef) => inSequence(truth.keys(), (i) => search(i, ef)),
        });
      const [ofOurs, ofBare] = [await breadthOf(searchOurs), await breadthOf(searchBare)];
      const sides = await inTurns(
        [
          {
            name: 'lookalike, through its thread',
            once: (i) => searchOurs(i, ofOurs.ef).then(() => undefined),
          },
          { name: 'hnswlib-node, on the calling thread', once: (i) => void searchBare(i, ofBare.ef) },
        ],
        { rounds: quick ? 50 : 1000, warmUp: 20 },
      );
      const names = Object.keys(sides);
      return {
        sides,
        ratios: [
          ratio('search to hnswlib-node', sides[names[0]].median / sides[names[1]].median, 1.1),
          ratio('build, times as fast as hnswlib-node', bare_ms / ours_ms, 1.6, { atLeast: true }),
        ],
        facts: {
          rows,
          k: K,
          build_s: { lookalike: ours_ms / 1000, 'hnswlib-node': bare_ms / 1000 },
          build_threads: { lookalike: availableParallelism(), 'hnswlib-node': 1 },
          lookalike: ofOurs,
          'hnswlib-node': ofBare,
          scored_again: scoredAgain(
            openGraph(path, { rows, dimension }),
            { vectors, dimension },
            truth.map((_, i) => query(i)),
          ),
        },
        notes: [],
      };
    } finally {
      await Promise.all([graph.close(), exact.close()]);
    }
  },
};

const LIST = 200;

/** What the graph's own scores are worth: how many rows are scored again for a list, by either error, and how far off they are. */
function scoredAgain(graph, { vectors, dimension }, queries) {
  const rows = { likely: 0, certain: 0 };
  let [largest, scores] = [0, 0];
  for (const query of queries) {
    const found = nearest(graph, query, EFS.at(-1));
    const kept = (error) => candidates(found, { k: LIST, error }).length;
    rows.likely += kept(likelyError(query)) / queries.length;
    rows.certain += kept(COARSE_ERROR) / queries.length;
    found.rows.forEach((row, i) => {
      const score = canonicalScore(query, 0, vectors, row * dimension, dimension);
      largest = Math.max(largest, Math.abs(score - found.scores[i]));
    });
    scores += found.rows.length;
  }
  return {
    for_a_list_of: LIST,
    rows_by_the_likely_error: rows.likely,
    rows_by_the_largest_possible: rows.certain,
    largest_possible: COARSE_ERROR,
    largest_seen: largest,
    of_scores: scores,
  };
}
