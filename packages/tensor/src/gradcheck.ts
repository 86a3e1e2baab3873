import { allClose, errorOverTolerance, indexOf, times } from './allClose.js';
import { checkInteger } from './checks.js';
import { tensor } from './create.js';
import { ArgumentError, DTypeError, GradientError, NotFiniteError } from './errors.js';
import { Generator } from './random.js';
import { sameShape, show } from './shape.js';
import { noGrad } from './tape.js';
import type { Tensor } from './tensor/tensor.js';

/** What `gradcheck` compares with what, and how strictly. */
export interface GradcheckOptions {
  /** Step of the central differences; default 1e-6. Larger steps (1e-3) allow tolerances of 1e-9 on smooth functions. */
  eps?: number;
  /** Absolute part of the tolerance `atol + rtol · |numeric|`; default 1e-6. */
  atol?: number;
  /** Relative part of the tolerance; default 1e-5. */
  rtol?: number;
  /** Random directions, each with its own random output weights, tried for each input; default 5. */
  directions?: number;
  /** Seed of the directions; default 0. */
  seed?: number;
}

/** Inputs of up to this many entries are also checked entry by entry. */
const SMALL = 64;

/**
 * Checks a function's gradients against differences of its values, in float64.
 *
 * For each input x, a random unit direction v and random output weights c it compares `⟨∇ₓ(c·f), v⟩` from `backward()`
 * with the fourth-order central difference `c·(8(f(x+hv) − f(x−hv)) − (f(x+2hv) − f(x−2hv))) / 12h`, h = `eps`.
 * Inputs of up to 64 entries are also checked entry by entry.
 *
 * `fn` is called with the given tensors themselves, which are nudged in place and restored bit for bit, so a layer
 * can be checked in its parameters: `gradcheck(() => layer.forward(x), [x, ...layer.parameters()])`. All inputs require
 * grad while the check runs; their `grad` and `requiresGrad` are afterwards what they were. Keep inputs more than
 * 2·`eps` away from kinks, and symmetrise what `fn` takes for symmetric: `gradcheck((a) => cholesky(a.add(a.t())), [a])`.
 *
 * @param fn any function of the inputs that gives one tensor or several, the same ones at every call.
 * @param inputs float64 leaves that share no memory. Close over labels and indices instead of passing them.
 * @throws GradientError when a gradient is wrong, missing or not finite; the message names the worst entry.
 * @throws DTypeError for inputs or outputs other than float64; NotFiniteError for outputs that are not finite;
 * ArgumentError for inputs or options that cannot be checked.
 * @see M. Abramowitz and I. Stegun (1964), 25.3.6, without its remainder: the difference formula.
 *
 * @example
 * const x = tensor([0.5, -1.5], { dtype: 'float64' });
 * gradcheck((x) => x.sin().mul(x), [x]);
 */
export function gradcheck(
  fn: (...inputs: Tensor[]) => Tensor | Tensor[],
  inputs: readonly Tensor[],
  options: GradcheckOptions = {},
): void {
  const { eps = 1e-6, atol = 1e-6, rtol = 1e-5, directions = 5, seed = 0 } = options;
  checkOptions(eps, atol, rtol, directions);
  checkInputs(inputs);
  const f: Checked = { name: fn.name || 'fn', call: () => [fn(...inputs)].flat(), inputs, eps, atol, rtol };
  const before = inputs.map((x) => ({ grad: x.grad, requiresGrad: x.requiresGrad, values: x.data.slice() }));
  try {
    for (const x of inputs) x.requiresGrad = true;
    const generator = new Generator(seed);
    checkEntries(f, generator);
    checkDirections(f, directions, generator);
  } finally {
    inputs.forEach((x, i) => {
      x.grad = before[i].grad;
      x.requiresGrad = before[i].requiresGrad;
      if (!x.data.every((value, j) => Object.is(value, before[i].values[j]))) put(x, before[i].values);
    });
  }
}

/** A function under check with its inputs and tolerances. */
interface Checked {
  readonly name: string;
  readonly call: () => Tensor[];
  readonly inputs: readonly Tensor[];
  readonly eps: number;
  readonly atol: number;
  readonly rtol: number;
}

/** What one backward says: the weights c of the outputs, and the gradient of c·f in each input. */
interface Analytic {
  readonly weights: Float64Array[];
  readonly gradients: Float64Array[];
}

