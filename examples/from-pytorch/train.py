"""Trains a small network with a mixture head in PyTorch, and leaves it to TypeScript.

    python3 examples/from-pytorch/train.py [folder]

Needs torch alone (Debian: apt-get install python3-torch). Writes model.safetensors, the state dict, and
predictions.safetensors, what the network says of 12 images.
"""

import json
import pathlib
import struct
import sys

import torch
from torch import nn


class MixtureHead(nn.Module):
    """log p(class | x) of a Gaussian for each class, whose factor is the lower triangle of S = A'A + 0.01 tr(A'A)/D I."""

    def __init__(self, inputs, size, classes):
        super().__init__()
        self.mu_p = nn.Parameter(torch.randn(classes, 1, size))
        self.sigma_p = nn.Parameter(torch.eye(size).repeat(classes, 1, 1, 1))
        self.register_buffer("omega_p", torch.ones(classes, 1))
        self.bottleneck = nn.Linear(inputs, size, bias=False).requires_grad_(False)

    def forward(self, x):
        gram = self.sigma_p.transpose(-1, -2) @ self.sigma_p
        ridge = 0.01 * gram.diagonal(dim1=-2, dim2=-1).mean(-1)
        s = gram + ridge[..., None, None] * torch.eye(gram.shape[-1])
        components = torch.distributions.MultivariateNormal(self.mu_p, scale_tril=s.tril())
        weights = self.omega_p / self.omega_p.sum(1, keepdim=True) / len(self.omega_p)
        joint = components.log_prob(self.bottleneck(x)[:, None, None, :]) + weights.log()
        posterior = torch.log_softmax(joint.clamp(max=0).flatten(1), 1).reshape(joint.shape)
        return posterior.logsumexp(2)


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(8, 16, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(64, 16),
        )
        self.head = MixtureHead(16, 8, 4)

    def forward(self, x):
        return self.head(self.features(x))


def stripes(count):
    """Images [count, 1, 8, 8] of stripes in four directions at random offsets, in noise; labels [count]."""
    labels = torch.arange(count) % 4
    angle = labels * torch.pi / 4
    y, x = torch.meshgrid(torch.arange(8.0), torch.arange(8.0), indexing="ij")
    along = x * angle.cos()[:, None, None] + y * angle.sin()[:, None, None]
    images = torch.sin(along * 1.5 + 6.3 * torch.rand(count, 1, 1))
    return (images + 0.8 * torch.randn(images.shape))[:, None], labels


def save(path, tensors):
    """Writes safetensors: 8 bytes of header length, the header as JSON, then all numbers."""
    dtypes = {torch.float32: "F32", torch.float64: "F64", torch.int64: "I64"}
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, tensor in tensors.items():
        numbers = tensor.detach().contiguous().numpy().tobytes()
        offsets = [len(data), len(data) + len(numbers)]
        header[name] = {"dtype": dtypes[tensor.dtype], "shape": list(tensor.shape), "data_offsets": offsets}
        data += numbers
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def main(folder):
    torch.manual_seed(1)
    network = Network()
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimizer = torch.optim.Adam(trained, lr=0.01)
    for step in range(1, 61):
        images, labels = stripes(64)
        loss = nn.functional.nll_loss(network(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 20 == 0:
            print(f"step {step}: loss {loss.item():.4f}")
    network.eval()
    images, labels = stripes(12)
    folder.mkdir(parents=True, exist_ok=True)
    save(folder / "model.safetensors", network.state_dict())
    predictions = {"images": images, "labels": labels, "log_posteriors": network(images)}
    save(folder / "predictions.safetensors", predictions)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "from-pytorch-model"))
