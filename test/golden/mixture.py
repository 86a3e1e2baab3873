"""Golden values of the mixture layer in its 'cholesky' parametrisation, each with the gradients of two losses.

The layer is written here from its formulas, on torch.distributions, and shares no code with the TypeScript.
"""

import torch
from torch.distributions import MultivariateNormal

from golden import Numbers, gradients, log_sum_exp, write

TYPES = ("diag", "tril", "full")


def softplus(x):
    """log(eˣ + 1) at every x; torch.nn.functional.softplus turns linear at 20, which costs 2e-9 there."""
    return torch.logaddexp(x, torch.zeros(()))


def scale_tril(sigma, covType):
    """[N, G, D, D], lower L with covariance L Lᵀ, from the free parameter."""
    if covType == "diag":
        return torch.diag_embed(softplus(sigma) + 1e-3)
    size = sigma.shape[-1]
    on_diagonal = torch.eye(size, dtype=torch.bool)
    factor = torch.where(on_diagonal, softplus(sigma) + 1e-3, sigma / size**0.5)
    if covType == "tril":
        return factor.tril()
    gram = factor @ factor.mT
    trace = gram.diagonal(dim1=-2, dim2=-1).sum(-1)
    return torch.linalg.cholesky(gram + 1e-6 * (trace / size)[..., None, None] * torch.eye(size))


def layer(x, mean, sigma, omega, logTemperature, logPrior, covType, temperature, logStretchTrick):
    """Everything the layer gives for x [B, D]: a record of tensors."""
    factor = scale_tril(sigma, covType)
    log_weight = torch.log_softmax(omega, 1)
    log_prior = torch.log_softmax(logPrior, 0)
    component = MultivariateNormal(mean, scale_tril=factor).log_prob(x[:, None, None, :])
    likelihood = log_sum_exp(log_weight + component, 2)
    if logStretchTrick:
        log_joint = component + log_weight + log_prior[:, None]
        log_joint = log_joint - torch.amax(log_joint, (1, 2), keepdim=True).clamp(min=0)
        stretched = -torch.log(-log_joint + 1e-4)
        posterior = log_sum_exp(torch.log_softmax(stretched.flatten(1), 1).reshape(stretched.shape), 2)
    else:
        tau = torch.exp(logTemperature) if temperature else 1
        posterior = torch.log_softmax(tau * likelihood + log_prior, 1)
    return {
        "componentLogProb": component,
        "classLogLikelihood": likelihood,
        "logDensity": log_sum_exp(log_prior + likelihood, 1),
        "forward": posterior,
        "covariances": factor @ factor.mT,
        "mixtureWeights": torch.exp(log_prior[:, None] + log_weight),
    }


def layer_case(name, x, labels, parameters, options):
    leaves = {key: value.clone().requires_grad_() for key, value in {"x": x, **parameters}.items()}
    flags = {"temperature": True, "logStretchTrick": False, **options}
    flags.pop("learnPriors", None)
    outputs = layer(**leaves, **flags)
    nll = -outputs["forward"].gather(1, labels[:, None]).mean()
    mean_log_density = outputs["logDensity"].mean()
    untrained = set() if options.get("learnPriors") else {"logPrior"}
    if not flags["temperature"] or flags["logStretchTrick"]:
        untrained.add("logTemperature")
    trained = {key: leaf for key, leaf in leaves.items() if key not in untrained}
    losses = {"nll": {"value": nll, "gradients": gradients(nll, trained)}}
    # To keep the file small: no density gradient at D = 16 or under options that do not change it, accessors at D ≤ 3.
    if x.shape[1] <= 5 and flags["temperature"] and not flags["logStretchTrick"]:
        losses["meanLogDensity"] = {"value": mean_log_density, "gradients": gradients(mean_log_density, trained)}
    if x.shape[1] > 3:
        outputs = {key: outputs[key] for key in ("componentLogProb", "classLogLikelihood", "logDensity", "forward")}
    return {"name": name, "options": options, "labels": labels, **leaves, "outputs": outputs, "losses": losses}


