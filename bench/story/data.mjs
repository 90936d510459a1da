// What the story is told with: pictures of a labelled folder, bad files among them, near-duplicates, a second encoder.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { draw } from './machine.mjs';

/** `[{ path, id, label }]`: the pictures below a folder, at most `limit` of them, taken evenly; the id is the path below it. */
export function picturesOf(folder, limit) {
  const all = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(jpe?g|png|webp)$/i.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.replace(/\/$/, '').length + 1))
    .sort()
    .map((id) => ({ path: join(folder, id), id, label: dirname(id) }));
  const wanted = Math.min(limit, all.length);
  return Array.from({ length: wanted }, (_, i) => all[Math.floor((i * all.length) / wanted)]);
}

/** A folder as an owner has it: the pictures, and `bad` files among them. Returns the ids of the bad ones. */
export async function prepareFolder(folder, pictures, { bad, random }) {
  for (const { path, id } of pictures) {
    mkdirSync(join(folder, dirname(id)), { recursive: true });
    copyFileSync(path, join(folder, id));
  }
  const labels = [...new Set(pictures.map(({ label }) => label))];
  const good = readFileSync(pictures[0].path);
  const kinds = Object.entries(await badFiles(good));
  return Array.from({ length: bad }, (_, i) => {
    const [kind, bytes] = kinds[i % kinds.length];
    const id = `${labels[Math.floor(random() * labels.length)]}/bad-${i}-${kind}.jpg`;
    writeFileSync(join(folder, id), bytes);
    return id;
  });
}

/** Files that call themselves pictures. */
async function badFiles(good) {
  const flat = { width: 8, height: 8, channels: 3, background: '#888' };
  return {
    empty: Buffer.alloc(0),
    text: Buffer.from('this is no picture\n'),
    zeros: Buffer.alloc(4096),
    header: good.subarray(0, 200), // ends before the first pixel
    noise: Buffer.concat([
      good.subarray(0, 2),
      Buffer.from(Array.from({ length: 3000 }, (_, i) => (i * 7919) % 251)),
    ]),
    page: Buffer.from('<!doctype html><title>404</title>'),
    gif: await sharp({ create: flat }).gif().toBuffer(), // a format that is not taken
    svg: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'),
    bomb: await sharp({ create: { ...flat, width: 12_000, height: 12_000 } })
      .png({ compressionLevel: 9 })
      .toBuffer(),
    json: Buffer.from('{"image":"x.jpg"}'),
  };
}

/** What becomes of pictures on their way through the world. */
const CHANGES = {
  'JPEG, quality 50': (picture) => picture.jpeg({ quality: 50 }),
  'WebP, quality 80': (picture) => picture.webp({ quality: 80 }),
  '10 % brighter': (picture) => picture.modulate({ brightness: 1.1 }).jpeg({ quality: 90 }),
  'three quarters of the size': (picture, { width, height }) =>
    picture.resize(Math.round(width * 0.75), Math.round(height * 0.75)).jpeg({ quality: 90 }),
  '97 % of each side': (picture, { width, height }) =>
    picture
      .extract({
        left: Math.floor(width * 0.015),
        top: Math.floor(height * 0.015),
        width: Math.floor(width * 0.97),
        height: Math.floor(height * 0.97),
      })
      .jpeg({ quality: 90 }),
};

/** `[{ of, change, id, label, file }]`: changed copies of pictures drawn at random, as files in `folder`. */
export async function makeCopies(folder, pictures, { count, random }) {
  mkdirSync(folder, { recursive: true });
  const changes = Object.entries(CHANGES);
  return Promise.all(
    draw(pictures, count, random).map(async ({ path, id, label }, i) => {
      const [change, make] = changes[i % changes.length];
      const upright = sharp(await sharp(path).rotate().toBuffer());
      const file = join(folder, `${i}`);
      writeFileSync(file, await make(upright, await upright.metadata()).toBuffer());
      return { of: id, change, id: `copies/${i}`, label, file };
    }),
  );
}

/** `[{ id, label, was }]`: pictures drawn at random with a label that is not theirs. */
export function wrongLabels(pictures, { count, random }) {
  const labels = [...new Set(pictures.map(({ label }) => label))].sort();
  return draw(pictures, count, random).map(({ id, label }) => {
    const others = labels.filter((other) => other !== label);
    return { id, was: label, label: others[Math.floor(random() * others.length)] };
  });
}

/**
 * A second encoder, as someone would bring it: the ONNX file of the first with another word on how pictures are prepared
 * (from nearer: the middle alone), so that its vectors are other ones.
 */
export async function makeSecondEncoder(model, folder) {
  const { preprocess, input, temperature } = JSON.parse(readFileSync(join(model, 'manifest.json'), 'utf8'));
  mkdirSync(folder, { recursive: true });
  await cp(join(model, 'encoder.onnx'), join(folder, 'nearer.onnx'));
  const resize = { shorter_side: Math.round(1.25 * Math.min(input.width, input.height)) };
  writeFileSync(join(folder, 'preprocess.json'), JSON.stringify({ ...preprocess, resize }));
  return { folder, temperature };
}
