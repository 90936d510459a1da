/** Ctrl-C outside of the training loop: long work looks now and then, and ends by this error. */

import type { Embedder } from '../../dist/offline.js';

/** Not a failure: nothing half written is left, and the run can be gone on with. */
export class Interrupted extends Error {
  constructor() {
    super('interrupted');
    this.name = 'Interrupted';
  }
}

/** Throws `Interrupted` once Ctrl-C was pressed. */
export function stopWhen(interrupted: () => boolean): void {
  if (interrupted()) throw new Interrupted();
}

/** The same encoder, which looks before every batch. */
export function stoppable(embedder: Embedder, interrupted: () => boolean): Embedder {
  return {
    ...embedder,
    embed(...batch) {
      stopWhen(interrupted);
      return embedder.embed(...batch);
    },
  };
}
