"""Golden values of GMML.fit: closed-form Gaussians by NumPy, their densities by SciPy, the mixtures within classes by
scikit-learn, and the amount of shrinkage by really leaving out each row.

Needs Debian's python3-sklearn beside what golden.py needs.
"""

import numpy
import scipy
import sklearn
import torch
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from sklearn.datasets import load_iris
from sklearn.mixture import GaussianMixture

from golden import Numbers, write

RIDGE = 1e-6
GRID = (0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1)


def grouped(name, counts, features, apart, differing, offset=0.0):
    """Rows of classes with `counts` rows, whose covariances share a factor and differ from it by `differing`."""
    draw = Numbers(name)
    shared = numpy.eye(features) + draw.normal(features, features, scale=0.4).numpy()
    rows, labels = [], []
    for k, count in enumerate(counts):
        own = shared + draw.normal(features, features, scale=differing).numpy()
        centre = offset + draw.normal(features, scale=apart).numpy()
        rows.append(centre + draw.normal(count, features).numpy() @ own.T)
        labels += [k] * count
    return numpy.round(numpy.concatenate(rows), 3), numpy.array(labels)


def uneven_iris():
    iris = load_iris()
    kept = numpy.concatenate([numpy.arange(0, 50), numpy.arange(50, 85), numpy.arange(100, 120)])
    return iris.data[kept], iris.target[kept]


def covariance_of(rows, is_diag):
    """Divided by the number of rows."""
    found = numpy.atleast_2d(numpy.cov(rows, rowvar=False, bias=True))
    return numpy.diag(numpy.diag(found)) if is_diag else found


def with_ridge(covariance):
    return covariance + RIDGE * numpy.trace(covariance) / len(covariance) * numpy.eye(len(covariance))


def shrunk(x, labels, amount, is_diag):
    """Means and covariances (1 − ρ)·S + ρ·T with the ridge."""
    members = [x[labels == k] for k in range(labels.max() + 1)]
    own = [covariance_of(rows, is_diag) for rows in members]
    tied = sum(len(rows) * s for rows, s in zip(members, own)) / len(x)
    covariances = [with_ridge((1 - amount) * s + amount * tied) for s in own]
    return [rows.mean(0) for rows in members], covariances


def densities(queries, weights, means, covariances):
    """log p(x | class) of mixtures: weights [N][G], means [N][G][D]."""
    return numpy.stack(
        [
            logsumexp([numpy.log(w) + multivariate_normal(m, s).logpdf(queries) for w, m, s in zip(*own)], axis=0)
            for own in zip(weights, means, covariances)
        ],
        axis=1,
    )


def recorded(x, labels, amount, weights, means, covariances):
    # Means of neighbours: points between the examples, and between classes.
    queries = (x[:-5:4] + x[5::4][: len(x[:-5:4])]) / 2
    log_likelihood = densities(queries, weights, means, covariances)
    frequencies = numpy.bincount(labels) / len(labels)
    joint = log_likelihood + numpy.log(frequencies)
    return {
        "shrinkage": amount,
        "queries": torch.tensor(queries),
        "weights": torch.tensor(numpy.array(weights)),
        "means": torch.tensor(numpy.array(means)),
        "covariances": torch.tensor(numpy.array(covariances)),
        "logLikelihood": torch.tensor(log_likelihood),
        "posterior": torch.tensor(log_likelihood - logsumexp(log_likelihood, axis=1, keepdims=True)),
        "posteriorByCounts": torch.tensor(joint - logsumexp(joint, axis=1, keepdims=True)),
        "logDensityByCounts": torch.tensor(logsumexp(joint, axis=1)),
    }


def data_sets():
    yield "uneven iris", *uneven_iris()
    yield "synthetic", *grouped("fit", (40, 25, 60, 12), 5, 3, 0.4)
    yield "offset by 1e4", *grouped("fit offset", (30, 20), 3, 2, 0.4, offset=1e4)


def single_cases():
    for name, x, labels in data_sets():
        for is_diag in (True, False):
            for amount in (0, 0.1, 1):
                means, covariances = shrunk(x, labels, amount, is_diag)
                one = [[1.0]] * len(means)
                yield {
                    "name": f"{name}, {'diagonal' if is_diag else 'full'}, shrinkage {amount}",
                    "data": name,
                    "isDiag": is_diag,
                    **recorded(x, labels, amount, one, [[m] for m in means], [[s] for s in covariances]),
                }


