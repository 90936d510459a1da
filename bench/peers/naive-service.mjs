#!/usr/bin/env node
// The same main job as a first version is written in Node: Express, multer, sharp, onnxruntime-node and hnswlib-node, everything on
// the main thread and with the libraries' own settings.
//   node naive-service.mjs '<setup as JSON>'    prints "ready: <url>" and serves until SIGTERM
// `?size=` is the side of the encoder's input.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import express from 'express';
import hnswlib from 'hnswlib-node';
import multer from 'multer';
import ort from 'onnxruntime-node';
import sharp from 'sharp';

const setup = JSON.parse(process.argv[2]);
const { dimension, rows, mean, std, temperature, input, output } = setup;
const K = 10;
const VOTE_K = 200;
const labelOf = (row) => `class ${row % 10}`;

function openIndex() {
  const index = new hnswlib.HierarchicalNSW('ip', dimension);
  const path = join(setup.cache, `hnswlib-${rows}.index`);
  if (existsSync(path)) index.readIndexSync(path);
  else {
    const bytes = readFileSync(setup.vectors);
    const vectors = new Float32Array(bytes.buffer, bytes.byteOffset, rows * dimension);
    index.initIndex(rows, 16, 200);
    for (let row = 0; row < rows; row++)
      index.addPoint(Array.from(vectors.subarray(row * dimension, (row + 1) * dimension)), row);
    index.writeIndexSync(path);
  }
  index.setEf(setup.ef.hnswlib);
  return index;
}

const index = openIndex();
const session = await ort.InferenceSession.create(setup.onnx, { logSeverityLevel: 3 });

async function embed(bytes, size) {
  const pixels = await sharp(bytes)
    .rotate()
    .resize(size, size, { fit: 'cover', kernel: 'cubic' })
    .removeAlpha()
    .toColourspace('srgb')
    .raw()
    .toBuffer();
  const tensor = new Float32Array(3 * size * size);
  for (let i = 0; i < size * size; i++)
    for (let c = 0; c < 3; c++) tensor[c * size * size + i] = (pixels[i * 3 + c] / 255 - mean[c]) / std[c];
  const answer = await session.run({ [input.name]: new ort.Tensor('float32', tensor, [1, 3, size, size]) });
  const vector = Array.from(answer[output.name].data);
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

function vote({ neighbors, distances }) {
  const scores = distances.map((distance) => 1 - distance);
  const weights = scores.map((score) => Math.exp((score - scores[0]) / temperature));
  const whole = weights.reduce((sum, weight) => sum + weight, 0);
  const byLabel = {};
  neighbors.forEach((row, i) => {
    byLabel[labelOf(row)] = (byLabel[labelOf(row)] ?? 0) + weights[i] / whole;
  });
  const labels = Object.entries(byLabel).map(([label, share]) => ({ label, share }));
  return {
    labels: labels.sort((a, b) => b.share - a.share),
    neighbours: neighbors.slice(0, K).map((row, i) => ({
      id: String(row).padStart(8, '0'),
      label: labelOf(row),
      score: scores[i],
      share: weights[i] / whole,
    })),
  };
}

const app = express();
const upload = multer({ storage: multer.memoryStorage(), limits: { fileSize: 20 * 2 ** 20 } });
app.post('/v1/search', upload.single('image'), async (req, res) => {
  const vector = await embed(req.file.buffer, Number(req.query.size));
  const { neighbors, distances } = index.searchKnn(vector, VOTE_K);
  const order = neighbors.map((_, i) => i).sort((a, b) => distances[a] - distances[b]);
  res.json(vote({ neighbors: order.map((i) => neighbors[i]), distances: order.map((i) => distances[i]) }));
});
// Rows of a vector with another breadth, to find the breadth for a recall.
app.post('/neighbours', express.json(), (req, res) => {
  index.setEf(Number(req.query.ef));
  res.json(index.searchKnn(req.body, VOTE_K).neighbors);
});
const server = app.listen(0, '127.0.0.1', () =>
  console.log(`ready: http://127.0.0.1:${server.address().port}`),
);
