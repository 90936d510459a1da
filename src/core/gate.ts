import { LookalikeError } from './errors.js';

/**
 * Bounded admission: so many run, so many wait, the next is refused with `overloaded`.
 * A gate counts weight, so that the same thing bounds running searches (weight 1 each) and the bytes of
 * all uploads in memory (weight = bytes). First come, first served: a heavy one at the head is not
 * overtaken by light ones, or it might wait for ever.
 */
export interface Gate {
  /** What is inside: `used` weight of `capacity`, in `running` entries, and how many wait for a place. */
  readonly state: { used: number; capacity: number; running: number; waiting: number };
  /** True when the next `enter` of weight 1 would be refused now. */
  readonly full: boolean;
  /**
   * Resolves to the release of this place once there is one; call it exactly when done (a second call does
   * nothing). Rejects with `overloaded` when nobody more may wait or the weight can never fit, and with
   * `aborted` when `signal` fires first.
   */
  enter(options?: { weight?: number; signal?: AbortSignal }): Promise<Release>;
}

export type Release = () => void;

export interface GateOptions {
  name: string; // named in the refusal
  capacity: number; // weight that may be inside at once
  waiting: number; // how many may wait
}

interface Waiter {
  weight: number;
  admit(release: Release): void;
}

const aborted = () => new LookalikeError('aborted', 'the request was abandoned while it waited');

/** Opens a gate; `capacity` is a positive number, `waiting` is 0 or more. */
export function createGate({ name, capacity, waiting }: GateOptions): Gate {
  if (!(capacity > 0) || !(waiting >= 0))
    throw new LookalikeError(
      'invalid_setting',
      `the gate ${name} needs a capacity above 0 and a queue of 0 or more, got ${capacity} and ${waiting}`,
    );
  const queue: Waiter[] = [];
  let used = 0;
  let running = 0;

  function take(weight: number): Release {
    let inside = true;
    used += weight;
    running += 1;
    return () => {
      if (!inside) return;
      inside = false;
      used -= weight;
      running -= 1;
      admitNext();
    };
  }

  function admitNext(): void {
    while (queue[0] && used + queue[0].weight <= capacity) {
      const waiter = queue.shift()!;
      waiter.admit(take(waiter.weight));
    }
  }

  function wait(weight: number, signal: AbortSignal | undefined): Promise<Release> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        queue.splice(queue.indexOf(waiter), 1);
        reject(aborted());
        admitNext(); // the one that left may have been the heavy head of the queue
      };
      const admit = (release: Release) => {
        signal?.removeEventListener('abort', leave);
        resolve(release);
      };
      const waiter: Waiter = { weight, admit };
      signal?.addEventListener('abort', leave, { once: true });
      queue.push(waiter);
    });
  }

  return {
    get state() {
      return { used, capacity, running, waiting: queue.length };
    },
    get full() {
      return queue.length >= waiting && (queue.length > 0 || used + 1 > capacity);
    },
    async enter({ weight = 1, signal } = {}) {
      if (signal?.aborted) throw aborted();
      if (weight > capacity)
        throw new LookalikeError(
          'overloaded',
          `${name}: ${weight} never fits into a capacity of ${capacity}`,
        );
      if (queue.length === 0 && used + weight <= capacity) return take(weight);
      if (queue.length >= waiting)
        throw new LookalikeError('overloaded', `${name}: ${running} are running and ${queue.length} wait`);
      return wait(weight, signal);
    },
  };
}
