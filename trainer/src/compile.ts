/**
 * Makes a training step faster: one eager run is traced (`trace.ts`), written as a TensorFlow graph and replayed by a
 * native session. That saves the way through JavaScript for each operation, reuses buffers and keeps all cores busy.
 *
 * What is frozen at the trace: shapes, every number and random draw that JavaScript made, every branch that it took.
 * What changes from step to step has to be an input or a variable.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LookalikeError } from '../../dist/offline.js';
import './gather.js';
import { encodeSavedModel } from './graph-def.js';
import { backend } from './native.js';
import { type Scalar, type Tensor, tf, type Variable } from './tensorflow.js';
import { idOf, separate, Trace } from './trace.js';

/** A function of tensors as a graph. */
export interface Compiled {
  /** Inputs of the shapes and types of the examples; the caller disposes what comes back. */
  run(inputs: readonly Tensor[]): Tensor[];
  /** Frees the graph; runs after it are refused. */
  close(): void;
}

/** A function that moves variables as a graph. */
export interface CompiledUpdate {
  /** Moves the variables and returns the loss. Inputs of the shapes and types of the examples. */
  run(inputs: readonly Tensor[]): number;
  /** Frees the graph, not the variables; runs after it are refused. */
  close(): void;
}

const TAG = 'serve';

/**
 * Compiles a function without side effects. It may use tensors that already exist: their values stay as they are now.
 * Throws `internal` when it reads values (`dataSync`), or uses a variable or an example other than by its arguments.
 */
export function compile(
  step: (inputs: Tensor[]) => readonly Tensor[],
  examples: readonly Tensor[],
): Compiled {
  return tidied(() => {
    const trace = new Trace();
    const inputs = inputsOf(trace, examples);
    const outputs = withoutOthers(trace, [], () => step(inputs));
    outputs.forEach((output, i) => {
      trace.output(`output${i}`, output);
    });
    const feeds = inputs.map((_, i) => `input${i}`);
    const session = openSession(
      trace,
      feeds,
      outputs.map((_, i) => `output${i}`),
    );
    const check = checkAgainst(examples);
    return {
      run: (given) => {
        check(given);
        return session.run(given);
      },
      close: session.close,
    };
  });
}

/**
 * Compiles a step that assigns variables. `body` runs once for the trace, then the variables get their values back: only
 * `run` moves them, so that every step of a training is a compiled one. Throws like `compile`, and all variables that
 * are used must be named. On the CPU a compiled step gives the same bits as `body` itself.
 */
export function compileUpdate(
  body: (inputs: Tensor[]) => Scalar,
  { inputs: examples, variables }: { inputs: readonly Tensor[]; variables: readonly Variable[] },
): CompiledUpdate {
  return tidied(() => {
    const trace = new Trace();
    const inputs = inputsOf(trace, examples);
    const changed = traceUpdate(trace, () => body(inputs), variables);
    const read = [...variables.keys()].filter((i) => trace.reads(`variable${i}`));
    const session = openSession(
      trace,
      [...inputs.map((_, i) => `input${i}`), ...read.map((i) => `variable${i}`)],
      ['loss', ...changed.map((i) => `new${i}`)],
    );
    const check = checkAgainst(examples);
    const run = (given: readonly Tensor[]) =>
      tidied(() => {
        check(given);
        const [loss, ...values] = session.run([...given, ...read.map((i) => variables[i]!)]);
        changed.forEach((i, at) => {
          variables[i]!.assign(values[at] as never);
        });
        return loss!.dataSync()[0]!;
      });
    return { run, close: session.close };
  });
}

/** Adds loss and new values of the variables to the graph; returns which variables changed. Moves none in the end. */
function traceUpdate(trace: Trace, body: () => Scalar, variables: readonly Variable[]): number[] {
  const before = variables.map((variable, i) => {
    const value = separate(variable); // two variables may share one tensor, as clones do
    variable.assign(value as never);
    trace.placeholder(`variable${i}`, value);
    return value;
  });
  try {
    trace.output('loss', withoutOthers(trace, variables, body));
    const changed = [...variables.keys()].filter((i) => idOf(variables[i]!) !== idOf(before[i]!));
    for (const i of changed) trace.output(`new${i}`, variables[i]!);
    return changed;
  } finally {
    variables.forEach((variable, i) => {
      variable.assign(before[i] as never);
    });
  }
}

/** Like tf.tidy, for a result that holds no tensors. */
function tidied<T>(body: () => T): T {
  let result!: T;
  tf.tidy(() => {
    result = body();
  });
  return result;
}

/** Copies of the examples that become the inputs of the graph; the examples themselves would be frozen. */
function inputsOf(trace: Trace, examples: readonly Tensor[]): Tensor[] {
  return examples.map((example, i) => {
    trace.refuse(example, `it uses example ${i} instead of its argument`);
    const input = separate(example);
    trace.placeholder(`input${i}`, input);
    return input;
  });
}

/** Traces `body`; refuses any use of a variable that is not `allowed`, which no run would read or move. */
function withoutOthers<T>(trace: Trace, allowed: readonly Variable[], body: () => T): T {
  const others = () =>
    Object.values(tf.engine().registeredVariables).filter((variable) => !allowed.includes(variable));
  for (const variable of others())
    trace.refuse(variable, `it reads the variable "${variable.name}", which is not among those given`);
  const before = others().map(idOf).join();
  const result = trace.record(body);
  if (others().map(idOf).join() === before) return result;
  throw new LookalikeError(
    'internal',
    'this cannot be compiled: it moves or makes a variable that is not among those given',
  );
}

function checkAgainst(examples: readonly Tensor[]): (inputs: readonly Tensor[]) => void {
  const kind = ({ dtype, shape }: Tensor) => `${dtype} [${shape}]`;
  const expected = examples.map(kind);
  return (inputs) => {
    const given = inputs.map(kind);
    if (given.join() !== expected.join())
      throw new LookalikeError(
        'invalid_parameter',
        `the inputs are ${given.join(', ')}; compiled for ${expected.join(', ')}`,
      );
  };
}

/** A native session of the graph: tensors for `feeds` in, those of `fetches` out. */
function openSession(trace: Trace, feeds: readonly string[], fetches: readonly string[]): Compiled {
  const folder = mkdtempSync(join(tmpdir(), 'lookalike-graph-'));
  let session: number | null;
  try {
    writeFileSync(join(folder, 'saved_model.pb'), encodeSavedModel(trace.nodes, TAG));
    session = backend.loadSavedModelMetaGraph(folder, TAG);
  } finally {
    rmSync(folder, { recursive: true });
  }
  const names = feeds.map((name) => ({ name: `${name}:0` }));
  const outputs = fetches.map((name) => `${name}:0`);
  return {
    run: (inputs) => {
      if (session === null) throw new LookalikeError('internal', 'this compiled function is closed');
      return backend.runSavedModel(session, [...inputs], names, outputs);
    },
    close: () => {
      if (session !== null) backend.deleteSavedModel(session);
      session = null;
    },
  };
}
