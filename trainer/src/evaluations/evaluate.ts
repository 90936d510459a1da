/** E1 as a command's work: the exported encoder and two baselines through the same sweep. */
import { createEmbedder } from '../../../dist/offline.js';
import type { Labelled } from '../evaluate.js';
import { labelledPart } from '../evaluate.js';
import { embedPack } from '../export.js';
import type { Pack } from '../pack.js';
import { percent } from '../report.js';
import { PAPER, readAbout } from './about.js';
import { type Compared, RAW_PIXELS_SIDE, randomNetwork, rawPixels } from './baselines.js';
import { type Opened, openModel } from './opened.js';
import { type Grid, type Method, measureGrid, QUOTED, type SweepStudy } from './sweep.js';

export interface SweepRequest extends Grid {
  out: string; // of a finished training
  pictures: string; // labelled folder: the neighbours
  heldOut: string; // labelled folder: the queries
  plot: string; // the plot's file name beside the JSON
}

export async function sweepStudy({
  out,
  pictures,
  heldOut,
  plot,
  k,
  temperature,
}: SweepRequest): Promise<SweepStudy> {
  const opened = await openModel(out, { pictures, heldOut });
  const { report, manifest } = opened;
  const { known, asked } = await opened.packs(manifest.input.width);
  const small = await opened.packs(RAW_PIXELS_SIDE);
  const unreadable = known.unreadable.length + asked.unreadable.length;
  report.say(
    `${asked.count} held-out pictures ask ${known.count} known ones${unreadable > 0 ? `; ${unreadable} cannot be read` : ''}`,
  );
  const methods: Method[] = [];
  const measure = async (name: string, vectors: () => Compared | Promise<Compared>) => {
    report.live(`measuring: ${name}`);
    const started = performance.now();
    const compared = await vectors();
    const votes = measureGrid(compared.known, compared.asked, { k, temperature });
    methods.push({ name, ...votes, seconds: Math.round((performance.now() - started) / 100) / 10 });
    report.say(`${name}: kNN ${percent(votes.quoted)} (k ${QUOTED.k}, temperature ${QUOTED.temperature})`);
  };
  await measure('trained encoder', () => embedBoth(opened, known, asked));
  await measure(`raw pixels ${RAW_PIXELS_SIDE}x${RAW_PIXELS_SIDE}, centred`, () =>
    rawPixels(small.known, small.asked),
  );
  await measure('random network', () => randomNetwork(manifest.settings, known, asked));
  return {
    kind: 'sweep',
    about: readAbout(out),
    paper: [PAPER.cifar, PAPER.imagenet],
    plot,
    k,
    temperature,
    known: { pictures: known.count, labels: new Set(known.images.map(({ label }) => label)).size },
    held_out: { pictures: asked.count, sha256: asked.dataSha256 },
    quoted: QUOTED,
    methods,
  };
}

/** By the exported encoder, as the service would. */
export async function embedBoth({ out }: Opened, known: Pack, asked: Pack): Promise<Compared> {
  const embedder = await createEmbedder(out);
  try {
    const of = async (pack: Pack): Promise<Labelled> => labelledPart(pack, await embedPack(embedder, pack));
    return { known: await of(known), asked: await of(asked) };
  } finally {
    await embedder.close();
  }
}
