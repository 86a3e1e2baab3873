"""What the golden scripts share: seeded numbers, the recording of one case, and the JSON they are written to.

A case holds its inputs, its output, the cotangent that was sent back through it and the gradient that came out at
each differentiable input. Everything is float64; infinities and NaN are the strings "Infinity", "-Infinity", "NaN".
"""

import json
import math
import pathlib
import platform
import sys
import zlib

import numpy
import torch

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)

VALUES = pathlib.Path(__file__).parent / "values"


class Numbers:
    """Random numbers seeded by a case's name, so that a new case changes no other; rounded, so that they are short."""

    def __init__(self, name):
        self.generator = numpy.random.default_rng(zlib.crc32(name.encode()))

    def normal(self, *shape, scale=1.0, mean=0.0, decimals=3):
        return torch.tensor(numpy.round(mean + scale * self.generator.standard_normal(shape), decimals))

    def uniform(self, *shape, low=0.0, high=1.0, decimals=3):
        return torch.tensor(numpy.round(self.generator.uniform(low, high, shape), decimals))

    def integers(self, *shape, high):
        return torch.tensor(self.generator.integers(0, high, shape))

    def spd(self, *batch, n):
        """Symmetric positive definite matrices [*batch, n, n]."""
        factor = self.normal(*batch, n, n, decimals=2)
        return torch.round(factor @ factor.mT + 0.5 * torch.eye(n), decimals=4)


def record(name, op, function, inputs, options=None, fixed=(), cotangent=None):
    """Runs `function(**inputs, **options)` forward and backward.

    `fixed` names the inputs that take no gradient; `options` are written with the names that the TypeScript API uses.
    """
    options = options or {}
    leaves = {
        key: value.detach().clone().requires_grad_(key not in fixed and value.is_floating_point())
        for key, value in inputs.items()
    }
    output = function(**leaves, **options)
    if cotangent is None:
        cotangent = Numbers(name + " cotangent").normal(*output.shape)
    case = {"name": name, "op": op, "options": options, "inputs": inputs, "output": output}
    wanted = {key: leaf for key, leaf in leaves.items() if leaf.requires_grad}
    if wanted:
        case["cotangent"] = cotangent
        case["gradients"] = gradients(output, wanted, cotangent)
    return case


def gradients(output, leaves, cotangent=None):
    """Gradients of `output` at the leaves; zeros where it does not depend on one."""
    found = torch.autograd.grad(output, list(leaves.values()), cotangent, allow_unused=True, retain_graph=True)
    return {
        key: torch.zeros_like(leaf) if gradient is None else gradient
        for (key, leaf), gradient in zip(leaves.items(), found)
    }


def log_sum_exp(x, dim):
    """As torch.logsumexp, but with weights exp(x − max)/Σ exp(x − max) in the gradient, which sum to 1 to rounding.

    torch's weights are exp(x − result): where x is −1e6 they are off by 1e-10, the rounding of the result, and what
    cancels in a gradient loses 1e4 times that.
    """
    top = torch.amax(x.detach(), dim, keepdim=True)
    return torch.log(torch.exp(x - top).sum(dim)) + top.squeeze(dim)


def write(subject, content):
    """Writes values/<subject>.json: the header, then the content."""
    header = {
        "script": f"test/golden/{subject}.py",
        "torch": torch.__version__,
        "numpy": numpy.__version__,
        "python": platform.python_version(),
    }
    text = "\n".join(lines({"header": header, **content})) + "\n"
    path = VALUES / f"{subject}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    print(f"{path.name}: {len(text) / 1000:.0f} kB", file=sys.stderr)


def lines(value, indent=""):
    """JSON with one tensor a line, so that a changed value shows as one changed line."""
    if isinstance(value, torch.Tensor):
        return [json_tensor(value)]
    if isinstance(value, dict) and value:
        items = [(json.dumps(key) + ": ", lines(entry, indent + " ")) for key, entry in value.items()]
        return bracketed("{", items, "}", indent)
    if isinstance(value, (list, tuple)) and any(isinstance(entry, (dict, torch.Tensor)) for entry in value):
        return bracketed("[", [("", lines(entry, indent + " ")) for entry in value], "]", indent)
    if isinstance(value, (list, tuple)):
        return ["[" + ",".join(line for entry in value for line in lines(entry)) + "]"]
    return [json_number(value) if isinstance(value, float) else json.dumps(value)]


def bracketed(opening, items, closing, indent):
    found = [opening]
    for index, (label, entry) in enumerate(items):
        entry[0] = indent + " " + label + entry[0]
        entry[-1] += "," if index < len(items) - 1 else ""
        found += entry
    return found + [indent + closing]


def json_tensor(tensor):
    shape = ",".join(str(size) for size in tensor.shape)
    data = ",".join(json_number(float(entry)) for entry in tensor.detach().reshape(-1).tolist())
    return f'{{"shape": [{shape}], "data": [{data}]}}'


def json_number(number):
    """The shortest decimal that reads back as the same double."""
    if math.isnan(number):
        return '"NaN"'
    if math.isinf(number):
        return '"Infinity"' if number > 0 else '"-Infinity"'
    text = repr(number)
    return text[:-2] if text.endswith(".0") else text
