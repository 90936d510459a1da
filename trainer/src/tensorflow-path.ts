/** Where the native TensorFlow.js is installed. Apart from `tensorflow.ts`, so that asking does not load it. */
import { createRequire } from 'node:module';

/** An official installation first, then the one that `npm run trainer:setup` makes. */
const PLACES = ['../package.json', '../native/package.json'];

/** The path of a tfjs-node that is installed, or null. Says nothing about whether its library loads. */
export function findTensorflow(): string | null {
  for (const place of PLACES) {
    try {
      return createRequire(new URL(place, import.meta.url)).resolve('@tensorflow/tfjs-node');
    } catch {
      // Not there: the next place.
    }
  }
  return null;
}
