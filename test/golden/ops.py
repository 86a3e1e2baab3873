"""Golden values of the tensor operations, with the gradient at every differentiable input."""

import itertools

import torch
import torch.nn.functional as F

from golden import Numbers, record, write
from golden import log_sum_exp as exact_log_sum_exp

INF = float("inf")
NAN = float("nan")


# --- convolution and pooling ------------------------------------------------------------------------------------------


def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    return F.conv2d(x, weight, bias, stride, padding, dilation)


def conv_cases():
    shapes = [
        # name, x, weight, bias, options
        ("plain", (2, 2, 5, 6), (3, 2, 3, 3), True, {}),
        ("no bias", (2, 1, 4, 4), (2, 1, 2, 2), False, {}),
        ("1 by 1", (2, 3, 3, 2), (2, 3, 1, 1), True, {}),
        ("the whole image", (2, 2, 4, 3), (2, 2, 4, 3), True, {}),
        ("stride 2", (1, 2, 7, 6), (2, 2, 3, 3), True, {"stride": 2}),
        ("padding 2", (1, 2, 5, 5), (2, 2, 5, 5), True, {"padding": 2}),
        ("stride 2, padding 1", (2, 2, 6, 7), (2, 2, 3, 3), True, {"stride": 2, "padding": 1}),
        ("stride pair [3, 1]", (1, 1, 8, 5), (2, 1, 2, 3), True, {"stride": [3, 1]}),
        ("padding pair [0, 2]", (1, 2, 4, 3), (2, 2, 3, 4), True, {"padding": [0, 2]}),
        ("dilation 2", (1, 2, 7, 7), (2, 2, 3, 3), True, {"dilation": 2}),
        ("dilation pair [1, 3], not square", (2, 1, 4, 9), (2, 1, 3, 2), False, {"dilation": [1, 3]}),
        (
            "pairs throughout",
            (2, 2, 9, 8),
            (3, 2, 3, 2),
            True,
            {"stride": [2, 3], "padding": [1, 2], "dilation": [2, 1]},
        ),
        ("stride beyond the kernel", (1, 1, 9, 9), (1, 1, 2, 2), True, {"stride": 4}),
    ]
    for name, x, weight, has_bias, options in shapes:
        name = f"conv2d: {name}"
        draw = Numbers(name)
        inputs = {"x": draw.normal(*x), "weight": draw.normal(*weight)}
        if has_bias:
            inputs["bias"] = draw.normal(weight[0])
        yield record(name, "conv2d", conv2d, inputs, options)


def max_pool(x, kernelSize, stride=None, padding=0):
    return F.max_pool2d(x, kernelSize, stride, padding)


def avg_pool(x, kernelSize, stride=None, padding=0):
    return F.avg_pool2d(x, kernelSize, stride, padding)


def pool_cases():
    shapes = [
        ("kernel 2", (2, 2, 4, 6), {"kernelSize": 2}),
        ("kernel 2, a row and a column left over", (1, 2, 5, 5), {"kernelSize": 2}),
        ("kernel 3, stride 2, padding 1", (2, 1, 6, 7), {"kernelSize": 3, "stride": 2, "padding": 1}),
        ("overlapping windows", (1, 2, 5, 4), {"kernelSize": 3, "stride": 1}),
        ("windows with gaps", (1, 1, 7, 8), {"kernelSize": 2, "stride": 3}),
        ("pairs", (1, 2, 6, 5), {"kernelSize": [3, 2], "stride": [2, 1], "padding": [1, 0]}),
    ]
    for op, function in (("maxPool2d", max_pool), ("avgPool2d", avg_pool)):
        for name, x, options in shapes:
            name = f"{op}: {name}"
            yield record(name, op, function, {"x": Numbers(name).normal(*x)}, options)

    ties = torch.tensor([[1.0, 1, 2, 2], [1, 1, 2, 3], [0, -1, 5, 5], [0, 0, 5, 5]]).reshape(1, 1, 4, 4)
    lows = torch.tensor([[-INF, -INF, -INF, 1], [-INF, -INF, 2, -INF], [INF, 0, -1, -INF], [INF, 1, -INF, -2]])
    nans = torch.tensor([[NAN, 1, 2, 3], [4, 5, NAN, NAN], [1, 2, 3, 4], [5, INF, 7, NAN]])
    overlap = {"kernelSize": 3, "stride": 1, "padding": 1}
    for name, x in (
        ("ties", ties),
        ("infinities", lows.reshape(1, 1, 4, 4)),
        ("NaN", nans.reshape(1, 1, 4, 4)),
    ):
        for label, options in (("kernel 2", {"kernelSize": 2}), ("overlapping", overlap)):
            yield record(f"maxPool2d: {name}, {label}", "maxPool2d", max_pool, {"x": x}, options)