/** How well both derivatives along one displacement of input i agree. */
interface Slopes {
  readonly error: number;
  readonly ratio: number;
  readonly text: string;
}

function checkEntries(f: Checked, generator: Generator): void {
  const found = analyticGradients(f, generator);
  f.inputs.forEach((x, i) => {
    if (x.size === 0 || x.size > SMALL) return;
    const entries = Array.from({ length: x.size }, (_, j) => slopesAtEntry(f, found, i, j));
    const worst = entries.reduce((a, b) => (b.ratio > a.ratio ? b : a));
    if (worst.ratio > 1) throw disagreement(f, worst);
  });
}

function checkDirections(f: Checked, directions: number, generator: Generator): void {
  for (let k = 0; k < directions; k++) {
    const found = analyticGradients(f, generator);
    f.inputs.forEach((x, i) => {
      if (x.size === 0) return;
      const direction = unitDirection(x.size, generator);
      const slopes = slopesAlong(f, found, i, direction, `along direction ${k}`);
      if (slopes.ratio <= 1) return;
      const entry = slopesAtEntry(f, found, i, bisect(f, found, i, direction));
      throw disagreement(f, entry.ratio > 1 ? entry : slopes);
    });
  }
}

/** An entry that disagrees, by going on in the half of the direction with the larger error (NaN counts as such). */
function bisect(f: Checked, found: Analytic, i: number, direction: Float64Array): number {
  const errorWithin = (from: number, to: number): number => {
    const part = direction.map((value, j) => (j >= from && j < to ? value : 0));
    return slopesAlong(f, found, i, part, '').error;
  };
  let [from, to] = [0, direction.length];
  while (to - from > 1) {
    const middle = (from + to) >> 1;
    if (errorWithin(from, middle) < errorWithin(middle, to)) from = middle;
    else to = middle;
  }
  return from;
}

/** One forward and backward with random output weights c ~ N(0, 1). */
function analyticGradients(f: Checked, generator: Generator): Analytic {
  for (const x of f.inputs) x.grad = null;
  const outputs = f.call();
  checkOutputs(f, outputs);
  const weights = outputs.map((y) => Float64Array.from({ length: y.size }, () => generator.normal()));
  const terms = outputs.map((y, o) => y.mul(tensor(weights[o], { shape: y.shape })).sum());
  terms.reduce((total, term) => total.add(term)).backward();
  return { weights, gradients: f.inputs.map((x, i) => gradientOf(f, x, i)) };
}

function gradientOf(f: Checked, x: Tensor, i: number): Float64Array {
  if (x.grad === null) {
    throw new GradientError(
      `gradcheck: the outputs of ${f.name} must depend on every input: no gradient reached input ${i}. Leave it out, or look for a detach().`,
    );
  }
  if (!sameShape(x.grad.shape, x.shape)) {
    throw new GradientError(
      `gradcheck: a gradient must have its input's shape: input ${i} is ${show(x.shape)}, its gradient is ${show(x.grad.shape)}.`,
    );
  }
  const gradient = Float64Array.from(x.grad.data);
  const bad = gradient.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    throw new GradientError(
      `gradcheck: the gradient of ${f.name} must be finite: input ${i} at ${indexOf(bad, x.shape)}: analytic ${gradient[bad]}.`,
    );
  }
  return gradient;
}

function slopesAtEntry(f: Checked, found: Analytic, i: number, j: number): Slopes {
  const unit = new Float64Array(f.inputs[i].size);
  unit[j] = 1;
  return slopesAlong(f, found, i, unit, `at ${indexOf(j, f.inputs[i].shape)}`);
}

/**
 * Both derivatives of c·f along `direction` in input i, whose values are put back. The analytic one uses the
 * displacement that rounding left of the step, so that large values of x do not count as an error.
 */
function slopesAlong(f: Checked, found: Analytic, i: number, direction: Float64Array, place: string): Slopes {
  const x = f.inputs[i];
  const values = Float64Array.from(x.data);
  const steps = [f.eps, -f.eps, 2 * f.eps, -2 * f.eps];
  const moved = steps.map((step) => values.map((value, j) => value + step * direction[j]));
  const outputs = moved.map((at) => {
    put(x, at);
    return evaluate(f);
  });
  put(x, values);
  const analytic = weighted(found.gradients[i], moved, f.eps);
  const parts = found.weights.map((c, o) =>
    weighted(
      c,
      [0, 1, 2, 3].map((s) => outputs[s][o]),
      f.eps,
    ),
  );
  const numeric = parts.reduce((sum, part) => sum + part, 0);
  const ratio = errorOverTolerance(analytic, numeric, f.atol, f.rtol);
  const text = `input ${i} ${place}: analytic ${analytic}, numeric ${numeric}, error ${times(ratio)} the tolerance`;
  return { error: Math.abs(analytic - numeric), ratio: Number.isFinite(numeric) ? ratio : Infinity, text };
}

