// Row 7: resident memory of the whole service while it answers, with the exact index alone and with the graph.
import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { dataFolder } from '../data-folder.mjs';
import { ratio } from '../kit.mjs';
import { checked, startOurs, uploads } from '../services.mjs';

const FULL = 1_280_000;
const STARTS = 5;

export const row = {
  id: 'memory',
  title: 'Resident memory of the service (row 7)',
  needs: ['vectors', 'pictures'],
  async run(context) {
    const { model, rows, graphRows, quick, pictures, say } = context;
    const images = await uploads(pictures, quick ? 10 : 50);
    const whole = await dataFolder(context, { rows, graph: false });
    const near = await dataFolder(context, { rows: graphRows, graph: true });
    const asked = { model, images, starts: quick ? 1 : STARTS };
    say(`exact, ${rows} rows`);
    const exact = await measure({ ...whole, ...asked, mode: 'exact' });
    say(`graph, ${graphRows} rows`);
    const graph = await measure({ ...near, ...asked, mode: 'hnsw' });
    const graphMb = (statSync(join(dirname(near.vectors), 'graph.hnsw')).size / 1e6) * (rows / graphRows);
    const limit = (mb) => (rows >= FULL ? mb : null);
    return {
      sides: {},
      ratios: [
        ratio(`exact, MB at ${rows} rows`, exact.VmRSS, limit(600)),
        ratio(`with every page of the graph, MB at ${rows} rows`, exact.VmRSS + graphMb, limit(1300)),
      ],
      facts: { rows, graph_rows: graphRows, mb: { exact, graph_at_graph_rows: graph, graph_file: graphMb } },
      notes: [
        `VmRSS of /proc after searches, all threads of the one process: of ${asked.starts} starts the one with the median.`,
        `The graph is a file that is mapped: what searches touch of it is resident, at most all.${rows === graphRows ? '' : ` Its size is that of its file at ${graphRows} rows, as many bytes a row.`}`,
      ],
    };
  },
};

/** Of several starts the one with the median of resident memory: when V8 collects its garbage is chance. */
async function measure({ folder, model, images, mode, starts }) {
  const found = [];
  for (let i = 0; i < starts; i++) {
    const service = await startOurs({ folder, model });
    try {
      for (const image of [...images, ...images]) checked(await service.search(image, `mode=${mode}`));
      found.push(memoryOf(service.pid));
    } finally {
      await service.stop();
    }
  }
  return found.sort((a, b) => a.VmRSS - b.VmRSS)[starts >> 1];
}

/** MB, of /proc. */
function memoryOf(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const of = (name) => (Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)[1]) * 1024) / 1e6;
  return Object.fromEntries(
    ['VmRSS', 'VmHWM', 'RssAnon', 'RssFile', 'RssShmem'].map((name) => [name, of(name)]),
  );
}
