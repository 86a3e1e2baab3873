"""Golden values of the elementwise functions at ordinary points and at their edges: zero, ties, bounds, ±∞, NaN."""

import torch
import torch.nn.functional as F

from golden import Numbers, record, write

INF = float("inf")
NAN = float("nan")

UNARY = {
    "exp": torch.exp,
    "log": torch.log,
    "log1p": torch.log1p,
    "expm1": torch.expm1,
    "sqrt": torch.sqrt,
    "square": torch.square,
    "sin": torch.sin,
    "cos": torch.cos,
    "abs": torch.abs,
    "relu": torch.relu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "reciprocal": torch.reciprocal,
    # softplus(x) = log(eˣ + e⁰). torch.nn.functional.softplus turns linear at 20, which costs 2e-9 there.
    "softplus": lambda x: torch.logaddexp(x, torch.zeros(())),
    "logSigmoid": F.logsigmoid,
}
POSITIVE = ("log", "sqrt")


def elementwise_cases():
    signed = torch.tensor([-30.5, -3.0, -1.0, -1e-3, -1e-10, 1e-10, 1e-3, 0.5, 1.0, 3.0, 19.9, 20.1, 30.5])
    small = torch.tensor([-0.999, -0.5, -1e-3, -1e-10, -1e-17, 1e-17, 1e-10, 1e-3, 0.5, 3.0, 1e4])
    positive = torch.tensor([1e-300, 1e-10, 0.1, 1.0, 2.5, 1e4, 1e300])
    huge = torch.tensor([-1e4, -800.0, -745.0, 709.0, 1e4])
    for op, function in UNARY.items():
        x = positive if op in POSITIVE else small if op == "log1p" else signed
        yield record(f"{op}: ordinary points", op, lambda x, f=function: f(x), {"x": x})
        if op in ("exp", "expm1", "tanh", "sigmoid", "softplus", "logSigmoid", "relu", "abs"):
            yield record(f"{op}: huge points", op, lambda x, f=function: f(x), {"x": huge})
        if op in ("abs", "relu", "tanh", "sigmoid", "softplus", "sin", "exp"):
            yield record(f"{op}: at zero", op, lambda x, f=function: f(x), {"x": torch.zeros(1)})
    edge = torch.tensor([0.0, INF])
    yield record("log: 0 and ∞", "log", lambda x: torch.log(x), {"x": edge})
    yield record("sqrt: 0 and ∞", "sqrt", lambda x: torch.sqrt(x), {"x": edge})
    yield record("log1p: −1", "log1p", lambda x: torch.log1p(x), {"x": torch.tensor([-1.0])})

    base = torch.tensor([0.0, 0.0, 0.0, 0.0, 0.0, -2.0, -2.0, -2.0, 1.5, 1.5, 1.0, INF, INF, 2.0, 0.5])
    exponent = torch.tensor([0.0, 1.0, 2.0, 0.5, -1.0, 2.0, 3.0, 0.5, 0.0, -2.5, 1e4, 2.0, -1.0, 1000.0, 1100.0])
    power = lambda x, y: torch.pow(x, y)
    yield record("pow: edge points", "pow", power, {"x": base, "y": exponent})
    draw = Numbers("pow")
    inputs = {"x": draw.uniform(3, 1, low=0.1, high=3), "y": draw.normal(4)}
    yield record("pow: broadcast [3, 1] with [4]", "pow", power, inputs)
    whole = torch.tensor([-3.0, -1.0, -0.0, 0.0, 0.5, 2.0])
    by_number = lambda x, exponent: torch.pow(x, exponent)
    for exponent in (0.0, 1.0, 2.0, 3.0, -1.0, 0.5, -0.5):
        # torch takes a square root for ±0.5, and so has −∞ where IEEE 754 has pow(−0, −0.5) = +∞.
        x = whole if exponent.is_integer() else whole[3:]
        yield record(f"pow: exponent {exponent:g}", "powNumber", by_number, {"x": x}, {"exponent": exponent})

    clamp = lambda x, min=None, max=None: torch.clamp(x, min, max)
    at = torch.tensor([-INF, -2.0, -1.0, -0.5, 0.0, 0.5, 2.0, 2.5, INF, NAN])
    for label, options in (
        ("both bounds", {"min": -1.0, "max": 2.0}),
        ("min alone", {"min": -1.0}),
        ("max alone", {"max": 0.0}),
    ):
        yield record(f"clamp: {label}, at and beyond the bounds", "clamp", clamp, {"x": at}, options)
    left = torch.tensor([1.0, 2.0, 2.0, -1.0, 0.0, INF, -INF, INF])
    right = torch.tensor([2.0, 1.0, 2.0, -1.0, -0.0, INF, -INF, 1.0])
    pair = {"x": left, "y": right}
    yield record("maximum: ties share the gradient", "maximum", lambda x, y: torch.maximum(x, y), pair)
    yield record("minimum: ties share the gradient", "minimum", lambda x, y: torch.minimum(x, y), pair)
    unknown = {"x": torch.tensor([NAN, 1.0, NAN]), "y": torch.tensor([1.0, NAN, NAN])}
    yield record("maximum: NaN wins, values", "maximum", lambda x, y: torch.maximum(x, y), unknown, fixed=("x", "y"))
    yield record("minimum: NaN wins, values", "minimum", lambda x, y: torch.minimum(x, y), unknown, fixed=("x", "y"))


if __name__ == "__main__":
    write("elementwise", {"cases": list(elementwise_cases())})
