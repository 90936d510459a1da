import { readFile } from 'node:fs/promises';
import { type Answer, type Client, type components, Problem } from '../../client/dist/index.js';
import { LookalikeError } from '../core/errors.js';
import { listImages } from '../engines/folder.js';

/**
 * Weighted-kNN accuracy of a running service, through its HTTP API: every picture of a labelled folder is
 * uploaded, and the label with the largest share is compared with the folder's name (study E1).
 */
export interface EvaluateOptions {
  folder: string; // absolute; sub-folders are labels
  client: Client;
  collection?: string;
  mode: 'auto' | 'hnsw' | 'exact';
  voteK: number;
  temperature: number;
  concurrency: number;
  limit: number;
  onProgress: (done: number, total: number) => void;
}

export interface Evaluation {
  pictures: number;
  refused: number;
  correct: number;
  accuracy: number; // percent of the answered pictures
  mode: string;
  vote_k: number;
  temperature: number;
  concurrency: number;
  answer_ms: Spread; // seen by this client, over HTTP
  stages_ms: Record<string, Spread>; // from Server-Timing
}

type SearchAnswer = components['schemas']['SearchAnswer'];

interface Spread {
  p50: number;
  p99: number;
  max: number;
}

interface Outcome {
  correct: boolean;
  milliseconds: number;
  stages: Map<string, number>;
}

export async function evaluate(options: EvaluateOptions): Promise<Evaluation> {
  const labelled = (await listImages(options.folder)).filter(({ label }) => label !== null);
  if (labelled.length === 0)
    throw new LookalikeError(
      'nothing_to_index',
      `${options.folder} holds no pictures in sub-folders, and their names are the labels`,
    );
  // Every n-th, so that a limit takes from all labels alike.
  const stride = Math.max(1, Math.floor(labelled.length / options.limit));
  const pictures = labelled.filter((_, i) => i % stride === 0).slice(0, options.limit);
  const outcomes: (Outcome | null)[] = [];
  let next = 0;
  const work = async () => {
    while (next < pictures.length) {
      const { path, label } = pictures[next++]!;
      outcomes.push(await askOne(options, path, label!));
      options.onProgress(outcomes.length, pictures.length);
    }
  };
  await Promise.all(Array.from({ length: options.concurrency }, work));
  return summarise(options, outcomes);
}

async function askOne(options: EvaluateOptions, path: string, label: string): Promise<Outcome | null> {
  const { client, collection, voteK, temperature, mode } = options;
  const query = { k: 1, vote_k: voteK, temperature, mode, ...(collection !== undefined && { collection }) };
  const body = new FormData();
  body.set('image', new Blob([await readFile(path)]), 'image');
  const started = performance.now();
  const answered = await client.call('post', '/v1/search', { query, body }).catch(refusedPicture);
  if (answered === null) return null;
  const milliseconds = performance.now() - started;
  const { data, headers }: Answer<SearchAnswer> = answered;
  const stages = parseServerTiming(headers.get('server-timing') ?? '');
  return { correct: data.labels[0]?.label === label, milliseconds, stages };
}

/** Null when this picture is at fault. Any other refusal is of the question, and would be of the next one too. */
function refusedPicture(error: unknown): null {
  if (!(error instanceof Problem)) throw error;
  if ([413, 415, 422].includes(error.status) || error.code === 'missing_image') return null;
  throw error;
}

/** `decode;dur=1.2, embed;dur=3.4` as a map of milliseconds. */
function parseServerTiming(header: string): Map<string, number> {
  const entries = [...header.matchAll(/([\w-]+);dur=([\d.]+)/g)];
  return new Map(entries.map(([, name, value]) => [name!, Number(value)]));
}

function summarise(options: EvaluateOptions, outcomes: readonly (Outcome | null)[]): Evaluation {
  const answered = outcomes.filter((outcome) => outcome !== null);
  const correct = answered.filter((outcome) => outcome.correct).length;
  const stages = new Set(answered.flatMap(({ stages }) => [...stages.keys()]));
  return {
    pictures: outcomes.length,
    refused: outcomes.length - answered.length,
    correct,
    accuracy: answered.length === 0 ? 0 : (100 * correct) / answered.length,
    mode: options.mode,
    vote_k: options.voteK,
    temperature: options.temperature,
    concurrency: options.concurrency,
    answer_ms: spread(answered.map(({ milliseconds }) => milliseconds)),
    stages_ms: Object.fromEntries(
      [...stages].map((stage) => [stage, spread(answered.map(({ stages }) => stages.get(stage) ?? 0))]),
    ),
  };
}

function spread(values: number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return { p50: at(0.5), p99: at(0.99), max: sorted.at(-1) ?? 0 };
}
