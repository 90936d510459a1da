/** The measured result of a study as JSON: what is committed, and what the page of results is generated from. */
import type { Settings } from '../config.js';
import type { Machine } from '../machine.js';
import type { Floor } from './floors.js';
import type { DataName, Paper, PlotKind, Reference } from './study.js';

export interface StudyResult {
  kind: 'study';
  study: string;
  title: string;
  question: string;
  data: DataName;
  pictures: number | null; // the study's own limit
  plot: PlotKind;
  paper: string | null; // source
  against: string | null;
  variants: VariantResult[];
  baselines: Floor[];
}

/** After an epoch, from 1. */
export interface Point {
  epoch: number;
  loss: number;
  knn: number | null; // 0..1
}

export interface VariantResult {
  key: string;
  title: string;
  finished: boolean; // all its epochs are done
  epochs: number; // done
  pictures: number;
  held_out: number;
  seconds: number; // of training: the sum of the epochs, without measuring
  views_per_second: number | null; // null: no epoch is done
  wait_share: number | null; // of the time, for input
  /** Of clean features at the training size, after the last epoch that was measured. */
  knn: { epoch: number; value: number; k: number; temperature: number } | null;
  /** Of the exported encoder, at the input size chosen among the training pictures. */
  exported: { size: number; knn: number } | null;
  curve: Point[];
  settings: Partial<Settings>; // as the run saved them
  changed: Partial<Settings>; // those that are not what the study has in common
  git_revision: string | null;
  data_sha256: string;
  started_at: string;
  machine: Machine;
  paper: Paper | null;
  reference: Reference | null;
}

/** "ResNet-18 x0.25". */
export function networkInWords({ network, width }: Pick<Settings, 'network' | 'width'>): string {
  return `${network.replace('resnet', 'ResNet-')} x${width}`;
}

/** The last figure of a variant in per cent, or null. */
export function lastKnn({ knn }: Pick<VariantResult, 'knn'>): number | null {
  return knn === null ? null : 100 * knn.value;
}
