"""Golden values of EM and k-means from scikit-learn: iris, wine, digits and synthetic samples, the four covariance types,
each from the same initial labels and from the same initial parameters; the lower bound of every iteration.

Needs Debian's python3-sklearn beside what golden.py needs.
"""

import numpy
import sklearn
import torch
from sklearn.cluster import KMeans
from sklearn.covariance import ledoit_wolf
from sklearn.datasets import load_digits, load_iris, load_wine
from sklearn.mixture import GaussianMixture

from golden import Numbers, write

TYPES = ("full", "tied", "diag", "spherical")

# The first two samples become a component whose variance is near the regularization of 1e-6: the bound falls.
NARROW = numpy.array([[-0.2], [-0.197], [-0.01], [-0.35], [-0.19], [0.24], [0.93], [-0.74], [-0.04], [0.86]])


class Recorded(GaussianMixture):
    """Starts from given labels, and keeps the lower bound of every iteration."""

    labels = None

    def _initialize_parameters(self, X, random_state):
        self.bounds = []
        labels = numpy.arange(len(X)) % self.n_components if self.labels is None else self.labels
        self._initialize(X, numpy.eye(self.n_components)[labels])

    def _compute_lower_bound(self, log_resp, log_prob_norm):
        self.bounds.append(float(log_prob_norm))
        return log_prob_norm


def data_sets():
    """Name, samples, components, tolerance."""
    yield "iris", load_iris().data, 3, 1e-3
    yield "wine", load_wine().data, 3, 1e-4
    digits = load_digits().data[:400]
    varied = numpy.argsort(-digits.var(0), kind="stable")[:14]
    yield "digits", digits[:, numpy.sort(varied)], 5, 1e-3
    draw = Numbers("synthetic")
    centres = draw.normal(4, 3, scale=3).numpy()
    spread = draw.normal(4, 3, 3, scale=0.8, decimals=2).numpy()
    noise = draw.normal(240, 3).numpy()
    drawn = [centres[n % 4] + spread[n % 4] @ noise[n] for n in range(240)]
    yield "synthetic", numpy.round(numpy.array(drawn), 3), 4, 1e-6
    yield "offset by 1e4", numpy.round(numpy.array(drawn) + 1e4, 3), 4, 1e-6


def fitted(name, x, components, tolerance, covariance, **start):
    mixture = Recorded(components, covariance_type=covariance, tol=tolerance, max_iter=200)
    mixture.labels = start.get("labels")
    if mixture.labels is None:
        mixture.set_params(
            weights_init=start["weights"], means_init=start["means"], precisions_init=start["precisions"]
        )
    mixture.fit(x)
    assert mixture.converged_ and len(mixture.bounds) == mixture.n_iter_
    return {
        "name": f"{name}, {covariance}, from {'parameters' if mixture.labels is None else 'labels'}",
        "data": name,
        "covariance": covariance,
        "tolerance": tolerance,
        "start": {key: torch.tensor(value) for key, value in start.items()},
        "iterations": mixture.n_iter_,
        "lowerBounds": torch.tensor(mixture.bounds),
        "weights": torch.tensor(mixture.weights_),
        "means": torch.tensor(mixture.means_),
        "covariances": torch.tensor(mixture.covariances_),
        "labels": torch.tensor(mixture.predict(x)),
        "scores": torch.tensor(mixture.score_samples(x)[:10]),
        "responsibilities": torch.tensor(mixture.predict_proba(x)[:10]),
        "bic": float(mixture.bic(x)),
        "aic": float(mixture.aic(x)),
    }


def precisions(x, components, covariance):
    """Of the features' variances, with four digits."""
    inverse = numpy.array([float(f"{4 / variance:.3e}") for variance in x.var(0)])
    if covariance == "full":
        return numpy.stack([numpy.diag(inverse)] * components)
    if covariance == "tied":
        # Not diagonal, so that the order of its factorisation matters.
        return numpy.diag(inverse) + 0.1 * inverse.min()
    return numpy.stack([inverse] * components) if covariance == "diag" else numpy.full(components, inverse.mean())


def mixture_cases():
    for name, x, components, tolerance in data_sets():
        labels = KMeans(components, n_init=1, random_state=0).fit(x).labels_
        chosen = numpy.linspace(0, len(x) - 1, components).astype(int)
        # The other types lose half of their digits to the offset in scikit-learn.
        for covariance in ("full",) if name == "offset by 1e4" else TYPES:
            yield fitted(name, x, components, tolerance, covariance, labels=labels)
            yield fitted(
                name,
                x,
                components,
                tolerance,
                covariance,
                weights=numpy.full(components, 1 / components),
                means=x[chosen],
                precisions=precisions(x, components, covariance),
            )
    narrow = fitted("narrow", NARROW, 2, 1e-9, "full", labels=numpy.array([0, 0, 1, 1, 1, 1, 1, 1, 1, 1]))
    assert numpy.diff(narrow["lowerBounds"].numpy()).min() < -1e-4
    yield narrow


def k_means_cases():
    for name, x, components, _ in data_sets():
        # The first rows: poor centres, so that there are iterations; two alike, so that a cluster is empty at first.
        for kind, start in (("first rows", x[:components]), ("an empty cluster", x[[0, *range(components - 1)]])):
            found = KMeans(components, init=start, n_init=1, algorithm="lloyd").fit(x)
            yield {
                "name": f"{name}, from {kind}",
                "data": name,
                "start": torch.tensor(start),
                "centers": torch.tensor(found.cluster_centers_),
                "labels": torch.tensor(found.labels_),
                "inertia": float(found.inertia_),
                "iterations": found.n_iter_,
            }


def ledoit_wolf_cases():
    for name, x, _, _ in data_sets():
        covariance, amount = ledoit_wolf(x)
        yield {"name": name, "covariance": torch.tensor(covariance), "amount": float(amount)}


if __name__ == "__main__":
    content = {
        "sklearn": sklearn.__version__,
        "data": {name: torch.tensor(x) for name, x, _, _ in data_sets()} | {"narrow": torch.tensor(NARROW)},
        "mixtures": list(mixture_cases()),
        "kMeans": list(k_means_cases()),
        "ledoitWolf": list(ledoit_wolf_cases()),
    }
    write("gaussianMixture", content)
