import { ArgumentError, ShapeError } from './errors.js';
import { defaultGenerator, type Generator } from './random.js';
import { checkShape, show, sizeOf, type Shape } from './shape.js';
import { allocate, checkDType, Storage, type DType, type FloatArray } from './storage.js';
import { Tensor } from './tensor/tensor.js';
import type { NestedArray } from './tensor/variable.js';

/** What every creating function takes. */
export interface CreateOptions {
  /** Default float32. */
  readonly dtype?: DType;
  /** Whether `backward()` fills `grad`; default false. */
  readonly requiresGrad?: boolean;
}

/** What creating random numbers takes. */
export interface RandomOptions extends CreateOptions {
  /** Default: the one that `manualSeed` restarts. */
  readonly generator?: Generator;
}

/** What `tensor` takes. */
export interface TensorOptions extends CreateOptions {
  /** Default: the nesting of the arrays. */
  readonly shape?: Shape;
}

/** Numbers for a tensor: nested arrays, or flat in a typed array. */
export type TensorData = NestedArray | FloatArray | ArrayLike<number>;

/**
 * A tensor of the given numbers, copied. A Float64Array gives float64 unless dtype says otherwise,
 * everything else float32.
 * @throws ShapeError for ragged arrays or a shape that does not fit; ArgumentError for entries that are not numbers
 * @example
 * tensor([[1, 2], [3, 4]]).matmul(tensor([1, 1])).toArray(); // [3, 7]
 */
export function tensor(data: TensorData, { shape, dtype, requiresGrad = false }: TensorOptions = {}): Tensor {
  if (typeof data !== 'number' && !(typeof data === 'object' && data !== null && 'length' in data)) {
    throw new ArgumentError(`tensor: entries must be numbers: data is ${describe(data)}.`);
  }
  const nesting = nestingOf(data);
  const target = shape ?? nesting;
  checkShape('tensor', target);
  if (sizeOf(target) !== sizeOf(nesting)) {
    throw new ShapeError(
      `tensor: ${show(target)} needs ${sizeOf(target)} numbers: there are ${sizeOf(nesting)}.`,
    );
  }
  const chosen = dtype ?? (data instanceof Float64Array ? 'float64' : 'float32');
  const flat = allocate(checkDType('tensor', chosen), sizeOf(target));
  fill(flat, data, nesting);
  return leaf(flat, target, requiresGrad);
}

/** Every entry is 0. */
export function zeros(shape: Shape, options?: CreateOptions): Tensor {
  return constant('zeros', shape, 0, options);
}

/** Every entry is 1. */
export function ones(shape: Shape, options?: CreateOptions): Tensor {
  return constant('ones', shape, 1, options);
}

/** Every entry is `value`. */
export function full(shape: Shape, value: number, options?: CreateOptions): Tensor {
  return constant('full', shape, value, options);
}

/** The identity matrix [n, n]. */
export function eye(n: number, options?: CreateOptions): Tensor {
  const out = constant('eye', [n, n], 0, options);
  for (let i = 0; i < n; i++) out.data[i * n + i] = 1;
  return out;
}

/** start, start + step, … below end; `arange(n)` counts from 0. @throws ArgumentError unless step leads to end */
export function arange(start: number, end?: number, step = 1, options: CreateOptions = {}): Tensor {
  const [from, to] = end === undefined ? [0, start] : [start, end];
  const count = Math.ceil((to - from) / step);
  if (!Number.isSafeInteger(count) || (to - from) / step < 0) {
    throw new ArgumentError(
      `arange: step must lead from start to end: they are ${from}, ${to}, step ${step}.`,
    );
  }
  const { dtype = 'float32', requiresGrad = false } = options;
  const flat = allocate(checkDType('arange', dtype), count);
  for (let i = 0; i < count; i++) flat[i] = from + i * step;
  return leaf(flat, [count], requiresGrad);
}

/** Standard normal numbers, N(0, 1). */
export function randn(shape: Shape, options?: RandomOptions): Tensor {
  return random('randn', shape, (generator) => generator.normal(), options);
}

/** Uniform numbers in [0, 1), with 24 random bits in float32 and 53 in float64. */
export function rand(shape: Shape, options?: RandomOptions): Tensor {
  return random('rand', shape, uniformIn, options);
}

/** 24 bits are exact in float32; more could round up to 1. */
function uniformIn(generator: Generator, dtype: DType): number {
  return dtype === 'float64' ? generator.uniform() : Math.floor(generator.uniform() * 2 ** 24) / 2 ** 24;
}

function random(
  op: string,
  shape: Shape,
  draw: (generator: Generator, dtype: DType) => number,
  options: RandomOptions = {},
): Tensor {
  const { generator = defaultGenerator(), ...rest } = options;
  const out = constant(op, shape, 0, rest);
  for (let i = 0; i < out.data.length; i++) out.data[i] = draw(generator, out.dtype);
  return out;
}

function constant(
  op: string,
  shape: Shape,
  value: number,
  { dtype = 'float32', requiresGrad = false }: CreateOptions = {},
): Tensor {
  checkShape(op, shape);
  return leaf(allocate(checkDType(op, dtype), sizeOf(shape)).fill(value), shape, requiresGrad);
}

function leaf(data: FloatArray, shape: Shape, requiresGrad: boolean): Tensor {
  const out = new Tensor(new Storage(data), [...shape]);
  out.requiresGrad = requiresGrad;
  return out;
}

/** The shape nested arrays have along their first entries. */
function nestingOf(data: TensorData): Shape {
  const shape: number[] = [];
  let level: unknown = data;
  while (typeof level === 'object' && level !== null && 'length' in level) {
    const array = level as ArrayLike<unknown>;
    shape.push(array.length);
    if (array.length === 0) break;
    level = array[0];
  }
  return shape;
}

/** Writes the nested numbers to `flat`, refusing what does not have the shape `nesting`. */
function fill(flat: FloatArray, data: TensorData, nesting: Shape): void {
  if (ArrayBuffer.isView(data)) {
    flat.set(data);
    return;
  }
  let next = 0;
  const walk = (value: unknown, path: readonly number[]): void => {
    const depth = path.length;
    if (depth === nesting.length) {
      if (typeof value !== 'number') {
        throw new ArgumentError(`tensor: entries must be numbers: data${at(path)} is ${describe(value)}.`);
      }
      flat[next++] = value;
      return;
    }
    if (!Array.isArray(value) || value.length !== nesting[depth]) {
      throw new ShapeError(
        `tensor: nested arrays must be rectangular: data${at(path)} should have ${nesting[depth]} entries: it is ${describe(value)}.`,
      );
    }
    for (let i = 0; i < value.length; i++) walk(value[i], [...path, i]);
  };
  walk(Array.isArray(data) || typeof data === 'number' ? data : Array.from(data as ArrayLike<number>), []);
}

function at(path: readonly number[]): string {
  return path.map((i) => `[${i}]`).join('');
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return `an array of ${value.length}`;
  return typeof value === 'string' ? `'${value}'` : String(value);
}
