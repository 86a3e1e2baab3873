"""Files of ours in torch: `exported.py folder` loads each by its names and predicts.

For model i of models.json, with the name of a class here and its arguments, it reads i.state and i.x, safetensors files, and
writes i.answer: the outputs by name. `load_state_dict` is strict.
"""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "golden"))

import torch  # noqa: E402
from torch import distributions, nn  # noqa: E402

import tensorfile  # noqa: E402
from twins import Gram, Mixture  # noqa: E402


class ReferenceNetwork(nn.Module):
    """The network of gmml-train."""

    def __init__(self, dim, head):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 5, padding=2)
        self.conv2 = nn.Conv2d(16, 32, 5, padding=2)
        self.linear = nn.Linear(32 * 7 * 7, dim)
        self.head = made(head)

    def forward(self, x):
        x = nn.functional.max_pool2d(self.conv1(x).relu(), 2)
        x = nn.functional.max_pool2d(self.conv2(x).relu(), 2)
        scores = self.head(self.linear(x.flatten(1)))
        return scores.log_softmax(1) if isinstance(self.head, nn.Linear) else scores


class Normals:
    """A mixture of normal distributions by torch.distributions."""

    def load_state_dict(self, state, strict):
        if "scale" in state:
            ofEach = distributions.Independent(distributions.Normal(state["loc"], state["scale"]), 1)
        else:
            ofEach = distributions.MultivariateNormal(state["loc"], scale_tril=state["scale_tril"])
        self.mixture = distributions.MixtureSameFamily(distributions.Categorical(logits=state["logits"]), ofEach)

    def eval(self):
        return self

    def __call__(self, x):
        return self.mixture.log_prob(x)


KINDS = {kind.__name__: kind for kind in (Gram, Mixture, ReferenceNetwork, Normals, nn.Linear)}


def made(description):
    kind, *arguments = description
    return KINDS[kind](*arguments)


def main(folder):
    # The formulas' module asks for float64; the layers are float32.
    torch.set_default_dtype(torch.float32)
    for i, description in enumerate(json.loads((folder / "models.json").read_text())):
        at = str(folder / f"{i}.")
        model = made(description)
        model.load_state_dict(tensorfile.read(at + "state"), strict=True)
        output = model.eval()(tensorfile.read(at + "x")["x"])
        tensorfile.write(at + "answer", {"output": output})


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
