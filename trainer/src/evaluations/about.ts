/** What stands beside every figure: network, width, input, epochs, pictures, seconds; and the paper's own figures. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ModelManifest } from '../../../dist/offline.js';
import { type SettingName, type Settings, settingOf } from '../config.js';
import { LOG_FILE } from '../report.js';
import { epochsOf, readLog } from './log.js';

export interface About {
  name: string | null; // of the model
  trained_on: string | null;
  objective: string;
  network: string;
  width: number;
  dimension: number;
  training_size: number; // side of the training views, pixels
  input: number; // side of the exported encoder's input; the training size before there is one
  epochs: number; // done
  pictures: number | null; // learned from
  seconds: number | null; // of training
  model_sha256: string | null;
}

/** A published figure, for orientation: never of the same pictures, network and budget. */
export interface Published {
  source: string;
  setting: string;
  figure: string;
}

const SOURCE = 'Wu et al. 2018';
export const PAPER = {
  cifar: {
    source: SOURCE,
    setting: 'CIFAR-10, ResNet-18 of full width, 200 epochs, weighted kNN',
    figure: '80.8 %',
  },
  imagenet: {
    source: SOURCE,
    setting: 'ImageNet, ResNet-50, 200 epochs, linear probe, by version of the paper',
    figure: '42.5 % / 54.0 %',
  },
  consistency: {
    source: SOURCE,
    setting: 'training loss and kNN accuracy over the epochs',
    figure: 'accuracy follows the loss, no overfitting',
  },
  retrieval: {
    source: SOURCE,
    setting: 'a query with its 10 nearest, best half and worst half',
    figure: 'a figure, no number',
  },
} satisfies Record<string, Published>;

/** What a run or a model folder says about itself. */
export function readAbout(out: string): About {
  return aboutWith(out, readJson<ModelManifest>(join(out, 'manifest.json')));
}

/** The same while it trains: a manifest that lies there is an earlier training's. */
export function readAboutTraining(out: string): About {
  return aboutWith(out, null);
}

function aboutWith(out: string, manifest: ModelManifest | null): About {
  const saved = readJson<{ settings: Partial<Settings>; data: { pictures: number } }>(
    join(out, 'settings.json'),
  );
  const own = (manifest?.settings ?? saved?.settings ?? {}) as Partial<Settings>;
  const setting = <Name extends SettingName>(name: Name) => settingOf(own, name);
  const done = existsSync(join(out, LOG_FILE)) ? epochsOf(readLog(out)) : null;
  const known = manifest?.accuracy.known_pictures;
  return {
    name: manifest?.name ?? null,
    trained_on: manifest?.trained_on ?? null,
    objective: setting('objective'),
    network: setting('network'),
    width: setting('width'),
    dimension: setting('dimension'),
    training_size: setting('size'),
    input: manifest?.input.width ?? setting('size'),
    epochs: done?.length ?? setting('epochs'),
    pictures: saved?.data.pictures ?? (typeof known === 'number' ? known : null),
    seconds: done && Math.round(done.reduce((sum, { seconds }) => sum + seconds, 0)),
    model_sha256: manifest?.sha256 ?? null,
  };
}

function readJson<T>(path: string): T | null {
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as T) : null;
}

/** One line of words, for plots and pages. */
export function inWords(about: About): string {
  const {
    network,
    width,
    input,
    training_size: size,
    dimension,
    objective,
    epochs,
    pictures,
    seconds,
  } = about;
  const counted = (n: number) => n.toLocaleString('en-GB');
  return [
    `${network.replace('resnet', 'ResNet-')} x${width}`,
    input === size ? `${input} px` : `${input} px (trained at ${size})`,
    `${dimension}-d`,
    objective,
    `${epochs} epochs${pictures === null ? '' : ` of ${counted(pictures)} pictures`}`,
    ...(seconds === null ? [] : [`${counted(seconds)} s`]),
  ].join(', ');
}
