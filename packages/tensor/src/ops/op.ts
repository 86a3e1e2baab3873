import type { Shape } from '../shape.js';
import type { DType, View } from '../storage.js';

/** What an op's backward may look at. */
export interface Context<A, E> {
  readonly attributes: A;
  /** The shapes of the inputs. */
  readonly shapes: readonly Shape[];
  /** The number format of the inputs. */
  readonly inputDType: DType;
  /** The inputs, if the op saves them. */
  readonly inputs: readonly View[];
  /** The output, if the op saves it; otherwise its shape with no numbers. */
  readonly output: View;
  /** What forward returned beside the output. */
  readonly extra: E;
  /** Which inputs need a gradient. */
  readonly needs: readonly boolean[];
}

/**
 * One differentiable operation over flat views: forward and backward side by side. A is what it is
 * told beside its inputs (dims, strides), E what forward keeps for backward beside what `saves` names.
 */
export interface Op<A = void, E = void> {
  readonly name: string;
  /** What backward reads; nothing by default. */
  readonly saves?: 'inputs' | 'output' | 'both';
  /** The output is the input under another shape: no numbers move. */
  readonly alias?: boolean;
  /** The output's shape. @throws before anything is computed when the inputs do not fit. */
  shape(inputs: readonly View[], attributes: A): Shape;
  /** The output's number format, where it is not that of the inputs. */
  dtype?(attributes: A): DType;
  /** Writes all of `out`, which holds arbitrary numbers. */
  forward(inputs: readonly View[], out: View, attributes: A): E;
  /** The gradient of each input (null where not needed) from g, the gradient of the output; absent if there is none. */
  backward?(g: View, context: Context<A, E>): readonly (View | null)[];
}

/** An op of any attributes, as a table holds it. */
// oxlint-disable-next-line typescript/no-explicit-any -- `unknown` would refuse every op that has attributes.
export type AnyOp = Op<any, any>;
