import { NotFiniteError, NotPositiveDefiniteError, NumericalError, type Tensor } from '@gmml/tensor';
import { MultivariateNormal } from '../multivariateNormal.js';

/** How covariances are restricted: independent coordinates, a triangular factor, or the whole matrix. */
export type CovType = 'diag' | 'tril' | 'full';

/** How feasible values are made from the free parameters. */
export type Parametrization = 'cholesky' | 'gram';

/** The smallest entry on the diagonal of a factor. */
export const SCALE_FLOOR = 1e-3;

/** The share of the mean variance that 'full' adds to the diagonal. */
export const FULL_JITTER = 1e-6;

/** The share of the mean squared entry that 'gram' adds to the diagonal. */
export const GRAM_JITTER = 0.01;

/**
 * The component distributions [N, G] of the 'cholesky' parametrisation. A factor F has the diagonal
 * softplus(sigmaᵢᵢ) + 1e-3 and elsewhere sigmaᵢⱼ/√D: 'diag' takes its diagonal as standard deviations,
 * 'tril' its lower triangle as the factor of Σ, 'full' Σ = F Fᵀ + 1e-6·trace(F Fᵀ)/D·I.
 */
export function choleskyComponents(mean: Tensor, sigma: Tensor, covType: CovType): MultivariateNormal {
  if (covType === 'diag') return trusted(mean, { scaleDiag: sigma.softplus().add(SCALE_FLOOR) });
  const d = sigma.shape[sigma.ndim - 1];
  const diagonal = sigma.diagonal().softplus().add(SCALE_FLOOR);
  const factor = sigma.div(Math.sqrt(d)).diagonalScatter(diagonal);
  // What stands above the diagonal of a triangular factor is not read.
  if (covType === 'tril') return trusted(mean, { scaleTril: factor });
  return factored(mean, withJitter(factor.matmul(factor, { transposeB: true }), FULL_JITTER));
}

/**
 * The component distributions [N, G] of the 'gram' parametrisation, S = AᵀA + 0.01·trace(AᵀA)/D·I with
 * A = sigma: 'diag' takes the diagonal of S as standard deviations, 'tril' its lower triangle as the
 * factor of Σ, 'full' Σ = S.
 */
export function gramComponents(mean: Tensor, sigma: Tensor, covType: CovType): MultivariateNormal {
  const s = withJitter(sigma.matmul(sigma, { transposeA: true }), GRAM_JITTER);
  if (covType === 'diag') return trusted(mean, { scaleDiag: s.diagonal() });
  if (covType === 'tril') return trusted(mean, { scaleTril: s.tril() });
  return factored(mean, s);
}

/** log of the weights of the components within each class [N, G]: softmax of omega. */
export function choleskyLogWeights(omega: Tensor): Tensor {
  return omega.logSoftmax(1);
}

/**
 * log of the weights of the components within each class [N, G]: omega shifted to be non-negative by its
 * smallest entry if that is negative, and normalised.
 * @throws NumericalError naming the class when all of its weights are 0
 */
export function gramLogWeights(omega: Tensor): Tensor {
  const shifted = omega.sub(omega.min().minimum(0));
  const totals = shifted.sum(1, { keepDim: true });
  const empty = totals.data.findIndex((total) => !(total > 0));
  if (empty >= 0) {
    throw new NumericalError(
      `GMML: the weights of a class must not all be 0: those of class ${empty} are, after the smallest of all was subtracted. Raise one with initOmega.`,
    );
  }
  return shifted.div(totals).log();
}

/** x [N, G, D, D] with a share of its mean diagonal entry added to the diagonal. */
export function withJitter(x: Tensor, share: number): Tensor {
  const d = x.shape[x.ndim - 1];
  const amount = x.trace().mul(share / d);
  return x.add(
    amount
      .unsqueeze(-1)
      .expand([...amount.shape, d])
      .diagEmbed(),
  );
}

/** As messages call component `at` of [N, G]. */
export function componentName(at: number, components: number): string {
  return `class ${Math.floor(at / components)}, component ${at % components}`;
}

/** The layer makes its own parameters feasible, so their values need no second look. */
function trusted(mean: Tensor, scale: { scaleDiag: Tensor } | { scaleTril: Tensor }): MultivariateNormal {
  return new MultivariateNormal(mean, scale, { validate: false });
}

/** Factors covariances [N, G, D, D]. @throws the error of `cholesky` with the component's name. */
function factored(mean: Tensor, covariance: Tensor): MultivariateNormal {
  try {
    return new MultivariateNormal(mean, { covariance }, { validate: false });
  } catch (error) {
    if (!(error instanceof NotPositiveDefiniteError) && !(error instanceof NotFiniteError)) throw error;
    const [, components, d] = covariance.shape;
    const at =
      error instanceof NotPositiveDefiniteError
        ? error.matrix
        : Math.floor(covariance.data.findIndex((value) => !Number.isFinite(value)) / (d * d));
    const name = componentName(at, components);
    if (error instanceof NotFiniteError) {
      throw new NotFiniteError(
        `GMML: the covariance of ${name} must be finite: its free parameters are not, or overflow. Lower the learning rate or clip the gradient.`,
      );
    }
    throw new NotPositiveDefiniteError(
      `GMML: the covariance of ${name} is not positive definite: pivot ${error.pivot} failed by rounding. Use covType 'tril', float64, or a lower learning rate.`,
      error.matrix,
      error.pivot,
    );
  }
}