/** `Σ cⱼ·dⱼ` with d the central difference of arrays that belong to the steps h, −h, 2h, −2h. */
function weighted(c: Float64Array, [a, b, p, q]: Float64Array[], h: number): number {
  let sum = 0;
  for (let j = 0; j < c.length; j++) sum += (c[j] * (8 * (a[j] - b[j]) - (p[j] - q[j]))) / (12 * h);
  return sum;
}

function disagreement(f: Checked, { text }: Slopes): GradientError {
  return new GradientError(
    `gradcheck: the gradient of ${f.name} must agree with central differences: ${text}.`,
  );
}

/** The outputs' numbers, copied: an output may share its memory with an input. */
function evaluate(f: Checked): Float64Array[] {
  return noGrad(() => f.call().map((y) => Float64Array.from(y.data)));
}

/** Writes in place, so that whatever watches the tensor's version notices. */
function put(x: Tensor, values: ArrayLike<number>): void {
  noGrad(() => x.copyFrom(values));
}

function unitDirection(size: number, generator: Generator): Float64Array {
  const direction = Float64Array.from({ length: size }, () => generator.normal());
  const norm = Math.sqrt(direction.reduce((sum, value) => sum + value * value, 0));
  return direction.map((value) => value / norm);
}

function checkOptions(eps: number, atol: number, rtol: number, directions: number): void {
  if (!(eps > 0 && eps < Infinity)) throw new ArgumentError(`gradcheck: eps must be positive: it is ${eps}.`);
  if (!(atol >= 0 && rtol >= 0)) {
    throw new ArgumentError(`gradcheck: tolerances must not be negative: atol is ${atol}, rtol is ${rtol}.`);
  }
  checkInteger('gradcheck', 'directions', directions, 1);
}

function checkInputs(inputs: readonly Tensor[]): void {
  if (inputs.length === 0) throw new ArgumentError('gradcheck: at least one input: the list is empty.');
  inputs.forEach((x, i) => {
    if (x.dtype !== 'float64') {
      throw new DTypeError(
        `gradcheck: inputs must be float64: input ${i} is ${x.dtype}. Create it with { dtype: 'float64' }.`,
      );
    }
    if (!x.isLeaf) {
      throw new ArgumentError(
        `gradcheck: inputs must be leaves: input ${i} is the result of an operation. Pass its detach().`,
      );
    }
    const twin = inputs.findIndex((other) => other !== x && other.size > 0 && other.data === x.data);
    if (twin >= 0) {
      throw new ArgumentError(
        `gradcheck: inputs must not share memory: inputs ${Math.min(i, twin)} and ${Math.max(i, twin)} do. Pass a clone() of one.`,
      );
    }
  });
}

function checkOutputs(f: Checked, outputs: Tensor[]): void {
  const again = evaluate(f);
  outputs.forEach((y, o) => {
    if (!y.requiresGrad) {
      throw new GradientError(
        `gradcheck: the outputs of ${f.name} must depend on its inputs: output ${o} does not require grad. Look for a detach(), a noGrad(), or an op without a gradient.`,
      );
    }
    if (y.dtype !== 'float64') {
      throw new DTypeError(`gradcheck: outputs must be float64: output ${o} of ${f.name} is ${y.dtype}.`);
    }
    const bad = y.data.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) {
      throw new NotFiniteError(
        `gradcheck: the outputs of ${f.name} must be finite: output ${o} at ${indexOf(bad, y.shape)} is ${y.data[bad]}. Choose inputs inside its domain.`,
      );
    }
    if (!allClose(again[o], y.data, { rtol: 1e-9, atol: 1e-12 }).ok) {
      throw new ArgumentError(
        `gradcheck: ${f.name} must give the same outputs every time: output ${o} differed between two calls. Seed its generator inside it.`,
      );
    }
  });
}
