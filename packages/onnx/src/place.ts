import { ShapeError, type FloatArray, type Tensor } from '@gmml/tensor';
import { DATA_TYPES, type Attributes, type Graph, type Value } from './graph.js';
import { joined, type Step, type Steps } from './model.js';

/** Options of a `Place`. */
interface PlaceOptions {
  /** Whether what it gives is an input of another head, and no output of the file. Default false. */
  readonly isPart?: boolean;
}

/** Where nodes are made: names of nodes and numbers start with the name of the layer or head they belong to. */
export class Place {
  private readonly graph: Graph;
  private readonly name: string;
  /** As in `layers[3] 'Linear'`. */
  readonly title: string;
  private readonly names: Steps['names'];
  private readonly isPart: boolean;

  constructor(
    graph: Graph,
    name: string,
    title: string,
    names: Steps['names'] = new Map(),
    { isPart = false }: PlaceOptions = {},
  ) {
    this.graph = graph;
    this.name = name;
    this.title = title;
    this.names = names;
    this.isPart = isPart;
  }

  static of(graph: Graph, step: Step, names: Steps['names'], options?: PlaceOptions): Place {
    return new Place(graph, step.name, titleOf(step), names, options);
  }

  /** A part of the layer or head. */
  inside(part: string): Place {
    const { isPart } = this;
    return new Place(this.graph, joined(this.name, part), this.title, this.names, { isPart });
  }

  /** Adds a node named `<layer>.<name>` and gives its value. */
  node(opType: string, inputs: readonly string[], name: string, attributes?: Attributes): string {
    return this.graph.node(opType, inputs, joined(this.name, name), attributes);
  }

  /** Adds a node whose value is an output of the file, and has its name, unless it is of a part. */
  output(name: string, opType: string, inputs: readonly string[], attributes?: Attributes): string {
    return this.graph.node(opType, inputs, this.isPart ? joined(this.name, name) : name, attributes);
  }

  /** A parameter or buffer under its name in the state dict; `field` names it where it is in none. */
  parameter(field: string, tensor: Tensor): string {
    return this.graph.parameter(this.names.get(tensor) ?? joined(this.name, field), tensor);
  }

  floats(name: string, values: FloatArray, shape: readonly number[], doc?: string): string {
    return this.graph.floats(joined(this.name, name), values, shape, doc);
  }

  integers(values: readonly number[], shape?: readonly number[]): string {
    return this.graph.integers(values, shape);
  }

  number(value: number): string {
    return this.graph.number(value);
  }

  /** x [..., n] plus numbers [n] that stand in the file. */
  plus(x: string, name: string, values: Float64Array, doc: string): string {
    return this.node('Add', [x, this.floats(name, values, [values.length], doc)], `with.${name}`);
  }

  unsqueeze(x: string, dim: number): string {
    return this.node('Unsqueeze', [x, this.integers([dim])], 'unsqueezed');
  }

  squeeze(x: string, dim: number): string {
    return this.node('Squeeze', [x, this.integers([dim])], 'squeezed');
  }

  /** The sum over one dimension. */
  sum(x: string, dim: number, { keepDim = false } = {}): string {
    return this.node('ReduceSum', [x, this.integers([dim])], 'sum', { keepdims: keepDim ? 1 : 0 });
  }

  /** The largest over one dimension. */
  max(x: string, dim: number, { keepDim = false } = {}): string {
    return this.node('ReduceMax', [x], 'largest', { axes: [dim], keepdims: keepDim ? 1 : 0 });
  }

  /** ‖x‖ of rows [N, D] → [N, 1]. */
  length(x: string): string {
    return this.node('Sqrt', [this.sum(this.node('Mul', [x, x], 'squares'), 1, { keepDim: true })], 'length');
  }

  /** 1 for true, 0 for false. */
  toFloat(condition: string): string {
    return this.node('Cast', [condition], 'counted', { to: DATA_TYPES.float });
  }

  /** [N, …] as [N, ...shape]. */
  reshape(x: string, shape: readonly number[]): string {
    // 0: as it is.
    return this.node('Reshape', [x, this.integers([0, ...shape])], 'reshaped');
  }

  /** @throws ShapeError unless `fits`; `wanted` is the shape as in '[N, 3, H, W]' */
  checkShape(x: Value, fits: boolean, wanted: string): void {
    if (fits) return;
    throw new ShapeError(
      `toOnnx: ${this.title} must get ${wanted}: it gets ${showBatch(x.shape)}. Check inputShape and the layers before.`,
    );
  }
}

/** A layer in a message, as in `layers[3] 'Linear'`. */
export function titleOf({ path, module }: Step): string {
  const kind = `'${module.constructor.name}'`;
  return path === '' ? kind : `${path} ${kind}`;
}

/** A shape with its batch, as in `[N, 16, 28, 28]`. */
export function showBatch(shape: readonly number[]): string {
  return `[${['N', ...shape].join(', ')}]`;
}
