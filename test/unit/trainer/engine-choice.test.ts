import { describe, expect, test } from 'vitest';
import {
  chooseEngine,
  ENGINES,
  findPlace,
  findTensorflow,
  placesOf,
} from '../../../trainer/src/tensorflow-path.js';

const isThere = (engine: (typeof ENGINES)[number]) => placesOf(engine).some((place) => findPlace(place));

describe('the choice of an engine', () => {
  test('a name that is none is refused with those that are', () => {
    expect(() => chooseEngine('tpu')).toThrow(/engine is tpu, cpu, gpu, webgpu are allowed/);
  });

  test.each(ENGINES)('%s is found where it is installed, otherwise refused with the command', (engine) => {
    const before = findTensorflow();
    if (isThere(engine)) {
      chooseEngine(engine);
      expect(findTensorflow()).toMatch(engine === 'gpu' ? /tfjs-node-gpu/ : /@tensorflow/);
      return;
    }
    expect(() => chooseEngine(engine)).toThrow(
      `run npm run trainer:setup${engine === 'cpu' ? '' : ` -- --${engine}`}`,
    );
    expect(findTensorflow()).toBe(before);
  });
});
