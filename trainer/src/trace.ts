/**
 * Writes down what a function computes: while it runs, the native binding of TensorFlow.js is replaced by one that
 * passes every operation on and keeps it as the node of a graph. Tensors are known by the binding's ids, which count up
 * and are never used twice, so freed tensors do no harm.
 */
import { LookalikeError } from '../../dist/offline.js';
import type { GraphAttribute, GraphNode } from './graph-def.js';
import { type Attribute, type Binding, backend, type Metadata, type Values } from './native.js';
import type { Tensor } from './tensorflow.js';

const FLOAT = backend.getDTypeInteger('float32');

/** A tensor under an id of its own. It is uploaded, so that reading it inside a trace cannot go unseen. */
export function separate(tensor: Tensor): Tensor {
  return backend.executeSingleOutput('Identity', [], [tensor]);
}

export const idOf = (tensor: Tensor): number => backend.getInputTensorIds([tensor])[0]!;

/**
 * The graph of what a function did so far. TensorFlow's graph optimiser (Grappler) would turn x / 10 into x * 0.1 and
 * x / sqrt(y) into x * rsqrt(y), and the graph would round otherwise than the same operations run one by one. So
 * operations are marked as not to be removed, which keeps most from being rewritten, and constants are hidden.
 */
export class Trace {
  readonly nodes: GraphNode[] = [];
  readonly #binding = backend.binding;
  readonly #names = new Map<number, string>(); // the output of a node, by the id of the tensor that it gave
  readonly #refused = new Map<number, string>(); // why, by id

  /** A tensor that every run is to give anew. */
  placeholder(name: string, tensor: Tensor): void {
    const attributes = {
      dtype: { type: backend.getDTypeInteger(tensor.dtype) },
      shape: { shape: tensor.shape },
    };
    this.#add(name, { op: 'Placeholder', inputs: [], attributes }, [idOf(tensor)]);
  }

  /** A tensor that must not become a constant of the graph. */
  refuse(tensor: Tensor, reason: string): void {
    this.#refused.set(idOf(tensor), reason);
  }

  /** Adds a node of the name `name` that gives `tensor`, for fetching. */
  output(name: string, tensor: Tensor): void {
    const T = { type: backend.getDTypeInteger(tensor.dtype) };
    this.#add(name, { op: 'Identity', inputs: [this.#nameOf(idOf(tensor))], attributes: { T } }, []);
  }

  /** Whether an operation uses the placeholder. */
  reads(placeholder: string): boolean {
    return this.nodes.some(({ inputs }) => inputs.includes(`${placeholder}:0`));
  }

  /** Runs `body` and records its operations. Not to be nested, and `body` must not be asynchronous. */
  record<T>(body: () => T): T {
    const binding = this.#binding;
    const executeOp: Binding['executeOp'] = (name, attributes, inputs, outputs) => {
      const made = binding.executeOp(name, attributes, inputs, outputs);
      this.#operation(name, attributes, inputs, made);
      return made;
    };
    const createTensor: Binding['createTensor'] = (shape, dtype, values) => {
      const id = binding.createTensor(shape, dtype, values);
      this.#constant({ id, shape, dtype }, values);
      return id;
    };
    const tensorDataSync = () => {
      throw frozen('the values of a tensor are read, they would be frozen into the graph');
    };
    backend.binding = overlay(binding, { executeOp, createTensor, tensorDataSync });
    try {
      return body();
    } finally {
      backend.binding = binding;
    }
  }

  #operation(op: string, given: Attribute[], inputs: number[], made: Metadata[]): void {
    const attributes = Object.fromEntries(given.map((attribute) => [attribute.name, convert(attribute)]));
    attributes._grappler_do_not_remove = { bool: true };
    if (op === 'ExpandDims') attributes.T ??= { type: made[0]!.dtype }; // the one that tfjs-node leaves out
    this.#add(
      `node${this.nodes.length}`,
      { op, inputs: inputs.map((id) => this.#nameOf(id)), attributes },
      made.map(({ id }) => id),
    );
  }

  #constant({ id, shape, dtype }: Metadata, values: Values): void {
    if (!ArrayBuffer.isView(values)) throw frozen('text has no place in the graph');
    const content = new Uint8Array(values.buffer, values.byteOffset, values.byteLength).slice();
    const attributes = { dtype: { type: dtype }, value: { tensor: { dtype, shape, content } } };
    const name = `constant${this.nodes.length}`;
    this.#add(name, { op: 'Const', inputs: [], attributes }, [id]);
    if (dtype === FLOAT || shape.length === 0) this.#hide(name, { id, shape, dtype });
  }

  /** Keeps the value of a constant from the graph optimiser: an operation that hands its input on, or so it thinks. */
  #hide(constant: string, { id, shape, dtype }: Metadata): void {
    const attributes = { dtype: { type: dtype }, shape: { shape } };
    this.#add(`${constant}.hidden`, { op: 'PlaceholderWithDefault', inputs: [`${constant}:0`], attributes }, [
      id,
    ]);
  }

  #add(name: string, node: Omit<GraphNode, 'name'>, made: number[]): void {
    this.nodes.push({ name, ...node });
    made.forEach((id, i) => {
      this.#names.set(id, `${name}:${i}`);
    });
  }

  /** Tensors from before the trace become constants, unless they are refused. */
  #nameOf(id: number): string {
    const reason = this.#refused.get(id);
    if (reason !== undefined) throw frozen(reason);
    if (!this.#names.has(id)) {
      const [copy] = this.#binding.executeOp('Identity', [], [id], 1); // the one way to learn its shape
      this.#constant({ ...copy!, id }, this.#binding.tensorDataSync(copy!.id));
      this.#binding.deleteTensor(copy!.id);
    }
    return this.#names.get(id)!;
  }
}

/** `binding` with some functions of its own: its properties are read-only, and spreading would lose the constants. */
function overlay(binding: Binding, own: Partial<Binding>): Binding {
  return Object.create(
    binding,
    Object.fromEntries(Object.entries(own).map(([name, value]) => [name, { value }])),
  );
}

function convert({ name, type, value }: Attribute): GraphAttribute {
  const kinds = backend.binding;
  const many = Array.isArray(value);
  switch (type) {
    case kinds.TF_ATTR_STRING:
      return { string: value as string };
    case kinds.TF_ATTR_INT:
      return many ? { ints: value } : { int: value as number };
    case kinds.TF_ATTR_FLOAT:
      return many ? { floats: value } : { float: value as number };
    case kinds.TF_ATTR_BOOL:
      return many ? { bools: value } : { bool: value as boolean };
    case kinds.TF_ATTR_TYPE:
      return { type: value as number };
    case kinds.TF_ATTR_SHAPE:
      return { shape: value as number[] };
    default:
      throw frozen(`the attribute "${name}" is of the unknown kind ${type}`);
  }
}

function frozen(reason: string): LookalikeError {
  return new LookalikeError('internal', `this cannot be compiled: ${reason}`);
}
