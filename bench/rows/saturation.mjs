// Row 4: answers a second and their times against the number of clients, what is refused beyond, and the longest block of the
// main thread.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { dataFolder } from '../data-folder.mjs';
import { inSequence, ratio, spread } from '../kit.mjs';
import {
  breadthFacts,
  load,
  peerSetup,
  startFastapi,
  startNaive,
  startOurs,
  uploads,
  WARMED,
  warm,
} from '../services.mjs';

const CLIENTS = [1, 2, 4, 8, 16];
const BEYOND = 128; // more than run and wait
const SIZE = 112;

export const row = {
  id: 'saturation',
  title: 'Throughput against concurrency (row 4)',
  needs: ['vectors', 'pictures'],
  async run(context) {
    const { model, graphRows, quick, peers, pictures, say } = context;
    const data = await dataFolder(context, { rows: graphRows, graph: true });
    const images = await uploads(pictures, 50);
    const setup = await peerSetup(context, data, model);
    say('opening the services');
    const ours = await startOurs({ folder: data.folder, model });
    const fastapi = await startFastapi(peers, setup);
    const naive = await startNaive(setup);
    const seconds = quick ? 0.7 : 3;
    const turns = quick ? 1 : 2;
    const services = [
      { name: 'lookalike', service: ours, query: 'mode=hnsw' },
      { name: 'Express on one thread', service: naive, query: `size=${SIZE}` },
      ...(fastapi
        ? [1, 2].map((threads) => ({
            name: `FastAPI, encoder on ${threads} thread${threads > 1 ? 's' : ''}`,
            service: fastapi,
            query: `size=${SIZE}&threads=${threads}`,
          }))
        : []),
    ];
    try {
      for (const one of services) await warm(one, { images, quick });
      const counted = services.map(({ name }) => ({ name, levels: CLIENTS.map(() => []) }));
      for (let turn = 0; turn < turns; turn++)
        for (const [level, clients] of CLIENTS.entries()) {
          say(`${clients} clients`);
          for (const [i, one] of services.entries())
            counted[i].levels[level].push(await load(one, { clients, seconds, images }));
        }
      say(`${BEYOND} clients`);
      const beyond = await load(services[0], { clients: BEYOND, seconds, images });
      await ours.stop();
      const blocks = await blocksOf(context, { data, images, seconds });
      const curves = Object.fromEntries(counted.map(({ name, levels }) => [name, levels.map(joined)]));
      const busiest = worst(
        blocks.map((one) => one.busiest),
        'worked',
      );
      const latest = worst(
        blocks.map((one) => one.latest),
        'late',
      );
      return {
        sides: sidesOf(curves),
        ratios: [
          ...ratiosOf(curves),
          ratio('longest work of the main thread without a turn of its loop, ms', busiest.worked, 5),
        ],
        facts: {
          graph_rows: graphRows,
          ...breadthFacts(setup),
          clients: CLIENTS,
          curves,
          beyond: { clients: BEYOND, ...joined([beyond]) },
          blocks,
          longest_delay_of_a_timer_ms: latest,
        },
        notes: [
          WARMED,
          'The clients run on the same machine, one process for all; FastAPI is compared with the better of its two numbers of encoder threads.',
          'The main thread of a service that is asked for this alone has a timer of 2 ms; between two of its calls the kernel says how long the thread worked and how long it waited for a core, which the clients, the decoder and the encoder want too.',
          ...(fastapi ? [] : (peers?.missing ?? [])),
        ],
      };
    } finally {
      await Promise.all([ours.stop(), fastapi?.stop(), naive.stop()]);
    }
  },
};

/** Some turns of one level as one. */
function joined(turns) {
  const times = turns.flatMap((turn) => turn.times);
  const seconds = turns.reduce((sum, turn) => sum + turn.seconds, 0);
  const refused = turns.reduce((sum, turn) => sum + (turn.statuses[503] ?? 0), 0);
  const others = turns
    .flatMap(({ statuses }) => Object.keys(statuses))
    .filter((s) => !['200', '503'].includes(s));
  if (others.length > 0) throw new Error(`answered with ${others}`);
  return { per_second: times.length / seconds, refused, ms: spread(times) };
}

function sidesOf(curves) {
  const all = Object.entries(curves).flatMap(([name, levels]) =>
    levels.map(({ ms }, i) => [`${name}, ${CLIENTS[i]} client${CLIENTS[i] > 1 ? 's' : ''}`, ms]),
  );
  return Object.fromEntries(all);
}

function ratiosOf(curves) {
  const best = (names) =>
    Math.max(...names.flatMap((name) => curves[name].map(({ per_second }) => per_second)));
  const ours = best(['lookalike']);
  const fastapi = Object.keys(curves).filter((name) => name.startsWith('FastAPI'));
  return [
    ratio('most answers a second, to Express on one thread', ours / best(['Express on one thread']), 1.5, {
      atLeast: true,
    }),
    ...(fastapi.length > 0
      ? [ratio('most answers a second, to FastAPI', ours / best(fastapi), 1, { atLeast: true })]
      : []),
  ];
}

/** The longest delays of the main thread at each level, of a service that is watched: the timer that does so costs it answers. */
async function blocksOf({ model, scratch, quick, say }, { data, images, seconds }) {
  const report = join(scratch, 'main-thread.ndjson');
  rmSync(report, { force: true });
  const service = await startOurs({ folder: data.folder, model, report });
  try {
    const asked = { service, query: 'mode=hnsw' };
    await warm(asked, { images, quick });
    return await inSequence(CLIENTS, async (clients) => {
      say(`the main thread beside ${clients} clients`);
      await mainThread(service, report); // it counts from the last look
      await load(asked, { clients, seconds: 2 * seconds, images });
      return { clients, ...(await mainThread(service, report)) };
    });
  } finally {
    await service.stop();
  }
}

/** The longest delay and the longest work of the main thread since the last look (`main-thread.preload.mjs`). */
async function mainThread({ pid }, report) {
  const lines = () => (existsSync(report) ? readFileSync(report, 'utf8').trim().split('\n') : []);
  const before = lines().length;
  process.kill(pid, 'SIGUSR2');
  while (lines().length === before) await setTimeout(5);
  return JSON.parse(lines().at(-1));
}

const worst = (list, by) => list.reduce((a, b) => (b[by] > a[by] ? b : a));
