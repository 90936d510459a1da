import { closeSync, openSync, readSync, statSync } from 'node:fs';

/**
 * The outside of a graph file of usearch 2.25. The native reader trusts what it reads: a file that is cut off or of
 * something else ends the process, and one of another dimension loads. So a file is opened only when its header and
 * its size are those of the graph that is expected; what is inside is covered by the generation's checksums.
 *
 * Layout, little-endian: u32 rows, u32 bytes a vector, the vectors; a head of 64 bytes beginning with `usearch`; five
 * u64 (rows, links, links of the lowest layer, top layer, entry); an i16 layer a row; the nodes.
 */
export interface GraphShape {
  rows: number;
  dimension: number;
  vectorBytes: number; // of one row as the graph stores it
}

const MAGIC = 'usearch';
const HEAD = 64;
const DIMENSIONS_AT = 33; // in the head
const GRAPH_HEADER = 5 * 8;
const KEY_AND_LAYER = 8 + 2;
const COUNT = 4; // before each list of links
const LINK = 4;
const LAYER = 2;

/** Why the file cannot be this graph, or null. */
export function faultOfGraphFile(path: string, shape: GraphShape): string | null {
  const bytes = statSync(path, { throwIfNoEntry: false })?.size;
  if (bytes === undefined) return 'there is no such file';
  const file = openSync(path, 'r');
  try {
    return faultOf({ bytes, read: (at, length) => readAt(file, at, length) }, shape);
  } finally {
    closeSync(file);
  }
}

interface Source {
  bytes: number;
  /** Fewer bytes only at the end. */
  read(at: number, length: number): Buffer;
}

function faultOf({ bytes, read }: Source, { rows, dimension, vectorBytes }: GraphShape): string | null {
  if (bytes < 8) return `it has ${bytes} bytes and is no graph`;
  const [found, stored] = [read(0, 4).readUInt32LE(), read(4, 4).readUInt32LE()];
  if (rows > 0 && (found !== rows || stored !== vectorBytes))
    return `it begins with ${found} vectors of ${stored} bytes, ${rows} of ${vectorBytes} were expected`;
  const at = 8 + found * stored;
  const head = read(at, HEAD + GRAPH_HEADER);
  if (head.length < HEAD + GRAPH_HEADER || head.toString('latin1', 0, MAGIC.length) !== MAGIC)
    return 'it is cut off, or no graph of usearch';
  const dimensions = Number(head.readBigUInt64LE(DIMENSIONS_AT));
  if (dimensions !== dimension) return `its vectors have ${dimensions} dimensions, not ${dimension}`;
  const [count, links, lowest] = [0, 8, 16].map((offset) => Number(head.readBigUInt64LE(HEAD + offset)));
  if (count !== rows) return `it holds ${count} rows, ${rows} were expected`;
  const layers = read(at + HEAD + GRAPH_HEADER, rows * LAYER);
  if (layers.length < rows * LAYER) return 'it is cut off';
  const whole =
    at + HEAD + GRAPH_HEADER + rows * LAYER + nodeBytes(layers, { links: links!, lowest: lowest! });
  return whole === bytes ? null : `it has ${bytes} bytes, its nodes say ${whole}`;
}

/** The rows that no path along the links of the lowest layer leads to from the entry: no search finds them, however broad. */
export function unreachable(path: string, { rows, vectorBytes }: GraphShape): number[] {
  if (rows === 0) return [];
  const at = 8 + rows * vectorBytes;
  const file = openSync(path, 'r');
  try {
    return unreached(readAt(file, at, statSync(path).size - at), rows);
  } finally {
    closeSync(file);
  }
}

/** `graph`: the file from its head on. */
function unreached(graph: Buffer, rows: number): number[] {
  const [links, lowest, , entry] = [8, 16, 24, 32].map((at) => Number(graph.readBigUInt64LE(HEAD + at)));
  const layers = HEAD + GRAPH_HEADER;
  const nodes = new Float64Array(rows); // where each begins
  for (let slot = 0, at = layers + rows * LAYER; slot < rows; slot++) {
    nodes[slot] = at;
    const upper = graph.readInt16LE(layers + slot * LAYER);
    at += KEY_AND_LAYER + COUNT + lowest! * LINK + upper * (COUNT + links! * LINK);
  }
  const seen = new Uint8Array(rows);
  const open = [entry!];
  seen[entry!] = 1;
  while (open.length > 0) {
    const list = nodes[open.pop()!]! + KEY_AND_LAYER;
    const end = list + COUNT + graph.readUInt32LE(list) * LINK;
    for (let at = list + COUNT; at < end; at += LINK) {
      const slot = graph.readUInt32LE(at);
      if (seen[slot] === 1) continue;
      seen[slot] = 1;
      open.push(slot);
    }
  }
  const left = Array.from(seen.keys()).filter((slot) => seen[slot] === 0);
  return left.map((slot) => Number(graph.readBigUInt64LE(nodes[slot]!)));
}

function nodeBytes(layers: Buffer, { links, lowest }: { links: number; lowest: number }): number {
  let upper = 0;
  for (let at = 0; at < layers.length; at += LAYER) upper += layers.readInt16LE(at);
  const rows = layers.length / LAYER;
  return rows * (KEY_AND_LAYER + COUNT + lowest * LINK) + upper * (COUNT + links * LINK);
}

function readAt(file: number, at: number, length: number): Buffer {
  const into = Buffer.alloc(length);
  let done = 0;
  while (done < length) {
    const read = readSync(file, into, done, length - done, at + done);
    if (read === 0) break;
    done += read;
  }
  return into.subarray(0, done);
}

/** Bytes that a graph of so many rows takes in memory and, nearly, on disk; `m` links a node and layer. */
export function graphBytes({
  rows,
  vectorBytes,
  m,
}: {
  rows: number;
  vectorBytes: number;
  m: number;
}): number {
  const upper = (COUNT + m * LINK) / (m - 1); // a node is in the next layer with a chance of 1 in m
  const node = KEY_AND_LAYER + COUNT + 2 * m * LINK + LAYER + upper;
  const slots = 2 ** Math.ceil(Math.log2(rows + 1)); // tables of the next power of two
  return Math.ceil(rows * (vectorBytes + node) + slots * SLOT);
}

/** A pointer to the node, one to the vector, and the key's place in a table with room to spare. */
const SLOT = 8 + 8 + 32;
