// faiss and usearch over the same vectors, each in a process of its own.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startPeer } from '../peers/child.mjs';

const THREADS = 2;
const here = (name) => fileURLToPath(new URL(`../peers/${name}`, import.meta.url));
const INSTALL = 'npm run bench:setup installs it';

/** Files of the vectors, for processes that read them. */
export function vectorFiles({ scratch, rows }, { vectors, queries }) {
  const files = { vectors: join(scratch, `bank-${rows}.f32`), queries: join(scratch, 'queries.f32') };
  if (!existsSync(files.vectors)) writeFileSync(files.vectors, bytesOf(vectors));
  writeFileSync(files.queries, bytesOf(queries));
  return files;
}

const bytesOf = (array) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

/** `{sides(n), versions, missing, close}`; a peer that is not installed has no sides and a line in `missing`. */
export async function openPeers(context, { vectors, queries, dimension, K }) {
  const { peers, rows, say } = context;
  const setup = { ...vectorFiles(context, { vectors, queries }), dimension, rows, threads: THREADS };
  const missing = [];
  const open = async (name, there, start) => {
    if (!there) missing.push(`${name} is not there: ${INSTALL}`);
    else say(`opening ${name}`);
    return there ? start() : undefined;
  };
  const faiss = await open('faiss', peers?.python, () =>
    startPeer(peers.python, [here('faiss_side.py')], setup),
  );
  const usearch = await open('usearch', peers?.usearch, () =>
    startPeer(process.execPath, [here('usearch-side.mjs'), peers.usearch], setup),
  ).catch(async (error) => {
    await faiss?.close();
    throw error;
  });
  const count = queries.length / dimension;
  const side = (name, peer, index, n) =>
    peer
      ? [{ name, once: async (i) => (await peer.ask({ index, first: (i * n) % (count - n), n, k: K })).ms }]
      : [];
  return {
    sides: (n) =>
      n === 1
        ? [
            ...side('faiss flat, sharded, 2 threads', faiss, 'sharded', 1),
            ...side('usearch float32, 2 threads', usearch, 'f32', 1),
            ...side('usearch 8-bit, 2 threads', usearch, 'i8', 1),
          ]
        : side(`faiss flat, batch of ${n}`, faiss, 'flat', n),
    versions: { faiss: faiss?.opened.version, usearch: usearch?.opened.version },
    missing,
    close: () => Promise.all([faiss?.close(), usearch?.close()]),
  };
}
