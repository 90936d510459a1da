// Where the processor time of an answer goes: by thread of the service, beside that of its peers, and what bounds the encoder.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { matrixRate, multiplications } from '../arithmetic.mjs';
import { ratio, spread } from '../kit.mjs';
import {
  breadthFacts,
  checked,
  load,
  servedFolders,
  startFastapi,
  startNaive,
  startOurs,
  uploads,
  WARMED,
  warm,
} from '../services.mjs';

const CLIENTS = [1, 8];
const SIZE = 112;
const TICKS = 100; // of /proc, a second

export const row = {
  id: 'profile',
  title: 'Where the processor time of an answer goes',
  needs: ['vectors', 'pictures'],
  async run(context) {
    const { model, rows, graphRows, quick, peers, pictures, say } = context;
    const { whole, graph, small, smallData, setup } = await servedFolders(context);
    const images = await uploads(pictures, 50);
    const ours = (data, folder) => () => startOurs({ folder: data.folder, model: folder });
    const fastapi = (onnx) => () => startFastapi(peers, { ...setup, onnx: join(onnx, 'encoder.onnx') });
    const services = [
      { name: 'lookalike, graph', start: ours(graph, model), query: 'mode=hnsw' },
      { name: 'lookalike, exact', start: ours(whole, model), query: 'mode=exact' },
      { name: 'lookalike, graph, 8-bit encoder', start: ours(smallData, small), query: 'mode=hnsw' },
      { name: 'Express on one thread', start: () => startNaive(setup), query: `size=${SIZE}` },
      { name: 'FastAPI', start: fastapi(model), query: `size=${SIZE}&threads=1` },
      { name: 'FastAPI, 8-bit encoder', start: fastapi(small), query: `size=${SIZE}&threads=1` },
    ];
    const found = [];
    for (const one of services) {
      const service = await one.start();
      if (!service) continue;
      try {
        const asked = { service, query: one.query };
        checked(await service.search(images[0], one.query));
        await warm(asked, { images, quick });
        for (const clients of CLIENTS) {
          say(`${one.name}, ${clients} client${clients > 1 ? 's' : ''}`);
          await load(asked, { clients, images, seconds: quick ? 0.2 : 1 }); // so many clients, not those before
          const before = await timesOf(service);
          const { times } = await load(asked, { clients, images, seconds: quick ? 0.7 : 6 });
          found.push({ name: one.name, clients, times, parts: since(before, await timesOf(service), times) });
        }
      } finally {
        await service.stop();
      }
    }
    return {
      sides: Object.fromEntries(found.map((one) => [labelOf(one), spread(one.times)])),
      ratios: ratiosOf(found),
      facts: {
        rows,
        graph_rows: graphRows,
        ...breadthFacts(setup),
        processor_ms: Object.fromEntries(found.map((one) => [labelOf(one), one.parts])),
        ...(await encoderFacts(model)),
      },
      notes: NOTES,
    };
  },
};

const labelOf = ({ name, clients }) => `${name}, ${clients} client${clients > 1 ? 's' : ''}`;

const NOTES = [
  WARMED,
  'Milliseconds from sending to the whole answer; the services run one after the other, so only their processor times compare.',
  '"others" are the pools of Node (decoding runs there), of V8 and of onnxruntime, whose threads have no names; the exact index has its helpers among them.',
  'FastAPI has one thread for its encoder here: the cheaper of its two ways.',
  'The best that this machine multiplies is measured by a matrix product of onnxruntime on one thread.',
];

/** Processor seconds by thread where the service tells them, else of the process: `{part: seconds}`. */
async function timesOf(service) {
  const { status, text } = await service.get('/metrics');
  const named =
    status === 200 ? [...text.matchAll(/^lookalike_thread_cpu_seconds\{thread="([^"]+)"\} (\S+)$/gm)] : [];
  if (named.length > 0) return Object.fromEntries(named.map(([, thread, value]) => [thread, Number(value)]));
  const words = readFileSync(`/proc/${service.pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return { process: (Number(words[11]) + Number(words[12])) / TICKS };
}

/** Milliseconds an answer of each part. */
const since = (before, after, { length }) =>
  Object.fromEntries(
    Object.entries(after)
      .map(([part, seconds]) => [part, (1000 * (seconds - (before[part] ?? 0))) / length])
      .filter(([, ms]) => ms >= 0.02)
      .sort(([, a], [, b]) => b - a),
  );

const total = ({ parts }) => Object.values(parts).reduce((sum, ms) => sum + ms, 0);

function ratiosOf(found) {
  const of = (name) => found.find((one) => one.name === name && one.clients === CLIENTS.at(-1));
  const pairs = [
    ['lookalike, graph', 'Express on one thread'],
    ['lookalike, graph', 'FastAPI'],
    ['lookalike, graph, 8-bit encoder', 'FastAPI, 8-bit encoder'],
  ];
  return pairs
    .filter(([, peer]) => of(peer))
    .map(([own, peer]) =>
      ratio(
        `processor time an answer at 8 clients, ${own} to ${peer}`,
        total(of(own)) / total(of(peer)),
        null,
      ),
    );
}

async function encoderFacts(model) {
  const needed = multiplications(join(model, 'encoder.onnx'), SIZE) / 1e6;
  const best = await matrixRate(1);
  return {
    encoder_million_multiplications: Math.round(needed),
    million_multiplications_a_ms_at_best: best,
    encoder_ms_at_that_rate: needed / best,
  };
}
