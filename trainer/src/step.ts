/** One step of training: loss, gradients, weights, and what the objective keeps for the next step. */
import type { CompiledUpdate } from './compile.js';
import type { Batch } from './feed.js';
import type { Remember, StepInputs } from './objectives/objective.js';
import { drawFor } from './random.js';
import {
  engine,
  type Scalar,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor4D,
  take,
  tf,
} from './tensorflow.js';
import { groupsOf, type Run } from './train.js';

/** Learning rate and place of a step; the place decides the objective's random draws. */
export interface StepAt {
  lr: number;
  epoch: number;
  step: number;
}

const DRAWS_OF_A_STEP = -5; // keeps these random numbers apart from those of views and weights

/** One step on a batch, operation by operation; returns its loss. */
export async function trainStep(run: Run, batch: Batch, at: StepAt): Promise<number> {
  const loss = tf.tidy(() => move(run, named(inputsOf(run, batch, at), batch)));
  return (await take(loss))[0]!;
}

/** Takes the steps of a run; whoever creates it closes it. */
export interface Stepper {
  step(batch: Batch, at: StepAt): Promise<number>;
  close(): void;
}

/**
 * Steps as one TensorFlow graph where the engine can do that, which is faster; a graph is made for each size of
 * views. All steps of a run are made by graphs, the first as well, so that a resumed run computes the same bits.
 */
export async function createStepper(run: Run): Promise<Stepper> {
  if (!engine.native) return { step: (batch, at) => trainStep(run, batch, at), close: () => {} };
  const { compileUpdate } = await import('./compile.js');
  const variables = Object.values(groupsOf(run)).flatMap((group) => [...group.values()]);
  let current: { sizes: string; graph: CompiledUpdate } | null = null;
  const close = () => {
    current?.graph.close();
    current = null;
  };
  const compile = (inputs: readonly Tensor[], batch: Batch) => {
    close();
    return compileUpdate((traced) => move(run, named(traced, batch)), { inputs, variables });
  };
  const step = async (batch: Batch, at: StepAt) =>
    tf.tidy(() => {
      const inputs = inputsOf(run, batch, at);
      const sizes = batch.parts.map(({ side }) => side).join();
      if (current?.sizes !== sizes) current = { sizes, graph: compile(inputs, batch) };
      return current.graph.run(inputs);
    });
  return { step, close };
}

/** The tensors of a step in a fixed order; `named` gives them their names back. */
function inputsOf(run: Run, { parts, pictures }: Batch, { lr, epoch, step }: StepAt): Tensor[] {
  const draw = drawFor(run.settings.seed, DRAWS_OF_A_STEP, epoch, step);
  const drawn = run.objective.draw?.(draw, pictures) ?? [];
  return [tf.scalar(lr), tf.tensor1d(pictures, 'int32'), ...parts.map(imagesOf), ...drawn];
}

function named(tensors: readonly Tensor[], { parts }: Batch): StepInputs & { lr: Scalar } {
  const [lr, pictures, ...rest] = tensors;
  const [images, small] = rest.slice(0, parts.length) as Tensor4D[];
  return {
    lr: lr as Scalar,
    pictures: pictures as Tensor1D,
    images: images!,
    small: small ?? null,
    drawn: rest.slice(parts.length),
  };
}

function imagesOf({ views, side }: Batch['parts'][number]): Tensor4D {
  return tf.tensor4d(views, [views.length / (side * side * 3), side, side, 3]);
}

/** Moves weights and state; the loss stays a tensor. */
function move(run: Run, { lr, ...inputs }: StepInputs & { lr: Scalar }): Scalar {
  let kept: Tensor2D | undefined;
  const remember = (vectors: Tensor2D) => {
    kept = tf.keep(tf.clone(vectors));
  };
  const { value, grads } = slopes(run, inputs, remember);
  run.optimiser.step(grads, lr);
  if (kept) run.objective.update?.(inputs, kept);
  kept?.dispose();
  return value;
}

function slopes({ network, objective }: Run, inputs: StepInputs, remember: Remember) {
  const weights = [...network.trained.values(), ...objective.trained.values()];
  return tf.variableGrads(() => objective.loss(inputs, remember), weights);
}

/** The gradients that a step on this batch would use, in the order of the weights; nothing moves. */
export function slopesOf(run: Run, batch: Batch, at: StepAt): Tensor[] {
  return tf.tidy(() => {
    const { grads } = slopes(run, named(inputsOf(run, batch, at), batch), () => {});
    return [...run.network.trained.values(), ...run.objective.trained.values()].map(
      ({ name }) => grads[name]!,
    );
  });
}
