/** Stochastic gradient descent with momentum and weight decay (PyTorch's form). */
import { type Scalar, type Tensor, tf, type Variable } from './tensorflow.js';

export interface Optimiser {
  /** One slot a weight: the running sum of its gradients. Part of a checkpoint. */
  slots: Map<string, Variable>;
  /** Moves the weights; `gradients` by the names that tfjs gave the variables. Does not dispose them. */
  step(gradients: Record<string, Tensor>, lr: Scalar): void;
}

/** Weight decay acts on kernels and weight matrices, not on biases and batch normalisation. */
export function createOptimiser(
  weights: ReadonlyMap<string, Variable>,
  { momentum, decay }: { momentum: number; decay: number },
): Optimiser {
  const slots = new Map(
    [...weights].map(([name, variable]) => [name, tf.tidy(() => tf.variable(tf.zerosLike(variable), false))]),
  );
  const step = (gradients: Record<string, Tensor>, lr: Scalar) => {
    tf.tidy(() => {
      for (const [name, variable] of weights) {
        const plain = gradients[variable.name]!;
        const gradient = variable.rank > 1 ? tf.add(plain, tf.mul(variable, decay)) : plain;
        const slot = slots.get(name)!;
        slot.assign(tf.add(tf.mul(slot, momentum), gradient));
        variable.assign(tf.sub(variable, tf.mul(slot, lr)));
      }
    });
  };
  return { slots, step };
}
