"""Golden values of the measures of detection and calibration: scikit-learn's ROC curves and reliability curves."""

import numpy
import sklearn
import torch
from sklearn.calibration import calibration_curve
from sklearn.metrics import roc_auc_score, roc_curve

from golden import Numbers, write

KEPT = [0.5, 0.8, 0.9, 0.95, 0.99, 1.0]


def detection(name, known, unknown):
    known, unknown = known.numpy(), unknown.numpy()
    truth = numpy.concatenate([numpy.ones(len(known)), numpy.zeros(len(unknown))])
    scores = numpy.concatenate([known, unknown])
    false_positives, true_positives, _ = roc_curve(truth, scores, drop_intermediate=False)
    return {
        "name": name,
        "known": torch.tensor(known),
        "unknown": torch.tensor(unknown),
        "auroc": float(roc_auc_score(truth, scores)),
        "kept": KEPT,
        "falsePositiveRates": torch.tensor([false_positives[numpy.argmax(true_positives >= p)] for p in KEPT]),
    }


def detections():
    for name, known_count, unknown_count, apart, decimals in (
        ("far apart", 60, 40, 8.0, 3),
        ("near", 200, 100, 1.0, 3),
        ("the wrong way round", 40, 60, -2.0, 3),
        ("many ties", 100, 80, 1.0, 0),
        ("ties at twentieths", 20, 20, 0.5, 1),
        ("one of each", 1, 1, 1.0, 3),
        ("one known", 1, 30, 1.0, 1),
    ):
        numbers = Numbers(name)
        known = numbers.normal(known_count, mean=apart, decimals=decimals)
        yield detection(name, known, numbers.normal(unknown_count, decimals=decimals))
    yield detection("all the same", torch.full((7,), 0.5), torch.full((9,), 0.5))


def calibrations():
    for name, count, bins, power, decimals in (
        ("calibrated", 400, 15, 1.0, 3),
        ("too sure", 400, 15, 3.0, 3),
        ("on the edges of bins", 200, 10, 2.0, 1),
        ("one bin", 50, 1, 2.0, 3),
        ("few in many bins", 5, 40, 1.0, 3),
    ):
        numbers = Numbers(name)
        confidences = numbers.uniform(count, decimals=decimals).numpy()
        correct = (numbers.uniform(count).numpy() < confidences**power).astype(float)
        accuracy, confidence = calibration_curve(correct, confidences, n_bins=bins)
        # As calibration_curve bins them: an edge belongs to the bin below it.
        places = numpy.searchsorted(numpy.linspace(0.0, 1.0, bins + 1)[1:-1], confidences)
        shares = numpy.unique(places, return_counts=True)[1] / count
        yield {
            "name": name,
            "bins": bins,
            "confidences": torch.tensor(confidences),
            "correct": torch.tensor(correct),
            "error": float(numpy.sum(shares * numpy.abs(accuracy - confidence))),
        }


if __name__ == "__main__":
    write(
        "detection",
        {
            "scikit-learn": sklearn.__version__,
            "detections": list(detections()),
            "calibrations": list(calibrations()),
        },
    )
