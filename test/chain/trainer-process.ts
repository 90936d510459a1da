/** The trainer as a user runs it: a process, what it prints, how it ends, what it leaves; and pictures to train on. */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { drawFor } from '../../trainer/src/random.js';

export const DOOR = fileURLToPath(new URL('../../trainer/dist/main.js', import.meta.url));

/** Settings of a training that takes seconds. */
export const SMALL: readonly string[] = [
  ['--width', '0.125'],
  ['--size', '32'],
  ['--batch', '12'],
  ['--dimension', '16'],
  ['--warmup-epochs', '1'],
].flat();

export interface Ended {
  code: number | null; // null: killed
  output: string;
}

interface Watch {
  /** Sees everything printed so far. */
  onOutput?(output: string, kill: (signal: NodeJS.Signals) => void): void;
  /** Called now and then until it says true, with the process to signal. */
  poll?(kill: (signal: NodeJS.Signals) => void): boolean;
  /** Another program that starts the trainer: gets node, the door and all arguments. */
  through?: readonly string[];
}

/** Runs the trainer to its end. */
export function trainer(
  args: readonly string[],
  { onOutput, poll, through = [] }: Watch = {},
): Promise<Ended> {
  const [command, ...rest] = [...through, process.execPath, DOOR, ...args];
  const child = spawn(command!, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
  let signalled = false;
  const kill = (signal: NodeJS.Signals) => {
    if (!signalled) child.kill(signal); // a second one would cut the end of the first one short
    signalled = true;
  };
  let output = '';
  const collect = (chunk: Buffer) => {
    output += chunk;
    onOutput?.(output, kill);
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  const timer = setInterval(() => {
    if (poll?.(kill) !== false) clearInterval(timer);
  }, 5);
  return new Promise((done, failed) => {
    child.on('error', failed);
    child.on('close', (code) => {
      clearInterval(timer);
      done({ code, output });
    });
  });
}

/** Twenty pictures of each of two labels, 48 x 40: stripes of random colours, lying or standing. */
export async function paintStripes(photos: string): Promise<void> {
  for (const label of ['lying', 'standing']) {
    const standing = label === 'standing';
    mkdirSync(join(photos, label), { recursive: true });
    for (let i = 0; i < 20; i++) {
      const draw = drawFor(i, standing ? 1 : 0);
      const colours = Array.from({ length: 8 }, () => [0, 1, 2].map(() => Math.floor(draw() * 256)));
      const pixels = Buffer.alloc(48 * 40 * 3);
      for (let y = 0; y < 40; y++)
        for (let x = 0; x < 48; x++)
          pixels.set(colours[Math.floor((standing ? x : y) / 6)]!, (y * 48 + x) * 3);
      const file = join(photos, label, `${String(i).padStart(2, '0')}.png`);
      await sharp(pixels, { raw: { width: 48, height: 40, channels: 3 } })
        .png()
        .toFile(file);
    }
  }
}

export interface Entry {
  event: string;
  [field: string]: unknown;
}

export const logOf = (out: string): Entry[] =>
  readFileSync(join(out, 'log.ndjson'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Entry);

/** Epoch and loss of every epoch told; the digits of the loss tell whether two runs are the same. */
export const lossesOf = (out: string): unknown[][] =>
  logOf(out)
    .filter((entry) => entry.event === 'epoch')
    .map((entry) => [entry.epoch, entry.loss]);