def parameters_of(draw, classes, components, size, covType, spread=1.0, diagonal=0.5, learned=False):
    """`diagonal` is the mean of the free parameter on the diagonal: very negative makes the scale 1e-3."""
    square = (size,) if covType == "diag" else (size, size)
    sigma = draw.normal(classes, components, *square, scale=0.6)
    sigma = sigma + (diagonal if covType == "diag" else diagonal * torch.eye(size))
    return {
        "mean": draw.normal(classes, components, size, scale=spread),
        "sigma": sigma.round(decimals=3),
        "omega": draw.normal(classes, components),
        "logTemperature": draw.normal(scale=0.3, mean=-0.4),
        "logPrior": draw.normal(classes) if learned else torch.zeros(classes),
    }


def layer_cases():
    sizes = [  # D, classes, components, batch
        (1, 4, 3, 5),
        (2, 3, 2, 5),
        (5, 2, 3, 4),
        (5, 4, 1, 3),
        (16, 2, 1, 3),
    ]
    for covType in TYPES:
        for size, classes, components, batch in sizes:
            name = f"{covType}, D {size}, {classes} classes of {components}"
            draw = Numbers(name)
            parameters = parameters_of(draw, classes, components, size, covType)
            x, labels = draw.normal(batch, size, scale=1.5), draw.integers(batch, high=classes)
            yield layer_case(name, x, labels, parameters, {"covType": covType})

        variants = [
            ("no temperature", {"temperature": False}),
            ("learned priors", {"learnPriors": True}),
            ("learned priors, no temperature", {"learnPriors": True, "temperature": False}),
            ("log stretch", {"logStretchTrick": True}),
            ("log stretch, learned priors", {"logStretchTrick": True, "learnPriors": True}),
        ]
        for label, options in variants:
            name = f"{covType}, {label}"
            draw = Numbers(name)
            parameters = parameters_of(draw, 3, 2, 3, covType, learned=options.get("learnPriors", False))
            x, labels = draw.normal(4, 3, scale=1.5), draw.integers(4, high=3)
            yield layer_case(name, x, labels, parameters, {"covType": covType, **options})

        for distance in (1e3, 1e4):
            name = f"{covType}, far: inputs at {distance:g}"
            draw = Numbers(name)
            parameters = parameters_of(draw, 3, 2, 3, covType)
            x = draw.normal(4, 3, scale=distance, decimals=0)
            yield layer_case(name, x, draw.integers(4, high=3), parameters, {"covType": covType})
        name = f"{covType}, far: inputs at 1e3, log stretch"
        stretched = {"covType": covType, "logStretchTrick": True}
        yield layer_case(name, x / 10, torch.tensor([0, 1, 2, 0]), parameters, stretched)
        name = f"{covType}, far: classes that differ little"
        draw = Numbers(name)
        parameters = parameters_of(draw, 3, 2, 2, covType, spread=0.01)
        parameters["sigma"] = parameters["sigma"][:1, :1].expand_as(parameters["sigma"]).contiguous()
        parameters["mean"] = (parameters["mean"] / 10).round(decimals=4)
        x = draw.normal(4, 2, scale=1e3, decimals=0)
        yield layer_case(name, x, draw.integers(4, high=3), parameters, {"covType": covType})

        for label, options in (("tight", {}), ("tight, no temperature", {"temperature": False})):
            name = f"{covType}, {label}: scale 1e-3"
            draw = Numbers(name)
            parameters = parameters_of(draw, 3, 2, 5, covType, spread=0.003, diagonal=-12)
            if covType != "diag":  # leave correlations that the tiny diagonal can carry
                off = ~torch.eye(5, dtype=torch.bool)
                small = (parameters["sigma"] * 1e-3).round(decimals=6)
                parameters["sigma"] = torch.where(off, small, parameters["sigma"])
            x = parameters["mean"].reshape(-1, 5)[:4] + draw.normal(4, 5, scale=0.001, decimals=5)
            yield layer_case(name, x, draw.integers(4, high=3), parameters, {"covType": covType, **options})
        # The same tight components, at their means: every class has log p > 0.
        x = parameters["mean"].mean(0)
        labels = torch.tensor([2, 0])
        yield layer_case(f"{covType}, high density", x, labels, parameters, {"covType": covType})
        yield layer_case(f"{covType}, high density, log stretch", x, labels, parameters, stretched)


if __name__ == "__main__":
    write("mixture", {"cases": list(layer_cases())})
