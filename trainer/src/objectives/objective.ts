/** The one interface that everything learnable fulfils; `index.ts` picks by the setting `objective`. */
import type { Network } from '../network.js';
import type { Draw } from '../random.js';
import type { Scalar, Tensor, Tensor1D, Tensor2D, Tensor4D, Variable } from '../tensorflow.js';

/** The tensors of a step. All that differs between steps is in here: a step may be compiled once and replayed. */
export interface StepInputs {
  images: Tensor4D; // (views x b) x size x size x 3, all first views before all second ones
  small: Tensor4D | null; // (small views x b) x small_size x small_size x 3
  pictures: Tensor1D; // b int32
  drawn: Tensor[]; // what `draw` gave
}

/** What a loss leaves for `update`: unit vectors of the views (or keys), kept beyond the gradient. */
export type Remember = (vectors: Tensor2D) => void;

export interface Objective {
  /** Views of a picture in a step. */
  views: number;
  /** Learned beside the network, e.g. class weights. */
  trained: ReadonlyMap<string, Variable>;
  /** Moved by the objective itself: bank, Z, queue, slow encoder. Part of a checkpoint. */
  state: ReadonlyMap<string, Variable>;
  /** Random input of a step, drawn outside of it. */
  draw?(draw: Draw, pictures: Int32Array): Tensor[];
  /** Inside the gradient; no gradient flows into `state`. */
  loss(inputs: StepInputs, remember: Remember): Scalar;
  /** After the weights have moved. */
  update?(inputs: StepInputs, vectors: Tensor2D): void;
}

/** What an objective is made from. */
export interface ObjectiveSetup {
  network: Network;
  pictures: number;
  /** Class of each picture; only for supervised training. */
  classes: { labels: readonly string[]; of: Int32Array } | null;
}

export const NOTHING: ReadonlyMap<string, Variable> = new Map();
