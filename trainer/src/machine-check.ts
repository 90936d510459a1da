/** What a training needs of the machine besides an engine: Node, memory, disk, and the service's own way with pictures. */
import { statfs } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../../dist/offline.js';
import { TRAINER } from './tensorflow-path.js';

/** One line of `doctor`. `ok`: a training can run as far as this is concerned. */
export interface Finding {
  line: string;
  ok: boolean;
}

const LEAST_MEMORY = 2; // GB: the library alone maps about one
const LEAST_DISK = 1; // GB: checkpoints and packed pictures

/** `folder`: where a training would write. */
export async function checkMachine(folder: string): Promise<Finding[]> {
  return [checkNode(), checkMemory(), await checkDisk(folder), checkThreads(), await checkPictures()];
}

function checkNode(): Finding {
  const { node } = process.versions;
  const [major, minor] = node.split('.').map(Number) as [number, number];
  const ok = (major === 20 && minor >= 19) || major === 21 || major === 22;
  return { ok, line: `Node ${node}: ${ok ? 'ok' : 'install 20 (from 20.19 on) or 22'}` };
}

function checkMemory(): Finding {
  const [free, all] = [process.availableMemory() / 1e9, totalmem() / 1e9];
  const ok = free >= LEAST_MEMORY;
  const mend = `close other programs, ${LEAST_MEMORY} GB are needed at least`;
  return { ok, line: `memory: ${free.toFixed(1)} of ${all.toFixed(1)} GB available: ${ok ? 'ok' : mend}` };
}

async function checkDisk(folder: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(folder);
  const free = (bavail * bsize) / 1e9;
  const ok = free >= LEAST_DISK;
  const mend = `make room, ${LEAST_DISK} GB are needed at least`;
  return { ok, line: `disk: ${free.toFixed(1)} GB free in ${folder}: ${ok ? 'ok' : mend}` };
}

function checkThreads(): Finding {
  const threads = availableParallelism();
  const line = `threads: ${threads}${threads > 1 ? '' : '; views are made by the same core that trains'}`;
  return { ok: true, line };
}

/** 8 x 8 pixels of one colour. */
const PNG =
  'iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAAEUlEQVQI12MwTpuJFTEMLQkAyvtMgRDzNJ8AAAAASUVORK5CYII=';

/** A picture through the service's decoder (sharp) and the shipped encoder (onnxruntime). */
async function checkPictures(): Promise<Finding> {
  try {
    const { createDecoder, createEmbedder, readModel } = await import('../../dist/offline.js');
    const model = join(TRAINER, '..', 'model');
    const { preprocess } = (await readModel(model)).manifest;
    const { image } = await createDecoder().decode(Buffer.from(PNG, 'base64'), preprocess);
    const embedder = await createEmbedder(model);
    const vector = await embedder.embed([image]);
    await embedder.close();
    const ok = Math.abs(Math.hypot(...vector) - 1) < 1e-4;
    const words = ok ? 'decoding and embedding work' : 'the embedding is not of unit length: run npm ci';
    return { ok, line: `pictures: ${words}` };
  } catch (error) {
    return { ok: false, line: `pictures: ${messageOf(error)}; run npm ci` };
  }
}
