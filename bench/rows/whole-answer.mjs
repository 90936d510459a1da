// Row 3: the whole answer. One client sends a photograph of 500 x 375 over HTTP and gets labels and neighbours.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openRuns } from '../../dist/engines/onnx-runs.js';
import { encoderRun, openEncoderSession } from '../../dist/engines/onnx-session.js';
import { createDecoder, readModel, toTensor } from '../../dist/offline.js';
import { inTurns, quantile, ratio } from '../kit.mjs';
import { readProbe } from '../probe.mjs';
import {
  breadthFacts,
  checked,
  modelAt,
  servedFolders,
  startFastapi,
  startNaive,
  startOurs,
  uploads,
  WARMED,
  warm,
} from '../services.mjs';

const OWN_SIZE = 112;
const SIZES = [OWN_SIZE, 224];
const PAUSE = 120; // milliseconds; idle threads of the peers' onnxruntime keep spinning after an answer

export const row = {
  id: 'whole-answer',
  title: 'The whole answer over HTTP, one client (row 3)',
  needs: ['vectors', 'pictures'],
  async run(context) {
    const { model, scratch, rows, graphRows, quick, peers, say, pictures } = context;
    const { whole, graph, small, smallData, setup } = await servedFolders(context);
    const images = await uploads(pictures, 20);
    say(`opening the peers over ${graphRows} rows`);
    const fastapi = await startFastapi(peers, setup);
    const fastapi8 = await startFastapi(peers, { ...setup, onnx: join(small, 'encoder.onnx') });
    const naive = await startNaive(setup);
    const found = { sides: {}, stages: {} };
    try {
      for (const size of SIZES) {
        say(`${size} px`);
        const at = (folder, name) => modelAt(folder, size, join(scratch, `${name}-${size}`));
        const ours = [
          { name: name.exact(size), mode: 'exact', data: whole.folder, model: at(model, 'model') },
          { name: name.graph(size), mode: 'hnsw', data: graph.folder, model: at(model, 'model') },
          { name: name.small(size), mode: 'hnsw', data: smallData.folder, model: at(small, 'model-int8') },
        ];
        await measure({ size, ours, images, fastapi, fastapi8, naive, quick }, found);
      }
      const readGbS = await readRate(rows);
      const versions = fastapi && JSON.parse((await fastapi.get('/versions')).text);
      return {
        sides: found.sides,
        ratios: SIZES.flatMap((size) => ratiosOf(found.sides, { size, rows, graphRows, readGbS })),
        facts: {
          rows,
          graph_rows: graphRows,
          ...breadthFacts(setup),
          read_gb_s: readGbS,
          stages_ms: found.stages,
          peers: versions,
        },
        notes: notes(context, fastapi),
      };
    } finally {
      await Promise.all([fastapi?.stop(), fastapi8?.stop(), naive.stop()]);
    }
  },
};

const name = {
  exact: (size) => `lookalike, exact, ${size} px`,
  graph: (size) => `lookalike, graph, ${size} px`,
  small: (size) => `lookalike, graph, 8-bit encoder, ${size} px`,
  fastapi: (size, threads) => `FastAPI, encoder on ${threads} thread${threads > 1 ? 's' : ''}, ${size} px`,
  fastapi8: (size, threads) =>
    `FastAPI, 8-bit encoder on ${threads} thread${threads > 1 ? 's' : ''}, ${size} px`,
  naive: (size) => `Express on one thread, ${size} px`,
  decode: (size) => `only decoding, ${size} px`,
  encode: (size) => `only the encoder on 2 threads, ${size} px`,
};

/** What no service of these libraries can do without: sharp's decoding and onnxruntime's run, nothing around them. */
async function leastOf({ size, model, images }) {
  const { manifest, onnxPath } = await readModel(model);
  const { preprocess } = manifest;
  const decoder = createDecoder();
  const bytes = readFileSync(onnxPath);
  const run = await openRuns({
    intraOpThreads: 2,
    open: async (threads) => encoderRun(await openEncoderSession(bytes, threads), manifest),
  });
  const decoded = [];
  for (const image of images) decoded.push((await decoder.decode(image, preprocess)).image);
  const tensors = decoded.map((one) => toTensor([one], preprocess));
  return [
    {
      name: name.decode(size),
      once: (i) => decoder.decode(images[i % images.length], preprocess).then(() => undefined),
    },
    {
      name: name.encode(size),
      once: (i) => run()(tensors[i % images.length], 1).then(() => undefined),
    },
  ];
}

