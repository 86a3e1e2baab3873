"""The torch twin of each layer: `twins.py folder` loads our state into it, and saves states of its own.

For twin i of the names in names.json it reads i.ours (our state dict) and i.x, and writes i.answer, the output; then
i.theirs, a state dict of random numbers, and in i.pass an input with the outputs in float32 and float64. All are
safetensors files.
"""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "golden"))

import torch  # noqa: E402
from torch import nn  # noqa: E402

import gram  # noqa: E402
import mixture  # noqa: E402
import tensorfile  # noqa: E402


class Gram(nn.Module):
    """The original mixture layer, from its formulas in test/golden/gram.py."""

    def __init__(self, input_size, size, classes, components, covType, logStretchTrick=False):
        super().__init__()
        self.mu_p = nn.Parameter(torch.zeros(classes, components, size))
        self.omega_p = nn.Parameter(torch.ones(classes, components), requires_grad=False)
        self.sigma_p = nn.Parameter(torch.eye(size).repeat(classes, components, 1, 1))
        self.bottleneck = nn.Linear(input_size, size, bias=False)
        self.options = {"covType": covType, "logStretchTrick": logStretchTrick}

    def forward(self, x):
        outputs = gram.layer(x, self.mu_p, self.sigma_p, self.omega_p, self.bottleneck.weight, **self.options)
        return outputs["forward"]


class Mixture(nn.Module):
    """The mixture layer with a temperature and without a projection, from its formulas in test/golden/mixture.py."""

    def __init__(self, size, classes, components, covType):
        super().__init__()
        self.mean = nn.Parameter(torch.zeros(classes, components, size))
        spread = (size,) if covType == "diag" else (size, size)
        self.sigma = nn.Parameter(torch.zeros(classes, components, *spread))
        self.omega = nn.Parameter(torch.zeros(classes, components))
        self.logTemperature = nn.Parameter(torch.zeros(()))
        self.register_buffer("logPrior", torch.zeros(classes))
        self.options = {"covType": covType, "temperature": True, "logStretchTrick": False}

    def forward(self, x):
        free = (self.mean, self.sigma, self.omega, self.logTemperature, self.logPrior)
        return mixture.layer(x, *free, **self.options)["forward"]


class ProjectedMixture(Mixture):
    """The same behind a projection."""

    def __init__(self, input_size, size, classes, components, covType):
        super().__init__(size, classes, components, covType)
        self.register_buffer("projection", torch.zeros(size, input_size))

    def forward(self, x):
        return super().forward(x @ self.projection.mT)


class Network(nn.Module):
    """Modules within modules: 'features.0.weight', 'head.mu_p'."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(64, 6),
            nn.LayerNorm(6),
        )
        self.head = Gram(6, 3, 4, 2, "tril")

    def forward(self, x):
        return self.head(self.features(x))


TWINS = {
    "Linear": lambda: nn.Linear(4, 3),
    "Linear without bias": lambda: nn.Linear(4, 3, bias=False),
    "Conv2d": lambda: nn.Conv2d(2, 3, 3),
    "Conv2d with options": lambda: nn.Conv2d(2, 3, (3, 2), stride=(2, 1), padding=(1, 0), dilation=(1, 2), bias=False),
    "BatchNorm2d": lambda: nn.BatchNorm2d(3, eps=0.01),
    "BatchNorm2d without weights": lambda: nn.BatchNorm2d(3, affine=False),
    "BatchNorm2d without statistics": lambda: nn.BatchNorm2d(3, track_running_stats=False),
    "LayerNorm": lambda: nn.LayerNorm((2, 3)),
    "LayerNorm without weights": lambda: nn.LayerNorm(3, elementwise_affine=False),
    "MaxPool2d": lambda: nn.MaxPool2d(3, stride=2, padding=1),
    "ReLU": lambda: nn.ReLU(),
    "Flatten": lambda: nn.Flatten(),
    "Dropout": lambda: nn.Dropout(),
    "Sequential": lambda: nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Sequential(nn.Linear(8, 2, bias=False))),
    "GMML diag": lambda: ProjectedMixture(6, 4, 3, 2, "diag"),
    "GMML tril": lambda: ProjectedMixture(6, 4, 3, 2, "tril"),
    "GMML full": lambda: ProjectedMixture(6, 4, 3, 2, "full"),
    "GMML gram diag": lambda: Gram(6, 4, 3, 2, "diag"),
    "GMML gram tril": lambda: Gram(6, 4, 3, 2, "tril"),
    "GMML gram full": lambda: Gram(6, 4, 3, 2, "full"),
    "GMML gram tril in 128 dimensions, float64": lambda: Gram(128, 128, 10, 1, "tril").double(),
    "GMML gram tril, log stretch": lambda: Gram(6, 4, 3, 1, "tril", logStretchTrick=True),
    "network": Network,
}


def randomize(module):
    """Every parameter and buffer away from its start, and within what the layer can have."""
    with torch.no_grad():
        for name, tensor in module.state_dict().items():
            noise = torch.randn(tensor.shape)
            if name.endswith("num_batches_tracked"):
                tensor.fill_(7)
            elif name.endswith(("running_var", "omega_p")):
                tensor.copy_(noise.abs() + 0.5)
            else:
                tensor.add_(noise / max(2, noise.shape[-1] ** 0.5) if noise.dim() else noise / 2)


def main(folder):
    # The formulas' module asks for float64; the layers are float32 unless they say otherwise.
    torch.set_default_dtype(torch.float32)
    names = json.loads((folder / "names.json").read_text())
    assert set(names) == set(TWINS), set(names) ^ set(TWINS)
    torch.manual_seed(1)
    for i, name in enumerate(names):
        at = str(folder / f"{i}.")
        twin = TWINS[name]().eval()
        twin.load_state_dict(tensorfile.read(at + "ours"), strict=True)
        x = tensorfile.read(at + "x")["x"]
        tensorfile.write(at + "answer", {"output": twin(x)})
        twin = TWINS[name]().eval()
        randomize(twin)
        tensorfile.write(at + "theirs", twin.state_dict())
        x = torch.randn(x.shape, dtype=x.dtype)
        outputs = {"output": twin(x), "precise": twin.double()(x.double())}
        tensorfile.write(at + "pass", {"x": x, **outputs})


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
