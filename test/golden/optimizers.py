"""Golden paths of the optimizers: 20 steps on a fixed function that is not convex; the schedules; gradient clipping."""

import torch

from golden import write

STEPS = 20
START = {"a": torch.tensor([-1.2, 1.0, 0.7]), "b": torch.tensor([[0.3, -0.8], [1.1, 0.05]])}


def loss(a, b):
    """Σᵢ 2 (aᵢ₊₁ − aᵢ²)² + (1 − aᵢ)²  +  Σ sin 3b + b²/10  +  a₀ b₀₀, a Rosenbrock valley, waves, and a product."""
    valley = (2 * (a[1:] - a[:-1] ** 2) ** 2 + (1 - a[:-1]) ** 2).sum()
    return valley + (torch.sin(3 * b) + 0.1 * b**2).sum() + a[0] * b[0, 0]


OPTIMIZERS = {
    "SGD": (
        torch.optim.SGD,
        [
            {"lr": 0.01},
            {"lr": 0.01, "weightDecay": 0.1},
            {"lr": 0.01, "momentum": 0.9},
            {"lr": 0.01, "momentum": 0.9, "dampening": 0.3},
            {"lr": 0.005, "momentum": 0.8, "nesterov": True},
            {"lr": 0.01, "momentum": 0.9, "dampening": 0.5, "weightDecay": 0.05},
            {"lr": 0.005, "momentum": 0.9, "nesterov": True, "weightDecay": 0.05},
        ],
    ),
    "Adadelta": (
        torch.optim.Adadelta,
        [{}, {"lr": 0.5, "rho": 0.7}, {"lr": 2, "eps": 1e-4}, {"weightDecay": 0.1}],
    ),
    "Adam": (
        torch.optim.Adam,
        [
            {},
            {"lr": 0.05},
            {"lr": 0.05, "betas": [0.5, 0.9]},
            {"lr": 0.1, "eps": 0.01},
            {"lr": 0.05, "weightDecay": 0.2},
        ],
    ),
    "AdamW": (
        torch.optim.AdamW,
        [{}, {"lr": 0.05}, {"lr": 0.05, "betas": [0.8, 0.95], "eps": 1e-3}, {"lr": 0.05, "weightDecay": 0.3}],
    ),
}
IN_TORCH = {"weightDecay": "weight_decay"}


def path(name, kind, options, without_b=()):
    """The parameters after each step. In the steps `without_b`, b has no gradient and must be left alone."""
    parameters = {key: value.clone().requires_grad_() for key, value in START.items()}
    torch_options = {IN_TORCH.get(key, key): value for key, value in options.items()}
    if kind is torch.optim.SGD:
        torch_options.setdefault("lr", 1e-3)
    optimizer = kind(parameters.values(), **torch_options)
    steps = []
    for step in range(STEPS):
        optimizer.zero_grad(set_to_none=True)
        value = loss(**parameters)
        value.backward()
        if step in without_b:
            parameters["b"].grad = None
        optimizer.step()
        steps.append({"loss": value, **{key: parameter.detach().clone() for key, parameter in parameters.items()}})
    return {"optimizer": name, "options": options, "withoutGradientOfB": list(without_b), "steps": steps}


def paths():
    for name, (kind, variants) in OPTIMIZERS.items():
        for options in variants:
            yield path(name, kind, options)
        longest = max(variants, key=len)
        yield path(name, kind, longest, without_b=(0, 1, 7, 8))


def schedules():
    variants = [
        ("StepLR", torch.optim.lr_scheduler.StepLR, {"stepSize": 1, "gamma": 0.7}),
        ("StepLR", torch.optim.lr_scheduler.StepLR, {"stepSize": 3}),
        ("StepLR", torch.optim.lr_scheduler.StepLR, {"stepSize": 7, "gamma": 0.5}),
        ("CosineAnnealingLR", torch.optim.lr_scheduler.CosineAnnealingLR, {"tMax": 20}),
        ("CosineAnnealingLR", torch.optim.lr_scheduler.CosineAnnealingLR, {"tMax": 13, "etaMin": 0.02}),
        ("CosineAnnealingLR", torch.optim.lr_scheduler.CosineAnnealingLR, {"tMax": 6, "etaMin": 0.001}),
    ]
    in_torch = {"stepSize": "step_size", "tMax": "T_max", "etaMin": "eta_min"}
    for name, kind, options in variants:
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.4)
        scheduler = kind(optimizer, **{in_torch.get(key, key): value for key, value in options.items()})
        rates = [optimizer.param_groups[0]["lr"]]
        for _ in range(STEPS):
            optimizer.step()
            scheduler.step()
            rates.append(optimizer.param_groups[0]["lr"])
        # rates[0] is before the first step of the schedule
        yield {"scheduler": name, "lr": 0.4, "options": options, "rates": torch.tensor(rates)}


def clippings():
    gradients = {"a": torch.tensor([3.0, -4.0, 0.5]), "b": torch.tensor([[1.0, -12.0], [0.0, 2.5]])}
    zeros = {key: torch.zeros_like(value) for key, value in gradients.items()}
    for before in (gradients, zeros):
        for norm_type in (1.0, 2.0, 3.0, float("inf")):
            for max_norm in (0.5, 5.0, 100.0):
                parameters = {key: value.clone().requires_grad_() for key, value in START.items()}
                for key, parameter in parameters.items():
                    parameter.grad = before[key].clone()
                total = torch.nn.utils.clip_grad_norm_(parameters.values(), max_norm, norm_type)
                after = {key: parameter.grad for key, parameter in parameters.items()}
                yield {"maxNorm": max_norm, "normType": norm_type, "before": before, "total": total, "after": after}


if __name__ == "__main__":
    write(
        "optimizers",
        {"start": START, "paths": list(paths()), "schedules": list(schedules()), "clippings": list(clippings())},
    )
