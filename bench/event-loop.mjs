#!/usr/bin/env node
// How long is the main thread of a running service held up under load? Reads the service's own measurement.
//   node bench/event-loop.mjs --url http://localhost:8080 --picture x.jpg [--clients 4] [--seconds 10]
// Several clients post the picture one after the other; then the metrics that were reset at the start are read.
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: 'http://localhost:8080' },
    picture: { type: 'string' },
    clients: { type: 'string', default: '4' },
    seconds: { type: 'string', default: '10' },
    query: { type: 'string', default: '' },
  },
});
if (!values.picture) throw new Error('--picture is missing: which file?');
const bytes = await readFile(values.picture);
const metrics = async () => (await fetch(`${values.url}/metrics`)).text();
const read = (text, name) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);

const times = [];
const statuses = new Map();
async function client(until) {
  while (performance.now() < until) {
    const begun = performance.now();
    const answer = await fetch(`${values.url}/v1/search${values.query}`, {
      method: 'POST',
      headers: { 'content-type': 'image/jpeg' },
      body: bytes,
    });
    await answer.arrayBuffer();
    times.push(performance.now() - begun);
    statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
  }
}

await client(performance.now() + 1000); // warm
await metrics(); // what was measured so far is forgotten
times.length = 0;
statuses.clear();
const until = performance.now() + Number(values.seconds) * 1000;
await Promise.all(Array.from({ length: Number(values.clients) }, () => client(until)));
const text = await metrics();
const loop = (which) => (read(text, `lookalike_event_loop_delay_${which}_seconds`) * 1000).toFixed(1);
times.sort((a, b) => a - b);
console.log(
  `${values.clients} clients, ${values.seconds} s: ${JSON.stringify(Object.fromEntries(statuses))}`,
);
console.log(
  `answers: ${(times.length / Number(values.seconds)).toFixed(1)} a second, median ${times[times.length >> 1].toFixed(1)} ms, p99 ${times[Math.floor(times.length * 0.99)].toFixed(1)} ms`,
);
console.log(`main thread held up: p50 ${loop('p50')} ms, p99 ${loop('p99')} ms, longest ${loop('max')} ms`);
