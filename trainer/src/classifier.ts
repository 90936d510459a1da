/** A linear layer from the backbone's features to classes: for fine-tuning and for the supervised baseline. */
import { drawFor, uniform } from './random.js';
import { type Tensor1D, type Tensor2D, tf, type Variable } from './tensorflow.js';

export interface Classifier {
  /** `classifier.weights` (inputs x classes) and `classifier.bias` (classes). */
  trained: Map<string, Variable>;
}

export interface ClassifierOptions {
  inputs: number; // the backbone's channels
  classes: number;
  seed: number;
}

/** Weights uniform within 1 / sqrt(inputs) by the seed, biases 0. */
export function createClassifier({ inputs, classes, seed }: ClassifierOptions): Classifier {
  const draw = drawFor(seed, -4);
  const limit = 1 / Math.sqrt(inputs);
  const weights = Float32Array.from({ length: inputs * classes }, () => uniform(draw, -limit, limit));
  const variable = (values: Float32Array, shape: number[]): Variable =>
    tf.tidy(() => tf.variable(tf.tensor(values, shape)));
  return {
    trained: new Map([
      ['classifier.weights', variable(weights, [inputs, classes])],
      ['classifier.bias', variable(new Float32Array(classes), [classes])],
    ]),
  };
}

/** Features (n x inputs) to a number for each class (n x classes), before any softmax. */
export function logits({ trained }: Classifier, features: Tensor2D): Tensor2D {
  const weights = trained.get('classifier.weights')! as unknown as Tensor2D;
  return tf.add(tf.matMul(features, weights), trained.get('classifier.bias')! as unknown as Tensor1D);
}
