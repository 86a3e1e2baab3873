"""Golden values of the multivariate normal distribution: log density, entropy, and the gradient of each."""

import torch
from torch.distributions import MultivariateNormal

from golden import Numbers, gradients, write


def normal_case(name, kind, x, mean, parameter):
    """`kind` names the parameter as the TypeScript constructor does: scaleDiag, scaleTril or covariance."""
    x, mean, parameter = (value.clone().requires_grad_() for value in (x, mean, parameter))
    leaves = {"x": x, "mean": mean, "parameter": parameter}
    if kind == "covariance":
        normal = MultivariateNormal(mean, covariance_matrix=parameter)
    else:
        normal = MultivariateNormal(mean, scale_tril=torch.diag_embed(parameter) if kind == "scaleDiag" else parameter)
    log_prob, entropy = normal.log_prob(x), normal.entropy()
    draw = Numbers(name + " cotangents")
    result = {"name": name, "kind": kind, **leaves}
    for key, output in (("logProb", log_prob), ("entropy", entropy)):
        cotangent = draw.normal(*output.shape)
        result[key] = {"output": output, "cotangent": cotangent, "gradients": gradients(output, leaves, cotangent)}
    return result


def normal_cases():
    shapes = [
        # name, shape of x, batch shape of the distribution, D
        ("one dimension", (4, 1), (), 1),
        ("no batch", (5, 3), (), 3),
        ("batch [4], a point each", (4, 2), (4,), 2),
        ("batch [3, 2], x [5, 1, 1, 4]", (5, 1, 1, 4), (3, 2), 4),
        ("D 16, batch [2]", (3, 1, 16), (2,), 16),
    ]
    for name, x, batch, size in shapes:
        for kind in ("scaleDiag", "scaleTril", "covariance"):
            name_of_case = f"{kind}: {name}"
            draw = Numbers(name_of_case)
            if kind == "scaleDiag":
                parameter = draw.uniform(*batch, size, low=0.2, high=2)
            elif kind == "scaleTril":
                parameter = draw.normal(*batch, size, size, scale=0.5).tril(-1)
                parameter = parameter + torch.diag_embed(draw.uniform(*batch, size, low=0.2, high=2))
            else:
                parameter = draw.spd(*batch, n=size)
            yield normal_case(name_of_case, kind, draw.normal(*x, scale=2), draw.normal(*batch, size), parameter)
    tiny = Numbers("tiny")
    factor = torch.tensor([[1e-3, 0.0, 0.0], [1e-3, 1e-2, 0.0], [1e-4, 1e-3, 1e3]])
    for kind, parameter in (
        ("scaleDiag", torch.full((3,), 1e-3)),
        ("scaleTril", factor),
        ("covariance", torch.diag(torch.tensor([1e-6, 1e-4, 1e6])) + 1e-8),
    ):
        yield normal_case(f"{kind}: scales from 1e-3 to 1e3", kind, tiny.normal(4, 3), torch.zeros(3), parameter)
        yield normal_case(f"{kind}: 1e4 away", kind, tiny.normal(4, 3, mean=1e4), torch.zeros(3), parameter)


if __name__ == "__main__":
    write("normal", {"cases": list(normal_cases())})
