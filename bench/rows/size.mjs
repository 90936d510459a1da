// Row 10: what a search costs by size, exact and through the graph, and what the graph finds by how long it may look.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createGenerations } from '../../dist/generations.js';
import { SETTINGS } from '../../dist/settings.js';
import { readBank } from '../bank.mjs';
import { inTurns, ratio, timed } from '../kit.mjs';

const K = 200;
const EFS = [200, 300, 400, 600, 1000];

export const row = {
  id: 'size',
  title: 'Cost by size, and recall by breadth (row 10)',
  needs: ['vectors'],
  async run({ vectors: folder, rows, graphRows, quick, scratch, say }) {
    const steps = [1000, 10_000, 100_000, 1_000_000].filter((n) => n < rows);
    const sizes = [...steps, rows];
    const facts = { k: K, exact: [], graph: [], recall: [] };
    const sides = {};
    for (const size of sizes) {
      say(`${size} rows`);
      const bank = readBank(folder, size);
      const graphed = size <= graphRows;
      const opened = await open(bank, size, { scratch, graphed, say });
      const count = bank.queries.length / bank.dimension;
      const query = (i) =>
        bank.queries.subarray((i % count) * bank.dimension, ((i % count) + 1) * bank.dimension);
      try {
        const both = await inTurns(
          [
            {
              name: `exact, ${size} rows`,
              once: (i) => opened.exact.search(query(i), 1, { k: K }).then(() => undefined),
            },
            ...(graphed
              ? [
                  {
                    name: `graph, ${size} rows`,
                    once: (i) => opened.graph.search(query(i), 1, { k: K }).then(() => undefined),
                  },
                ]
              : []),
          ],
          { rounds: quick ? 10 : 60 },
        );
        Object.assign(sides, both);
        facts.exact.push([size, both[`exact, ${size} rows`].median]);
        if (graphed) facts.graph.push([size, both[`graph, ${size} rows`].median]);
        if (graphed) facts.graph_built_s = { ...facts.graph_built_s, [size]: opened.seconds };
        if (size === Math.max(...sizes.filter((n) => n <= graphRows)))
          facts.recall = await recallOf(opened, query, quick ? 20 : 200);
      } finally {
        await opened.close();
      }
    }
    const per = (list, n) => list.find(([size]) => size === n)?.[1];
    const [small, large] = [facts.graph[0], facts.graph.at(-1)];
    return {
      sides,
      ratios: [
        ratio(`graph, ${large[0]} to ${small[0]} rows`, large[1] / small[1], null),
        ratio(
          `exact, ${rows} to ${sizes.at(-2)} rows`,
          per(facts.exact, rows) / per(facts.exact, sizes.at(-2)),
          null,
        ),
      ],
      facts: { ...facts, recall_rows: large[0] },
      notes: [],
    };
  },
};

/** A generation with both indexes where there is to be a graph, else the exact index alone. */
async function open({ vectors, dimension }, rows, { scratch, graphed, say }) {
  if (!graphed) {
    const { createExactIndex } = await import('../../dist/engines/exact-index.js');
    const exact = await createExactIndex({ vectors, rows, dimension, provider: 'cpu', threads: 2 });
    return { exact, close: () => exact.close() };
  }
  const dir = join(scratch, String(rows));
  mkdirSync(dir, { recursive: true });
  const identity = { model_sha256: '0'.repeat(64), dimension };
  const onCrash = (error) => say(error.message);
  const maxVectorBytes = Number(SETTINGS.maxVectorBytes.fallback);
  const parts = { dir, identity, provider: 'cpu', exactThreads: 2, maxVectorBytes, onCrash };
  const generations = createGenerations(parts);
  const source = { mark: rows, rows: Int32Array.from({ length: rows }, (_, i) => i + 1), vectors };
  let generation;
  const ms = await timed(async () => {
    generation = await generations.build(source, { graph: true });
  });
  return {
    ...generation,
    exact: generation.exact,
    graph: generation.graph,
    seconds: ms / 1000,
    close: () => generation.close(),
  };
}

/** Recall of the first 10 and of all K, and the median time, by ef. */
async function recallOf({ exact, graph }, query, asked) {
  const found = [];
  for (const ef of EFS) {
    let recall = 0;
    const times = [];
    for (let i = 0; i < asked; i++) {
      const [truth] = await exact.search(query(i), 1, { k: K });
      let list;
      times.push(
        await timed(async () => {
          [list] = await graph.search(query(i), 1, { k: K, ef });
        }),
      );
      const there = new Set(truth.rows);
      recall += list.rows.filter((one) => there.has(one)).length / truth.rows.length;
    }
    times.sort((a, b) => a - b);
    found.push({ ef, recall: recall / asked, median_ms: times[Math.floor(asked / 2)] });
  }
  return found;
}
