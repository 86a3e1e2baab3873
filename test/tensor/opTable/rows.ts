import type { Shape, Tensor } from '@gmml/tensor';
import { build, spread } from './grid.js';
import type { BadInput, Row, Sample } from './row.js';

/** A row of a differentiable method. */
export function row(name: string, ops: string[], rest: Pick<Row, 'samples' | 'bad'>): Row {
  return { name, ops, differentiable: true, ...rest };
}

/** A call on a [2, 3] tensor that is refused. */
export function bad(
  label: string,
  call: (x: Tensor) => unknown,
  error: BadInput['error'],
  message: string,
): BadInput {
  return { label, call: () => call(spread([2, 3]).tensor()), error, message };
}

/** A sample whose entry at each index is that of x at `from(index)`. */
export function moved(
  shape: Shape,
  to: Shape,
  call: (x: Tensor) => Tensor,
  from: (index: number[]) => number[],
): Sample {
  return {
    label: `[${shape}] to [${to}]`,
    inputs: [spread(shape)],
    call,
    reference: (x) => build(to, (index) => x.at(...from(index))),
  };
}
