/**
 * Many at once, or one alone: single writes share the lock, a switch of models takes it alone, so that no write
 * begins in one vector space and ends in another. Who waits to be alone lets nobody new in before it.
 */
export interface SharedLock {
  shared<T>(step: () => Promise<T>): Promise<T>;
  alone<T>(step: () => Promise<T>): Promise<T>;
}

export function createSharedLock(): SharedLock {
  /** Ends when everyone who came before the last one alone, and that one, is out. */
  let barrier: Promise<unknown> = Promise.resolve();
  const inside = new Set<Promise<unknown>>();

  function track<T>(running: Promise<T>): Promise<T> {
    const settled = running.then(
      () => undefined,
      () => undefined,
    );
    inside.add(settled);
    void settled.then(() => inside.delete(settled));
    return running;
  }

  return {
    shared: (step) => track(barrier.then(step)),
    alone(step) {
      const before = [barrier, ...inside];
      const running = Promise.all(before).then(step);
      barrier = running.then(
        () => undefined,
        () => undefined,
      );
      return running;
    },
  };
}
