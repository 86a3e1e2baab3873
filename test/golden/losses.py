"""Golden values of the losses and their gradients, for each reduction."""

import torch
import torch.nn.functional as F

from golden import Numbers, record, write

INF = float("inf")
REDUCTIONS = ("mean", "sum", "none")


def nll(x, labels, reduction):
    return F.nll_loss(x, labels, reduction=reduction)


def cross_entropy(x, labels, reduction, labelSmoothing=0.0):
    return F.cross_entropy(x, labels, reduction=reduction, label_smoothing=labelSmoothing)


def mse(x, y, reduction):
    return F.mse_loss(x, y, reduction=reduction)


def cases():
    draw = Numbers("losses")
    logits = draw.normal(6, 4, scale=2)
    labels = torch.tensor([0, 3, 1, 1, 2, 3])
    logProbs = torch.log_softmax(logits, 1)
    extreme = torch.tensor([[1e4, 0.0, -1e4], [-1e4, -1e4, -9999.0], [0.0, 1e4, 1e4], [-INF, 0.0, 2.0]])
    extreme_labels = torch.tensor([0, 2, 0, 1])
    impossible = torch.tensor([[-INF, 0.0], [-0.5, -1.0]])
    one = draw.normal(1, 3)
    for reduction in REDUCTIONS:
        options = {"reduction": reduction}
        pairs = (
            ("nllLoss: log-probabilities", "nllLoss", nll, logProbs, labels),
            ("nllLoss: one row", "nllLoss", nll, one, torch.tensor([2])),
            ("nllLoss: an impossible label", "nllLoss", nll, impossible, torch.tensor([0, 1])),
            ("crossEntropy: logits", "crossEntropy", cross_entropy, logits, labels),
            ("crossEntropy: one row", "crossEntropy", cross_entropy, one, torch.tensor([2])),
            ("crossEntropy: logits at ±1e4 and −∞", "crossEntropy", cross_entropy, extreme, extreme_labels),
        )
        for name, op, function, x, target in pairs:
            yield record(f"{name}, {reduction}", op, function, {"x": x, "labels": target}, options)
        for smoothing in (0.1, 1.0):
            smoothed = {**options, "labelSmoothing": smoothing}
            inputs = {"x": logits, "labels": labels}
            name = f"crossEntropy: label smoothing {smoothing}, {reduction}"
            yield record(name, "crossEntropy", cross_entropy, inputs, smoothed)
        for name, shape in (("a vector", (5,)), ("[2, 3, 2]", (2, 3, 2))):
            inputs = {"x": draw.normal(*shape), "y": draw.normal(*shape)}
            yield record(f"mseLoss: {name}, {reduction}", "mseLoss", mse, inputs, options)


if __name__ == "__main__":
    write("losses", {"cases": list(cases())})
