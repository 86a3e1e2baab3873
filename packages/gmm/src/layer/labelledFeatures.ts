// Features [M, inputDim] and labels [M] that a layer is started from or fitted to.

import { ArgumentError, noGrad, NotFiniteError, Tensor, tensor } from '@gmml/tensor';
import { checkLabels } from '@gmml/tensor/checks';
import { checkFeatures, checkOneLabelEach } from '../checks.js';
import type { Rows, Vector } from '../mixture/rows.js';
import type { MixtureLayer } from './mixtureLayer.js';

/** Features [B, inputDim] as the mixture sees them, float64 [B, D]. @throws ShapeError, NotFiniteError */
export function insideOf(op: string, head: MixtureLayer, features: Rows): Tensor {
  return noGrad(() => {
    const x = asTensor(features).to('float64');
    checkFeatures(op, x, 'M', head.inputDim);
    checkFiniteFeatures(op, x);
    const { projection } = head;
    return projection ? x.matmul(projection.detach().to('float64'), { transposeB: true }) : x;
  });
}

/** The rows of each class, at least `least`. @throws before anything is computed when features or labels are unusable. */
export function membersOf(
  op: string,
  features: Tensor,
  labels: Tensor,
  nClass: number,
  least = 1,
): number[][] {
  checkOneLabelEach(op, features, labels);
  checkFiniteFeatures(op, features);
  const members = Array.from({ length: nClass }, (): number[] => []);
  checkLabels(op, 'labels', labels.data, nClass);
  for (const [row, label] of labels.data.entries()) members[label].push(row);
  const empty = members.flatMap((own, k) => (own.length === 0 ? [k] : []));
  if (empty.length > 0) {
    throw new ArgumentError(
      `${op}: every class needs an example: there is none of ${empty.join(', ')}. Give more rows.`,
    );
  }
  const few = members.findIndex((own) => own.length < least);
  if (few >= 0) {
    throw new ArgumentError(
      `${op}: every class needs as many rows as components, ${least}: class ${few} has ${members[few].length}. Give more rows or use fewer components.`,
    );
  }
  return members;
}

/** @throws NotFiniteError naming row and column of the first entry of features [M, ...] that is NaN or infinite */
export function checkFiniteFeatures(op: string, { data, shape }: Tensor): void {
  let bad = 0;
  while (bad < data.length && data[bad] - data[bad] === 0) bad++;
  if (bad === data.length) return;
  const [, d] = shape;
  throw new NotFiniteError(
    `${op}: features must be finite: row ${Math.floor(bad / d)}, column ${bad % d} is ${data[bad]}.`,
  );
}

/** A tensor without a gradient; of arrays in float64. */
export function asTensor(x: Rows | Vector): Tensor {
  return x instanceof Tensor ? x.detach() : tensor(nested(x), { dtype: 'float64' });
}

/** Arrays of plain numbers, whatever kinds of arrays there were. */
function nested(x: readonly ArrayLike<number>[] | ArrayLike<number>): number[] | number[][] {
  return Array.from(x as ArrayLike<unknown>, (row) =>
    typeof row === 'number' ? row : Array.from(row as ArrayLike<number>),
  ) as number[] | number[][];
}
