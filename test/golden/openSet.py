"""Golden values of the open-set classifier: posteriors of scikit-learn's discriminant analyses, densities of SciPy."""

import numpy
import sklearn
import torch
from scipy.stats import multivariate_normal
from sklearn.datasets import load_iris, load_wine
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis

from golden import write


def cases():
    for name, loaded in (("iris", load_iris()), ("wine", load_wine())):
        x, y = loaded.data, loaded.target
        # Means of neighbours: points between the examples.
        queries = (x[:-7:3] + x[7::3][: len(x[:-7:3])]) / 2
        frequencies = numpy.bincount(y) / len(y)
        for priors in ("equal", "counts"):
            p = frequencies if priors == "counts" else numpy.full(3, 1 / 3)
            tied = LinearDiscriminantAnalysis(solver="svd", priors=p).fit(x, y)
            full = QuadraticDiscriminantAnalysis(priors=p, store_covariance=True).fit(x, y)
            means = [x[y == k].mean(0) for k in range(3)]
            within = sum((x[y == k] - means[k]).T @ (x[y == k] - means[k]) for k in range(3)) / (len(y) - 3)
            for covariance, model, sigmas in (("tied", tied, [within] * 3), ("full", full, full.covariance_)):
                joint = [
                    numpy.log(p[k]) + multivariate_normal(means[k], sigmas[k]).logpdf(queries) for k in range(3)
                ]
                yield {
                    "name": f"{name}, {covariance}, priors {priors}",
                    "covariance": covariance,
                    "priors": priors,
                    "x": torch.tensor(x),
                    "labels": torch.tensor(y),
                    "queries": torch.tensor(queries),
                    "probabilities": torch.tensor(model.predict_proba(queries)),
                    "logDensity": torch.tensor(numpy.logaddexp.reduce(joint)),
                }


if __name__ == "__main__":
    write("openSet", {"scikit-learn": sklearn.__version__, "cases": list(cases())})
