import { readFileSync } from 'node:fs';
import { tensor, zeros, type Tensor } from '@gmml/tensor';
import { allClose } from '@gmml/tensor/testing';

export type Tensors = Record<string, Tensor>;

/** One recorded call: inputs, output, the gradient sent back through it, and what arrived at each input. */
export interface Case {
  readonly name: string;
  readonly op: string;
  readonly options: object;
  readonly inputs: Tensors;
  readonly output: Tensor;
  readonly cotangent?: Tensor;
  readonly gradients?: Tensors;
}

/** How a recorded call is made with our functions. */
export type Call = (inputs: any, options: any) => Tensor;

/** Everything in values/`subject`.json, which its script describes, with float64 tensors for the recorded ones. */
export function golden(subject: string): any {
  const text = readFileSync(new URL(`./values/${subject}.json`, import.meta.url), 'utf8');
  return JSON.parse(text, (_, value) => {
    if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return Number(value);
    if (!Array.isArray(value?.shape) || !Array.isArray(value.data)) return value;
    return tensor(Float64Array.from(value.data), { shape: value.shape });
  });
}

/** Makes the recorded call and says where its output and gradients differ from the recorded ones. */
export function differencesFrom(recorded: Case, call: Call, rtol: number): string[] {
  const { options, output, cotangent, gradients = {} } = recorded;
  const inputs = { ...recorded.inputs };
  for (const name of Object.keys(gradients)) inputs[name] = leaf(inputs[name]);
  const actual = call(inputs, options);
  const found = differences({ output: actual }, { output }, rtol);
  if (cotangent === undefined) return found;
  actual.backward(cotangent);
  return [...found, ...gradientDifferences(inputs, gradients, rtol)];
}

/** A copy that gathers a gradient. */
export function leaf(x: Tensor): Tensor {
  return tensor(x.data, { shape: x.shape, requiresGrad: true });
}

/** A sentence for each name under which `actual` is not `expected`; no gradient counts as zeros. */
export function gradientDifferences(leaves: Tensors, expected: Tensors, rtol: number): string[] {
  const entries = Object.entries(expected).map(([name, { shape, dtype }]): [string, Tensor] => [
    name,
    leaves[name].grad ?? zeros(shape, { dtype }),
  ]);
  return differences(Object.fromEntries(entries), expected, rtol).map((text) => `gradient of ${text}`);
}

/**
 * A sentence for each name under which `actual` is not `expected`, to `rtol` relative to each number or, for what
 * cancels, to the largest finite one.
 */
export function differences(
  actual: Record<string, Tensor | number>,
  expected: Tensors,
  rtol: number,
): string[] {
  return Object.entries(expected).flatMap(([name, wanted]) => {
    const given = actual[name];
    if (given === undefined) return [`${name}: missing`];
    const atol = Math.max(rtol * largest(wanted), 1e-300);
    const { ok, message } = allClose(given, wanted, { rtol, atol });
    return ok ? [] : [`${name}: ${message}`];
  });
}

function largest(x: Tensor): number {
  let most = 0;
  for (const value of x.data) if (Number.isFinite(value)) most = Math.max(most, Math.abs(value));
  return most;
}
