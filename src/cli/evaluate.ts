import { readFile } from 'node:fs/promises';
import { type Client, Problem } from '../../client/dist/index.js';
import { LookalikeError } from '../core/errors.js';
import { listImages } from '../engines/folder.js';
import { type Spread, spreadOf, stageSpreads, type TimedSearch, timedSearch } from './timed-search.js';

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

interface Outcome extends TimedSearch {
  correct: boolean;
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
  const asked = await timedSearch(client, await readFile(path), { query }).catch(refusedPicture);
  return asked && { ...asked, correct: asked.answer.labels[0]?.label === label };
}

/** Null when this picture is at fault. Any other refusal is of the question, and would be of the next one too. */
function refusedPicture(error: unknown): null {
  if (!(error instanceof Problem)) throw error;
  if ([413, 415, 422].includes(error.status) || error.code === 'missing_image') return null;
  throw error;
}

function summarise(options: EvaluateOptions, outcomes: readonly (Outcome | null)[]): Evaluation {
  const answered = outcomes.filter((outcome) => outcome !== null);
  const correct = answered.filter((outcome) => outcome.correct).length;
  return {
    pictures: outcomes.length,
    refused: outcomes.length - answered.length,
    correct,
    accuracy: answered.length === 0 ? 0 : (100 * correct) / answered.length,
    mode: options.mode,
    vote_k: options.voteK,
    temperature: options.temperature,
    concurrency: options.concurrency,
    answer_ms: spreadOf(answered.map(({ milliseconds }) => milliseconds)),
    stages_ms: stageSpreads(answered),
  };
}
