"""Golden values of the mixture layer's 'gram' parametrisation, the mode for the original layer's checkpoints.

Written from the formulas: S = AᵀA + 0.01·(tr(AᵀA)/D)·I with A = sigma_p; diag: the standard deviations are the
diagonal of S; tril: the lower triangle of S is the scale factor; full: S is the covariance. omega_p, which is not
trained, gives w = omega − min(0, smallest entry), divided by its sum within the class and by the number of classes.
"""

import torch
from torch.distributions import MultivariateNormal

from golden import Numbers, gradients, log_sum_exp, write

TYPES = ("diag", "tril", "full")


def layer(x, mu_p, sigma_p, omega_p, projection, covType, logStretchTrick):
    size = mu_p.shape[-1]
    gram = sigma_p.mT @ sigma_p
    trace = gram.diagonal(dim1=-2, dim2=-1).sum(-1)
    s = gram + 0.01 * (trace / size)[..., None, None] * torch.eye(size)
    if covType == "full":
        components = MultivariateNormal(mu_p, covariance_matrix=s)
    else:
        factor = s.tril() if covType == "tril" else torch.diag_embed(s.diagonal(dim1=-2, dim2=-1))
        components = MultivariateNormal(mu_p, scale_tril=factor)
    weight = omega_p - torch.clamp(omega_p.min(), max=0)
    weight = (weight / weight.sum(1, keepdim=True) / len(weight)).detach()
    component = components.log_prob((x @ projection.mT)[:, None, None, :])
    joint = torch.clamp(component + torch.log(weight), max=0)
    if logStretchTrick:
        joint = -torch.log(-joint + 1e-4)
    posterior = log_sum_exp(torch.log_softmax(joint.flatten(1), 1).reshape(joint.shape), 2)
    return {
        "componentLogProb": component,
        "forward": posterior,
        "covariances": components.scale_tril @ components.scale_tril.mT,
        "mixtureWeights": weight,
    }


def case(name, draw, covType, shape, input_size=None, scale=1.0, spread=1.0, logStretchTrick=False, omega=None, x=None):
    size, classes, components, batch = shape
    input_size = input_size or size
    state = {
        "mu_p": draw.normal(classes, components, size, scale=spread),
        "sigma_p": draw.normal(classes, components, size, size, scale=scale, decimals=4),
        "omega_p": draw.normal(classes, components) if omega is None else omega,
        "bottleneck.weight": draw.normal(size, input_size),
    }
    x = draw.normal(batch, input_size, scale=1.5) if x is None else x
    labels = draw.integers(batch, high=classes)
    leaves = {
        "x": x.clone().requires_grad_(),
        "mu_p": state["mu_p"].clone().requires_grad_(),
        "sigma_p": state["sigma_p"].clone().requires_grad_(),
    }
    options = {"covType": covType, "logStretchTrick": logStretchTrick}
    outputs = layer(**leaves, omega_p=state["omega_p"], projection=state["bottleneck.weight"], **options)
    nll = -outputs["forward"].gather(1, labels[:, None]).mean()
    return {
        "name": name,
        "options": options,
        "x": x,
        "labels": labels,
        "state": state,
        "outputs": outputs,
        "nll": {"value": nll, "gradients": gradients(nll, leaves)},
    }


def cases():
    sizes = [(1, 3, 2, 4), (2, 4, 1, 4), (3, 3, 2, 4), (5, 2, 3, 4)]  # D, classes, components, batch
    for covType in TYPES:
        for stretch in (False, True):
            label = f"{covType}{', log stretch' if stretch else ''}"
            for shape in sizes:
                name = f"{label}, D {shape[0]}, {shape[1]} classes of {shape[2]}"
                # With one component, the class with a negative smallest entry would be left without weight.
                omega = Numbers(name + " omega").uniform(*shape[1:3]) if shape[2] == 1 else None
                yield case(name, Numbers(name), covType, shape, logStretchTrick=stretch, omega=omega)
            name = f"{label}, projection of 7 to 3"
            yield case(name, Numbers(name), covType, (3, 3, 2, 4), input_size=7, logStretchTrick=stretch)
            # Small scales and inputs near the means: some log density + log weight is above 0, and clamped.
            name = f"{label}, clamped"
            scale = 0.3 if covType != "full" else 0.15
            near = Numbers(name + " x").normal(6, 2, scale=0.15)
            yield case(name, Numbers(name), covType, (2, 3, 2, 6), scale=scale, spread=0.2, logStretchTrick=stretch, x=near)
        name = f"{covType}, omega without a negative entry, one weight 0"
        omega = torch.tensor([[0.5, 0.0], [2.0, 1.0], [0.25, 0.75]])
        yield case(name, Numbers(name), covType, (2, 3, 2, 4), omega=omega)
        name = f"{covType}, far: inputs at 1e3"
        far = Numbers(name + " x").normal(3, 2, scale=1e3, decimals=0)
        yield case(name, Numbers(name), covType, (2, 3, 2, 3), x=far)
    name = "a class without weight: NaN here, an error there"
    yield case(name, Numbers(name), "tril", (2, 3, 1, 2), omega=torch.tensor([[0.5], [-0.5], [1.0]]))


if __name__ == "__main__":
    write("gram", {"cases": list(cases())})