def groups_within_classes():
    """Two classes of two groups each, so far apart that EM has one answer from whatever start."""
    x, groups = grouped("fit groups", (30, 18, 25, 40), 3, 1, 0.4)
    x = x + 60.0 * numpy.array([[0, 0, 0], [1, 0, 1], [0, 1, -1], [-1, 1, 0]])[groups]
    return x, groups % 2, groups // 2


def mixture_cases():
    x, labels, groups = groups_within_classes()
    within = sum(((x[labels == k] - x[labels == k].mean(0)) ** 2).sum() for k in (0, 1)) / x.size
    for is_diag in (True, False):
        weights, means, own = [], [], []
        for k in (0, 1):
            rows, start = x[labels == k], groups[labels == k]
            order = numpy.argsort([rows[start == g, 0].mean() for g in (0, 1)])
            mixture = GaussianMixture(
                2,
                covariance_type="diag" if is_diag else "full",
                reg_covar=RIDGE * within,
                weights_init=[0.5, 0.5],
                means_init=[rows[start == g].mean(0) for g in order],
            ).fit(rows)
            assert mixture.converged_
            weights.append(mixture.weights_)
            means.append(mixture.means_)
            own.append([numpy.diag(s) for s in mixture.covariances_] if is_diag else mixture.covariances_)
        counts = numpy.bincount(labels)
        shares = [counts[k] / len(x) * weights[k] for k in (0, 1)]
        tied = sum(shares[k][g] * own[k][g] for k in (0, 1) for g in (0, 1))
        for amount in (0, 0.1, 1):
            covariances = [[with_ridge((1 - amount) * s + amount * tied) for s in each] for each in own]
            yield {
                "name": f"groups within classes, {'diagonal' if is_diag else 'full'}, shrinkage {amount}",
                "isDiag": is_diag,
                **recorded(x, labels, amount, weights, means, covariances),
            }


def leave_one_out(x, labels, amount, is_diag):
    """The mean log density of every row under its class's Gaussian without it."""
    scores = []
    for n in range(len(x)):
        if (labels == labels[n]).sum() > 1:
            others = numpy.arange(len(x)) != n
            means, covariances = shrunk(x[others], labels[others], amount, is_diag)
            k = labels[n]
            scores.append(multivariate_normal(means[k], covariances[k]).logpdf(x[n]))
    return numpy.mean(scores)


def choices():
    for name, counts, features, differing in (
        ("many rows", (60, 60), 2, 1.2),
        ("some rows", (30, 25, 20), 3, 0.6),
        ("few rows", (14, 12, 13), 4, 0.5),
        ("fewer rows", (9, 11, 8), 4, 0.3),
        ("one covariance", (10, 12, 9), 4, 0),
        ("a class of one row", (12, 1, 15), 3, 0.4),
    ):
        x, labels = grouped(name, counts, features, 3, differing)
        for is_diag in (True, False):
            scores = [leave_one_out(x, labels, amount, is_diag) for amount in GRID]
            best, second = sorted(scores, reverse=True)[:2]
            # The ridge, which is that of all rows in gmml and that of the others here, cannot turn it.
            assert best - second > 1e-4, (name, is_diag, best - second)
            yield {
                "name": f"{name}, {'diagonal' if is_diag else 'full'}",
                "isDiag": is_diag,
                "x": torch.tensor(x),
                "labels": torch.tensor(labels),
                "scores": torch.tensor(scores),
                "shrinkage": GRID[int(numpy.argmax(scores))],
            }


if __name__ == "__main__":
    x, labels, _ = groups_within_classes()
    content = {
        "sklearn": sklearn.__version__,
        "scipy": scipy.__version__,
        "data": {
            name: {"x": torch.tensor(x), "labels": torch.tensor(labels)}
            for name, x, labels in [*data_sets(), ("groups", x, labels)]
        },
        "cases": list(single_cases()),
        "mixtures": list(mixture_cases()),
        "choices": list(choices()),
    }
    write("fit", content)
