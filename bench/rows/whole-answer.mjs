// Row 3: the whole answer. One client sends a photograph of 500 x 375 over HTTP and gets labels and neighbours.
import { join } from 'node:path';
import { dataFolder } from '../data-folder.mjs';
import { inTurns, quantile, ratio } from '../kit.mjs';
import { readProbe } from '../probe.mjs';
import { checked, modelAt, peerSetup, startFastapi, startNaive, startOurs, uploads } from '../services.mjs';

const OWN_SIZE = 112;
const SIZES = [OWN_SIZE, 224];

export const row = {
  id: 'whole-answer',
  title: 'The whole answer over HTTP, one client (row 3)',
  needs: ['vectors', 'pictures'],
  async run(context) {
    const { model, scratch, rows, graphRows, quick, peers, say, pictures } = context;
    const whole = await dataFolder(context, { rows, graph: rows === graphRows });
    const graph = rows === graphRows ? whole : await dataFolder(context, { rows: graphRows, graph: true });
    const images = await uploads(pictures, 20);
    const setup = peerSetup(graph, model);
    say(`opening the peers over ${graphRows} rows; their first start builds their graphs`);
    const fastapi = await startFastapi(peers, setup);
    const naive = await startNaive(setup);
    const found = { sides: {}, stages: {} };
    try {
      for (const size of SIZES) {
        say(`${size} px`);
        const folder = modelAt(model, size, join(scratch, `model-${size}`));
        await measure({ size, folder, whole, graph, images, fastapi, naive, quick }, found);
      }
      const readGbS = await readRate(rows);
      const versions = fastapi && JSON.parse((await fastapi.get('/versions')).text);
      return {
        sides: found.sides,
        ratios: SIZES.flatMap((size) => ratiosOf(found.sides, { size, rows, graphRows, readGbS })),
        facts: { rows, graph_rows: graphRows, read_gb_s: readGbS, stages_ms: found.stages, peers: versions },
        notes: notes(context, fastapi),
      };
    } finally {
      await Promise.all([fastapi?.stop(), naive.stop()]);
    }
  },
};

const name = {
  exact: (size) => `lookalike, exact, ${size} px`,
  graph: (size) => `lookalike, graph, ${size} px`,
  fastapi: (size, threads) => `FastAPI, encoder on ${threads} thread${threads > 1 ? 's' : ''}, ${size} px`,
  naive: (size) => `Express on one thread, ${size} px`,
};

async function measure({ size, folder, whole, graph, images, fastapi, naive, quick }, { sides, stages }) {
  const exact = await startOurs({ folder: whole.folder, model: folder });
  const near = graph === whole ? exact : await startOurs({ folder: graph.folder, model: folder });
  const image = (i) => images[i % images.length];
  const ours = (side, service, mode) => ({
    name: side,
    async once(i) {
      const { headers } = checked(await service.search(image(i), `mode=${mode}`));
      stages[side] ??= {};
      for (const [stage, ms] of timing(headers['server-timing'])) {
        stages[side][stage] ??= [];
        stages[side][stage].push(ms);
      }
    },
  });
  const other = (side, service, query) =>
    service ? [{ name: side, once: async (i) => void checked(await service.search(image(i), query)) }] : [];
  try {
    Object.assign(
      sides,
      await inTurns(
        [
          ours(name.exact(size), exact, 'exact'),
          ours(name.graph(size), near, 'hnsw'),
          ...other(name.fastapi(size, 1), fastapi, `size=${size}&threads=1`),
          ...other(name.fastapi(size, 2), fastapi, `size=${size}&threads=2`),
          ...other(name.naive(size), naive, `size=${size}`),
        ],
        { rounds: quick ? 5 : 60, warmUp: quick ? 2 : 5 },
      ),
    );
  } finally {
    await Promise.all([exact.stop(), near === exact ? undefined : near.stop()]);
  }
  for (const side of [name.exact(size), name.graph(size)])
    for (const [stage, list] of Object.entries(stages[side])) stages[side][stage] = median(list);
}

/** The stages of a `Server-Timing` header: `[name, milliseconds]`. */
const timing = (header) =>
  [...header.matchAll(/([\w-]+);dur=([\d.]+)/g)].map(([, stage, ms]) => [stage, Number(ms)]);

const median = (list) =>
  quantile(
    [...list].sort((a, b) => a - b),
    0.5,
  );

/** How fast two threads read the 8-bit plane once, in GB a second. */
async function readRate(rows) {
  const bytes = rows * 128;
  const probe = await readProbe(bytes, 2);
  const sides = await inTurns([{ name: 'read', once: () => probe.read().then(() => undefined) }], {
    rounds: 10,
  });
  await probe.close();
  return bytes / 1e6 / sides.read.median;
}

function ratiosOf(sides, { size, rows, graphRows, readGbS }) {
  const tuned = [1, 2].map((threads) => sides[name.fastapi(size, threads)]?.median).filter(Boolean);
  const best = tuned.length > 0 ? Math.min(...tuned) : undefined;
  const naive = sides[name.naive(size)].median;
  const fast = readGbS >= 20 && rows >= 1_280_000; // the target is of such a machine
  return [
    ['exact', `exact over ${rows} rows`],
    ['graph', `graph over ${graphRows} rows`],
  ].flatMap(([kind, what]) => {
    const { median, p99 } = sides[name[kind](size)];
    return [
      ...(best ? [ratio(`${what}, to FastAPI, ${size} px`, median / best, 0.9)] : []),
      ratio(`${what}, to Express on one thread, ${size} px`, median / naive, 0.7),
      ratio(`${what}, 99th percentile in ms, ${size} px`, p99, fast ? 20 : null),
    ];
  });
}

const notes = ({ rows, graphRows, peers }, fastapi) => [
  'FastAPI is compared with the better of its two numbers of encoder threads; every side runs the same ONNX file in float32.',
  ...(rows === graphRows
    ? []
    : [`The peers search graphs of ${graphRows} rows, also where the exact index reads ${rows}.`]),
  ...(fastapi ? [] : (peers?.missing ?? ['the Python peer is not installed'])),
];