# --- linear algebra ---------------------------------------------------------------------------------------------------


def cholesky(a):
    return torch.linalg.cholesky(a)


def factor_of_gram(b):
    """Through B Bᵀ + I the gradient does not depend on how a gradient at a symmetric matrix is written."""
    return torch.linalg.cholesky(b @ b.mT + torch.eye(b.shape[-1]))


def log_det(a):
    return 2 * torch.linalg.cholesky(a).diagonal(dim1=-2, dim2=-1).log().sum(-1)


def triangular_solve(a, b, upper=False, transpose=False, unitDiagonal=False, left=True):
    stored = a.mT if transpose else a
    return torch.linalg.solve_triangular(stored, b, upper=upper != transpose, unitriangular=unitDiagonal, left=left)


def linalg_cases():
    for name, batch, n in (("1 by 1", (), 1), ("2 by 2", (), 2), ("6 by 6", (), 6), ("batch [3, 2]", (3, 2), 4)):
        for op, function in (("cholesky", cholesky), ("logDet", log_det)):
            label = f"{op}: {name}"
            yield record(label, op, function, {"a": Numbers(label).spd(*batch, n=n)})
    label = "cholesky of B Bᵀ + I: batch [2]"
    yield record(label, "choleskyOfGram", factor_of_gram, {"b": Numbers(label).normal(2, 5, 5)})
    hilbert = torch.tensor([[1 / (i + j + 1) for j in range(5)] for i in range(5)])
    yield record("cholesky: Hilbert matrix of order 5, condition 5e5", "cholesky", cholesky, {"a": hilbert})
    yield record("logDet: Hilbert matrix of order 5, condition 5e5", "logDet", log_det, {"a": hilbert})

    flags = ("upper", "transpose", "unitDiagonal")
    for *chosen, left in itertools.product((False, True), repeat=4):
        options = {**dict(zip(flags, chosen)), "left": left}
        label = "triangularSolve: " + ", ".join(f"{key} {str(value).lower()}" for key, value in options.items())
        yield record(label, "triangularSolve", triangular_solve, solve_inputs(label, (), 4, 3, left), options)
    for label, batch, options in (
        ("triangularSolve: batch [2, 3], lower", (2, 3), {}),
        ("triangularSolve: batch [3], upper transposed", (3,), {"upper": True, "transpose": True}),
        ("triangularSolve: batch [2], right", (2,), {"left": False}),
    ):
        yield record(
            label,
            "triangularSolve",
            triangular_solve,
            solve_inputs(label, batch, 3, 2, options.get("left", True)),
            options,
        )
    label = "triangularSolve: matrices [2, 1], right sides [3]"
    inputs = solve_inputs(label, (2, 1), 3, 2, True)
    inputs["b"] = Numbers(label + " b").normal(3, 3, 2)
    yield record(label, "triangularSolve", triangular_solve, inputs)


def solve_inputs(label, batch, n, columns, left):
    """A whole square matrix: what the named triangle leaves out must not matter and must get a zero gradient."""
    draw = Numbers(label)
    a = draw.normal(*batch, n, n, decimals=2) + torch.diag(draw.uniform(n, low=1.5, high=3, decimals=2))
    return {"a": a.round(decimals=2), "b": draw.normal(*batch, *((n, columns) if left else (columns, n)))}


# --- reductions -------------------------------------------------------------------------------------------------------


def every(x, dim):
    return tuple(range(x.ndim)) if dim is None else dim


def log_sum_exp(x, dim=None, keepDim=False):
    return torch.logsumexp(x, every(x, dim), keepdim=keepDim)


