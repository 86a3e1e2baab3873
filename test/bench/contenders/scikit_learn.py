"""scikit-learn's fits of normal distributions, timed for bench.mjs.

--model qda      QuadraticDiscriminantAnalysis, which shrinks nothing
--model mixture  a GaussianMixture(1) for each class; and one with all components, from the labels

Data are those of fits.mjs. One JSON line for each measurement goes to standard output, times in milliseconds.
"""

import argparse
import json
import math
import os
import statistics
import sys
import time
import warnings

import numpy as np
import sklearn
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.mixture import GaussianMixture

here = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(here, "fits.json"), encoding="utf8") as file:
    task = json.load(file)
N, D, K = task["rows"], task["features"], task["classes"]


def report(**line):
    print(json.dumps(line), flush=True)


def uniforms(first, count):
    """Draws `first` to `first` + `count` of mulberry32, from [0, 1)."""
    index = np.arange(first + 1, first + count + 1, dtype=np.uint64)
    state = (task["seed"] + index * 0x6D2B79F5).astype(np.uint32)
    t = (state ^ (state >> 15)) * (1 | state)
    t = (t + (t ^ (t >> 7)) * (61 | t)) ^ t
    return (t ^ (t >> 14)) / 2.0**32


def normals(count):
    """Box and Muller 1958."""
    u = uniforms(0, 2 * count)
    return np.sqrt(-2 * np.log(1 - u[0::2])) * np.cos(2 * np.pi * u[1::2])


def median_milliseconds(run):
    """As measure.mjs does, a call a sample."""
    run()
    samples = []
    began = time.perf_counter()
    while len(samples) < 5 or time.perf_counter() - began < args.seconds:
        start = time.perf_counter()
        run()
        samples.append(time.perf_counter() - start)
        if samples[0] > args.seconds:
            break
    return 1e3 * statistics.median(samples)


def check(name, value, tolerance):
    """Whether the same was computed as by the others."""
    if not math.isclose(value, task[name], rel_tol=tolerance):
        raise ValueError(f"{name} must be {task[name]}: it is {value}")


def measure(name, run, verify):
    if name not in wanted:
        return
    verify(run())
    report(measurement=name, value=median_milliseconds(run))


class FromLabels(GaussianMixture):
    """EM from the covariances of labelled samples, as gmml's { init: { labels } }."""

    def _initialize_parameters(self, X, random_state):
        self._initialize(X, np.eye(K)[labels])


def fit_by_qda():
    return QuadraticDiscriminantAnalysis(store_covariance=True).fit(x, labels)


def fit_by_mixtures():
    return [GaussianMixture(1, covariance_type="full").fit(x[labels == k]) for k in range(K)]


def fit_mixture():
    return FromLabels(K, covariance_type="full", tol=0, max_iter=task["iterations"]).fit(x)


def mean_variance(covariances):
    return np.trace(covariances, axis1=1, axis2=2).mean() / D


parser = argparse.ArgumentParser()
parser.add_argument("--model", choices=("qda", "mixture"), required=True)
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--measure", default="")
parser.add_argument("--seconds", type=float, default=0.5)
args = parser.parse_args()
wanted = set(args.measure.split(","))
# Five iterations are few.
warnings.filterwarnings("ignore")

x = normals(N * D).reshape(N, D)
labels = np.arange(N) % K
if args.model == "qda":
    # It divides by n − 1.
    share = 1 - K / N
    measure("fit", fit_by_qda, lambda fit: check("meanVariance", mean_variance(fit.covariance_) * share, 1e-5))
else:
    measure(
        "fit",
        fit_by_mixtures,
        lambda fits: check("meanVariance", mean_variance(np.array([fit.covariances_[0] for fit in fits])), 1e-5),
    )
    measure("mixture", fit_mixture, lambda fit: check("lowerBound", fit.lower_bound_, 1e-9))
report(version=f"scikit-learn {sklearn.__version__}, numpy {np.__version__}, Python {sys.version.split()[0]}", threads=args.threads)
