// Row 4: answers a second and their times against the number of clients, what is refused beyond, and the longest block of the
// main thread.
import { dataFolder } from '../data-folder.mjs';
import { ratio, spread } from '../kit.mjs';
import { load, peerSetup, startFastapi, startNaive, startOurs, uploads } from '../services.mjs';

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
    const setup = peerSetup(data, model);
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
      for (const one of services) await load(one, { clients: 2, seconds: 0.5, images });
      const idle = await idleDelay(ours);
      const counted = services.map(({ name }) => ({ name, levels: CLIENTS.map(() => []) }));
      const blocks = [];
      for (let turn = 0; turn < turns; turn++)
        for (const [level, clients] of CLIENTS.entries()) {
          say(`${clients} clients`);
          for (const [i, one] of services.entries()) {
            if (one.service === ours) await delays(ours); // they count from the last look
            counted[i].levels[level].push(await load(one, { clients, seconds, images }));
            if (one.service === ours) blocks.push({ clients, ...(await delays(ours)) });
          }
        }
      say(`${BEYOND} clients`);
      const beyond = await load(services[0], { clients: BEYOND, seconds, images });
      const curves = Object.fromEntries(counted.map(({ name, levels }) => [name, levels.map(joined)]));
      const worst = Math.max(...blocks.map(({ max }) => max));
      const block = Math.max(0, 1000 * (worst - idle));
      return {
        sides: sidesOf(curves),
        ratios: [...ratiosOf(curves), ratio('longest block of the main thread, ms', block, 5)],
        facts: {
          graph_rows: graphRows,
          clients: CLIENTS,
          curves,
          beyond: { clients: BEYOND, ...joined([beyond]) },
          blocks,
          idle_delay_s: idle,
        },
        notes: [
          'The clients run on the same machine, one process for all; FastAPI is compared with the better of its two numbers of encoder threads.',
          'The block is the longest delay of a timer of the main thread, less the median delay of an idle one.',
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

/** The delays of the main thread since the last look, seconds. */
async function delays(service) {
  const { text } = await service.get('/metrics');
  const of = (which) =>
    Number(new RegExp(`^lookalike_event_loop_delay_${which}_seconds (\\S+)$`, 'm').exec(text)[1]);
  return { p50: of('p50'), p99: of('p99'), max: of('max') };
}

/** The median while nothing runs: the timer's own length. */
async function idleDelay(service) {
  await delays(service);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  return (await delays(service)).p50;
}