def softmax(x, dim):
    return torch.softmax(x, dim)


def log_softmax(x, dim):
    return torch.log_softmax(x, dim)


def variance(x, dim=None, correction=1, keepDim=False):
    return torch.var(x, dim=every(x, dim), correction=correction, keepdim=keepDim)


def amax(x, dim=None, keepDim=False):
    return torch.amax(x, every(x, dim), keepdim=keepDim)


def amin(x, dim=None, keepDim=False):
    return torch.amin(x, every(x, dim), keepdim=keepDim)


HARD_ROWS = torch.tensor(
    [
        [1e4, 9999.0, -1e4, 0.0],
        [-1e4, -10001.0, -10000.5, -2e4],
        [1e4, 1e4, 1e4, 1e4],
        [-INF, 0.0, 1.0, -INF],
        [-INF, -1e4, -INF, -9999.0],
        [1e-300, -1e-300, 0.0, -0.0],
        [745.0, 710.0, -745.0, 709.0],
    ]
)
FAR_ROWS = torch.tensor([[1e8, 1e8 + 0.5, 1e8 - 1.25], [-1e8, -1e8 + 0.25, -1e8 - 2.0]])
NO_ROWS = torch.tensor([[-INF, -INF, -INF], [0.0, 1.0, 2.0]])


def reduction_cases():
    for op, function in (("softmax", softmax), ("logSoftmax", log_softmax)):
        for label, x, options in (
            ("last dim", Numbers(op).normal(3, 4), {"dim": -1}),
            ("middle dim", Numbers(op + "3").normal(2, 3, 2), {"dim": 1}),
            ("hard rows", HARD_ROWS, {"dim": 1}),
            ("rows far from 0", FAR_ROWS, {"dim": 1}),
        ):
            yield record(f"{op}: {label}", op, function, {"x": x}, options)
    for label, x, options in (
        ("all", Numbers("logSumExp").normal(3, 4), {}),
        ("dim 0", Numbers("logSumExp 0").normal(3, 4), {"dim": 0}),
        ("two dims kept", Numbers("logSumExp 2").normal(2, 3, 4), {"dim": [0, 2], "keepDim": True}),
        ("hard rows", HARD_ROWS, {"dim": 1}),
    ):
        yield record(f"logSumExp: {label}", "logSumExp", log_sum_exp, {"x": x}, options)
    yield record("logSumExp: rows far from 0", "logSumExp", exact_log_sum_exp, {"x": FAR_ROWS}, {"dim": 1})
    # Here torch's gradient is NaN (its issue #49724); ours is 0, so only the values are recorded.
    yield record("logSumExp: a row of −∞, values", "logSumExp", log_sum_exp, {"x": NO_ROWS}, {"dim": 1}, fixed=("x",))
    plus = torch.tensor([[INF, 0.0], [INF, -INF]])
    yield record("logSumExp: +∞, values", "logSumExp", log_sum_exp, {"x": plus}, {"dim": 1}, fixed=("x",))

    offset = torch.tensor([[9999.0, 9999.0, 9999.5], [1e8, 1e8 + 1, 1e8 + 2], [-1e4, -1e4, -1e4]])
    for label, x, options in (
        ("all", Numbers("variance").normal(3, 4), {}),
        ("all, correction 0", Numbers("variance").normal(3, 4), {"correction": 0}),
        ("dim 1", Numbers("variance 1").normal(3, 4), {"dim": 1}),
        ("two dims kept", Numbers("variance 2").normal(2, 3, 4), {"dim": [0, 2], "keepDim": True, "correction": 0}),
        ("far from zero", offset, {"dim": 1}),
        ("far from zero, correction 0", offset, {"dim": 1, "correction": 0}),
    ):
        yield record(f"variance: {label}", "variance", variance, {"x": x}, options)

    ties = torch.tensor([[1.0, 3.0, 3.0, 2.0], [5.0, 5.0, 5.0, 5.0], [-1.0, -2.0, 0.0, 0.0]])
    lows = torch.tensor([[-INF, -INF, -INF], [-INF, 1.0, INF], [INF, INF, 0.0]])
    for op, function in (("max", amax), ("min", amin)):
        for label, x, options in (
            ("ties, all", ties, {}),
            ("ties, dim 0", ties, {"dim": 0}),
            ("ties, dim 1 kept", ties, {"dim": 1, "keepDim": True}),
            ("two dims", Numbers(op).normal(2, 3, 4), {"dim": [0, 2]}),
            ("infinities", lows, {"dim": 1}),
        ):
            yield record(f"{op}: {label}", op, function, {"x": x}, options)


