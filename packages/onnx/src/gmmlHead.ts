import type { GMML } from '@gmml/gmm';
import { eachRow, packed } from '@gmml/gmm/linearAlgebra';
import { noGrad, type Tensor } from '@gmml/tensor';
import type { Value } from './graph.js';
import { logSoftmax, logSumExp } from './logSumExp.js';
import { halfDistances, logNormalizer } from './normals.js';
import { once, type HeadOutputs } from './outputs.js';
import type { Place } from './place.js';

/** The constant of `logStretchTrick`: −log(−log p + 1e-4). */
const STRETCH_FLOOR = 1e-4;

/** The layer's numbers in float64; K = N·G components. */
interface Mixture {
  /** log of the weights within classes [K]. */
  readonly logWeights: Float64Array;
  /** log of the class priors [N]. */
  readonly logPrior: Float64Array;
  /** Standard deviations [D] or packed factors of the K components. */
  readonly scales: readonly Float64Array[];
}

/** What a mixture head says of features x [N, inputDim]. @throws ShapeError for other features; what `mixtureParameters` throws */
export function gmmlOutputs(at: Place, x: Value, head: GMML): HeadOutputs {
  const { nClass, nComponent, d } = head;
  at.checkShape(x, x.shape.length === 1 && x.shape[0] === head.inputDim, `[N, ${head.inputDim}]`);
  const { logWeights, logPrior, scales } = mixtureOf(head);
  const normalizers = scales.map((scale) => logNormalizer(scale, d));

  const distances = once(() => {
    const inside = head.projection ? project(at, x, at.parameter('projection', head.projection)) : x.name;
    const flat = at.integers([nClass * nComponent, d]);
    const means = at.node('Reshape', [at.parameter('mean', head.mean), flat], 'means');
    return halfDistances(at, inside, means, scales, d);
  });
  const classLogLikelihood = once(() => {
    const offsets = logWeights.map((weight, k) => weight - normalizers[k]);
    const doc = 'Log weight within the class, less the log normalizer.';
    return sumWithinClasses(at, at.plus(distances(), 'offsets', offsets, doc), head);
  });
  const logPriors = once(() => at.floats('logPriors', logPrior, [nClass]));
  const logPosteriors = once(() => {
    if (head.parametrization === 'gram' || head.logStretchTrick) {
      const offsets = logWeights.map(
        (weight, k) => weight + logPrior[Math.floor(k / nComponent)] - normalizers[k],
      );
      const doc = 'Log weight among all components, less the log normalizer.';
      return jointPosterior(at, at.plus(distances(), 'jointOffsets', offsets, doc), head);
    }
    const tempered = head.logTemperature
      ? at.node('Mul', [classLogLikelihood(), temperature(at, head.logTemperature)], 'tempered')
      : classLogLikelihood();
    return logSoftmax(at, at.node('Add', [tempered, logPriors()], 'scores'), 1, 'logPosteriors');
  });
  const logDensity = once(() => {
    const inside = at.inside('density');
    return logSumExp(
      inside,
      inside.node('Add', [classLogLikelihood(), logPriors()], 'joint'),
      1,
      'logDensity',
    );
  });
  const label = once(() => at.output('label', 'ArgMax', [logPosteriors()], { axis: 1, keepdims: 0 }));
  return { nClass, values: { logPosteriors, label, logDensity } };
}

function mixtureOf(head: GMML): Mixture {
  const { d } = head;
  const { components, logWeights, logPrior } = noGrad(() => head.mixtureParameters());
  const deviations = components.scaleDiag();
  const numbers = Float64Array.from((deviations ?? components.scaleTril()).data);
  const scales = deviations
    ? eachRow(numbers, d)
    : eachRow(numbers, d * d).map((factor) => packed(factor, d));
  return {
    logWeights: Float64Array.from(logWeights.data),
    logPrior: Float64Array.from(logPrior.data),
    scales,
  };
}

/** exp(logTemperature). */
function temperature(at: Place, logTemperature: Tensor): string {
  return at.floats('temperature', Float64Array.of(Math.exp(logTemperature.item())), []);
}

/** x Pᵀ. */
function project(at: Place, x: Value, projection: string): string {
  return at.node('Gemm', [x.name, projection], 'projected', { transB: 1 });
}

/** Log densities and weights of components [N, K] → of classes. */
function sumWithinClasses(at: Place, joint: string, { nClass, nComponent }: GMML, output?: string): string {
  if (nComponent === 1) return joint;
  return logSumExp(at.inside('class'), at.reshape(joint, [nClass, nComponent]), 2, output);
}

/** What GMML's forward does with 'gram' and with `logStretchTrick`: log weight + log density [N, K], normalised over all K. */
function jointPosterior(at: Place, joint: string, head: GMML): string {
  const zero = at.number(0);
  const most = (): string => at.node('Max', [at.max(joint, 1, { keepDim: true }), zero], 'excess');
  const logProb =
    head.parametrization === 'gram'
      ? at.node('Min', [joint, zero], 'clamped')
      : at.node('Sub', [joint, most()], 'lowered');
  const score = head.logStretchTrick ? stretched(at, logProb) : logProb;
  if (head.nComponent === 1) return logSoftmax(at, score, 1, 'logPosteriors');
  return sumWithinClasses(at, logSoftmax(at, score, 1), head, 'logPosteriors');
}

/** −log(−log p + 1e-4). */
function stretched(at: Place, logProb: string): string {
  const distance = at.node(
    'Add',
    [at.node('Neg', [logProb], 'surprise'), at.number(STRETCH_FLOOR)],
    'floored',
  );
  return at.node('Neg', [at.node('Log', [distance], 'logSurprise')], 'stretched');
}