async function measure({ size, ours, images, fastapi, fastapi8, naive, quick }, { sides, stages }) {
  const image = (i) => images[i % images.length];
  const services = new Map(); // by what they serve: two modes may be asked of one
  const asking = (name, asked, seen = () => undefined) => ({
    name,
    asked,
    once: async (i) => seen(checked(await asked.service.search(image(i), asked.query))),
  });
  const side = async ({ name, mode, data, model }) => {
    const key = `${data} ${model}`;
    if (!services.has(key)) services.set(key, await startOurs({ folder: data, model }));
    stages[name] = {};
    return asking(name, { service: services.get(key), query: `mode=${mode}` }, ({ headers }) => {
      for (const [stage, ms] of timing(headers['server-timing'])) {
        stages[name][stage] ??= [];
        stages[name][stage].push(ms);
      }
    });
  };
  const other = (name, service, query) => (service ? [asking(name, { service, query })] : []);
  try {
    const own = [];
    for (const one of ours) own.push(await side(one));
    const peers = [1, 2].flatMap((threads) => [
      ...other(name.fastapi(size, threads), fastapi, `size=${size}&threads=${threads}`),
      ...other(name.fastapi8(size, threads), fastapi8, `size=${size}&threads=${threads}`),
    ]);
    const least = await leastOf({ size, model: ours[0].model, images });
    const all = [...own, ...peers, ...other(name.naive(size), naive, `size=${size}`), ...least];
    for (const { asked } of all) if (asked) await warm(asked, { images, quick });
    const counts = quick ? { rounds: 5, block: 5, warmUp: 5 } : { rounds: 300, block: 10, warmUp: 10 };
    Object.assign(sides, await inTurns(all, { ...counts, pause: PAUSE }));
  } finally {
    await Promise.all([...services.values()].map((service) => service.stop()));
  }
  for (const { name } of ours)
    for (const [stage, list] of Object.entries(stages[name])) stages[name][stage] = median(list);
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
  const bestOf = (side) => {
    const tuned = [1, 2].map((threads) => sides[side(size, threads)]?.median).filter(Boolean);
    return tuned.length > 0 ? Math.min(...tuned) : undefined;
  };
  const [best, best8] = [bestOf(name.fastapi), bestOf(name.fastapi8)];
  const naive = sides[name.naive(size)].median;
  const least = sides[name.decode(size)].median + sides[name.encode(size)].median;
  const fast = readGbS >= 20 && rows >= 1_280_000; // the target is of such a machine
  const small = sides[name.small(size)].median;
  const of8 = best8
    ? [
        ratio(`8-bit encoder, to FastAPI with the same file, ${size} px`, small / best8, 0.9),
        ratio(`8-bit encoder, to FastAPI in float32, ${size} px`, small / best, 0.6),
      ]
    : [];
  const whole = [
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
  const floor = best
    ? [ratio(`decoding and encoder alone, to FastAPI's whole answer, ${size} px`, least / best, null)]
    : [];
  return [...whole, ...of8, ...floor];
}

const notes = ({ rows, graphRows, peers }, fastapi) => [
  WARMED,
  'A client asks one service eleven times in a row, the first not counted, and after a pause the next one.',
  'All graphs are searched as broadly as a recall of 0.99 of the true 200 takes: the service finds its breadth itself, the peers are given theirs.',
  'FastAPI is compared with the better of its two numbers of encoder threads. All sides run the same ONNX file in float32, those of the 8-bit encoder that of `lookalike quantise`.',
  ...(rows === graphRows
    ? []
    : [`The peers search graphs of ${graphRows} rows, also where the exact index reads ${rows}.`]),
  ...(fastapi ? [] : (peers?.missing ?? ['the Python peer is not installed'])),
];