# --- movement ---------------------------------------------------------------------------------------------------------


def movement_cases():
    rows = torch.tensor([[0, 2, 2], [3, 0, 1]])
    columns = torch.tensor([[1, 1], [0, 3], [2, 2]])
    x = Numbers("gather").normal(4, 3)
    take = lambda x, index, dim: torch.gather(x, dim, index)
    yield record("gather: dim 0, repeats", "gather", take, {"x": x, "index": rows}, {"dim": 0})
    wide = Numbers("gather 1").normal(3, 4)
    yield record("gather: dim −1, repeats", "gather", take, {"x": wide, "index": columns}, {"dim": -1})
    cube = Numbers("gather 3").normal(2, 3, 2)
    index = Numbers("gather index").integers(2, 5, 1, high=3)
    yield record("gather: three dims, smaller index", "gather", take, {"x": cube, "index": index}, {"dim": 1})

    pick = lambda x, index, dim: torch.index_select(x, dim, index)
    for dim in (0, 1, -1):
        inputs = {"x": Numbers(f"indexSelect {dim}").normal(3, 4, 2), "index": torch.tensor([1, 0, 1, 1])}
        yield record(f"indexSelect: dim {dim}, repeats", "indexSelect", pick, inputs, {"dim": dim})

    join = lambda a, b, c, dim: torch.cat([a, b, c], dim)
    for dim, shapes in (
        (0, [(1, 3), (2, 3), (3, 3)]),
        (1, [(2, 1), (2, 3), (2, 2)]),
        (-1, [(2, 2, 1), (2, 2, 2), (2, 2, 0)]),
    ):
        draw = Numbers(f"cat {dim}")
        inputs = {key: draw.normal(*shape) for key, shape in zip("abc", shapes)}
        yield record(f"cat: dim {dim}", "cat", join, inputs, {"dim": dim})
    pile = lambda a, b, dim: torch.stack([a, b], dim)
    for dim in (0, 1, -1):
        draw = Numbers(f"stack {dim}")
        inputs = {"a": draw.normal(2, 3), "b": draw.normal(2, 3)}
        yield record(f"stack: dim {dim}", "stack", pile, inputs, {"dim": dim})

    embed = lambda x, offset: torch.diag_embed(x, offset)
    diagonal = lambda x, offset: torch.diagonal(x, offset, -2, -1)
    for offset in (-2, -1, 0, 1, 2):
        inputs = {"x": Numbers(f"diagEmbed {offset}").normal(2, 3)}
        yield record(f"diagEmbed: offset {offset}", "diagEmbed", embed, inputs, {"offset": offset})
        inputs = {"x": Numbers(f"diagonal {offset}").normal(2, 3, 4)}
        yield record(f"diagonal: offset {offset}, 3 by 4", "diagonal", diagonal, inputs, {"offset": offset})
    lower = lambda x, k: torch.tril(x, k)
    upper = lambda x, k: torch.triu(x, k)
    for k in (-4, -1, 0, 1, 3):
        inputs = {"x": Numbers(f"tril {k}").normal(2, 3, 4)}
        yield record(f"tril: k {k}, 3 by 4", "tril", lower, inputs, {"k": k})
        yield record(f"triu: k {k}, 3 by 4", "triu", upper, inputs, {"k": k})
    holes = torch.tensor([[1.0, INF, NAN], [2.0, 3.0, -INF], [NAN, 4.0, 5.0]])
    yield record("tril: what is cut away may be NaN", "tril", lower, {"x": holes}, {"k": 0})
    yield record("triu: what is cut away may be NaN", "triu", upper, {"x": holes}, {"k": 0})


if __name__ == "__main__":
    families = (conv_cases, pool_cases, linalg_cases, reduction_cases, movement_cases)
    write("ops", {"cases": [case for family in families for case in family()]})
