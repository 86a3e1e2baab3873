"""Golden outputs, gradients and state-dict names of the layers, for given weights."""

import torch
from torch import nn

from golden import Numbers, gradients, write


def fill(module, draw):
    """Gives every parameter short random numbers instead of torch's initialisation."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(draw.normal(*parameter.shape, scale=0.5))
    return module


def copy_of(state):
    return {key: value.detach().clone() for key, value in state.items()}


def pass_through(module, x, draw):
    x = x.clone().requires_grad_()
    output = module(x)
    cotangent = draw.normal(*output.shape)
    found = gradients(output, {"x": x, **dict(module.named_parameters())}, cotangent)
    return {"x": x, "output": output, "cotangent": cotangent, "gradients": found, "state": copy_of(module.state_dict())}


def layer_cases():
    """One forward and backward; the state is the one before, which is also the one after."""
    layers = [
        ("Linear", [4, 3], {}, nn.Linear(4, 3), (5, 4)),
        ("Linear", [4, 3], {"bias": False}, nn.Linear(4, 3, bias=False), (5, 4)),
        ("Linear", [2, 3], {}, nn.Linear(2, 3), (2, 3, 2)),
        ("Conv2d", [2, 3, 3], {}, nn.Conv2d(2, 3, 3), (2, 2, 5, 6)),
        (
            "Conv2d",
            [1, 2, [3, 2]],
            {"stride": 2, "padding": [1, 0], "bias": False},
            nn.Conv2d(1, 2, (3, 2), stride=2, padding=(1, 0), bias=False),
            (2, 1, 6, 5),
        ),
        ("Conv2d", [2, 2, 3], {"dilation": 2, "padding": 2}, nn.Conv2d(2, 2, 3, dilation=2, padding=2), (1, 2, 5, 5)),
        ("LayerNorm", [4], {}, nn.LayerNorm(4), (3, 4)),
        ("LayerNorm", [[2, 3]], {"eps": 0.1}, nn.LayerNorm((2, 3), eps=0.1), (2, 2, 2, 3)),
    ]
    for layer, arguments, options, module, shape in layers:
        draw = Numbers(f"{layer} {arguments} {options}")
        passed = pass_through(fill(module, draw), draw.normal(*shape), draw)
        yield {"layer": layer, "arguments": arguments, "options": options, **passed}


def batch_norm_cases():
    """Batches in training, each with the state that it leaves behind; then evaluation with the running statistics."""
    for options in ({}, {"momentum": 0.3, "eps": 0.01}):
        draw = Numbers(f"BatchNorm2d {options}")
        module = fill(nn.BatchNorm2d(3, **options), draw)
        initial = copy_of(module.state_dict())
        module.train()
        shapes = ((4, 3, 2, 3), (5, 3, 1, 1), (3, 3, 4, 2))
        training = [pass_through(module, draw.normal(*shape, scale=2, mean=5), draw) for shape in shapes]
        module.eval()
        evaluation = pass_through(module, draw.normal(2, 3, 3, 2, scale=2, mean=5), draw)
        yield {"arguments": [3], "options": options, "initial": initial, "training": training, "evaluation": evaluation}


def network_case():
    """A small convolutional network: its state-dict names, a loss, the gradients, and three steps of Adadelta."""
    draw = Numbers("network")
    network = nn.Sequential(
        nn.Conv2d(1, 2, 3, padding=1, bias=False),  # before a batch norm its gradient would be rounding alone
        nn.BatchNorm2d(2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(2, 3, 3),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(12, 5),
        nn.LayerNorm(5),
        nn.Linear(5, 4, bias=False),
    )
    fill(network, draw)
    initial = copy_of(network.state_dict())
    optimizer = torch.optim.Adadelta(network.parameters(), lr=1.0)
    steps = []
    for _ in range(3):
        x, labels = draw.normal(4, 1, 8, 8), draw.integers(4, high=4)
        optimizer.zero_grad(set_to_none=True)
        loss = nn.functional.cross_entropy(network(x), labels)
        loss.backward()
        found = {key: parameter.grad.clone() for key, parameter in network.named_parameters()}
        optimizer.step()
        state = copy_of(network.state_dict())
        steps.append({"x": x, "labels": labels, "loss": loss, "gradients": found, "state": state})
    network.eval()
    x = draw.normal(2, 1, 8, 8)
    return {"initial": initial, "steps": steps, "evaluation": {"x": x, "output": network(x)}}


if __name__ == "__main__":
    content = {"layers": list(layer_cases()), "batchNorm": list(batch_norm_cases()), "network": network_case()}
    write("layers", content)
