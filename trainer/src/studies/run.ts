/** Runs the variants of a study one after another, each by the trainer's own door in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { LookalikeError } from '../../../dist/offline.js';
import { CHECKPOINT_FILE } from '../disk.js';
import type { Pictures } from './pictures.js';
import { differences, readSaved } from './saved.js';
import type { Study, Variant } from './study.js';
import { writerOf } from './writer.js';

const DOOR = fileURLToPath(new URL('../main.js', import.meta.url));
const LEASH = new URL('./leash.js', import.meta.url).href;

/** Exit codes of the trainer, and of a study: the last two are gone on with by running it again. */
export const EXIT = { done: 0, failed: 1, timeLimit: 3, interrupted: 130 } as const;

export interface StudyRun {
  study: Study;
  root: string; // folder of the study, with one for each variant
  pictures: Pictures;
  deadline: number; // of performance.now()
  say(line: string): void;
}

/**
 * Finished variants are passed over, cut ones resumed. A variant that fails does not keep the others from running.
 * Resolves to an exit code.
 */
export async function runVariants(run: StudyRun): Promise<number> {
  const signals = onSignals();
  let worst: number = EXIT.done;
  for (const [i, variant] of run.study.variants.entries()) {
    const head = `[${i + 1}/${run.study.variants.length}] ${variant.key}`;
    const code = await runVariant(run, variant, { head, signals });
    if (code === EXIT.timeLimit || code === EXIT.interrupted) return code;
    if (code !== EXIT.done) {
      run.say(`${head}: failed, the others go on`);
      worst = EXIT.failed;
    }
  }
  return worst;
}

interface Turn {
  head: string;
  signals: Signals;
}

async function runVariant(run: StudyRun, variant: Variant, { head, signals }: Turn): Promise<number> {
  const folder = join(run.root, variant.key);
  await untilFree(folder, run, signals);
  checkSame(folder, variant);
  if (existsSync(join(folder, 'manifest.json'))) {
    run.say(`${head}: finished before`);
    return EXIT.done;
  }
  if (signals.asked()) return EXIT.interrupted;
  if (performance.now() > run.deadline) return EXIT.timeLimit;
  const resume = existsSync(join(folder, CHECKPOINT_FILE));
  run.say(`${head}: ${variant.title}${resume ? ', goes on' : ''}`);
  prepare(run.root, folder, variant);
  return await signals.passedTo(train(run, folder, resume));
}

/** All variants decode the same pictures: they share one cache. */
function prepare(root: string, folder: string, { settings }: Variant): void {
  mkdirSync(folder, { recursive: true });
  mkdirSync(join(root, 'pack'), { recursive: true });
  writeFileSync(join(folder, 'recipe.json'), `${JSON.stringify(settings, null, 2)}\n`);
  const link = join(folder, 'pack');
  if (lstatSync(link, { throwIfNoEntry: false }) === undefined) symlinkSync('../pack', link);
}

function train({ pictures, deadline }: StudyRun, folder: string, resume: boolean): ChildProcess {
  const minutes = (deadline - performance.now()) / 60_000;
  const args = [
    ...['--import', LEASH, DOOR, pictures.training],
    ...['--held-out', pictures.heldOut, '--out', folder],
    ...(resume ? ['--resume'] : ['--recipe', join(folder, 'recipe.json')]),
    ...(Number.isFinite(minutes) ? ['--time-limit', String(minutes)] : []),
  ];
  return spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}

interface Signals {
  asked(): boolean;
  /** Hands signals on to the child; resolves to its exit code. */
  passedTo(child: ChildProcess): Promise<number>;
}

/** Ctrl-C and SIGTERM end the study after the child has written its checkpoint. */
function onSignals(): Signals {
  let asked = false;
  let running: ChildProcess | null = null;
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      asked = true;
      running?.kill('SIGINT'); // a terminal has sent it one as well: the trainer takes both for one
    });
  return {
    asked: () => asked,
    passedTo(child) {
      running = child;
      return new Promise((done, failed) => {
        child.on('error', failed);
        child.on('exit', (code) => {
          running = null;
          done(code ?? EXIT.failed);
        });
      });
    },
  };
}

const LOOK_MS = 200;

/** An orphan of a killed study still writes its checkpoint; a training started by hand may take hours. */
async function untilFree(folder: string, { say, deadline }: StudyRun, { asked }: Signals): Promise<void> {
  let told: number | null = null;
  for (;;) {
    const writer = writerOf(folder);
    if (writer === null || asked() || performance.now() > deadline) return;
    if (writer !== told) say(`waiting for process ${writer}, which trains in ${folder}`);
    told = writer;
    await setTimeout(LOOK_MS);
  }
}

/** A folder of other settings is never gone on with: it would be told under the wrong name. */
function checkSame(folder: string, variant: Variant): void {
  const saved = readSaved(folder);
  const other = saved === null ? [] : differences(variant.settings, saved);
  if (other.length === 0) return;
  throw new LookalikeError(
    'invalid_setting',
    `${folder} was trained with other settings (${other.join('; ')}): remove it, or choose another --out`,
    { field: variant.key },
  );
}
