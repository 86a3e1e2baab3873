"""The reference network in PyTorch, with three mixture heads, timed for bench.mjs.

--head original  the layer as it was published: S = AᵀA + 0.01·(mean eigenvalue of AᵀA)·I with torch.linalg.eig
--head trace     the same with trace(AᵀA)/D for the mean eigenvalue, which it is
--head cholesky  the formulas of gmml's default head (packages/gmm/src/layer/feasible.ts)

Written from these formulas. One JSON line for each measurement goes to standard output, times in milliseconds.
"""

import argparse
import ctypes
import json
import math
import os
import resource
import statistics
import sys
import time

# What libraries print must not get between the JSON lines.
protocol = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

import torch
from torch import nn
from torch.nn import functional as F

N_CLASS, D, BATCH = 10, 128, 64
TRAIN_IMAGES = 7996
SCALE_FLOOR = 1e-3
GRAM_JITTER = 0.01


def report(**line):
    protocol.write(json.dumps(line) + "\n")
    protocol.flush()


def achlioptas(d, input_dim):
    """Entries √(3/d)·{+1, 0, −1} with probabilities 1/6, 2/3, 1/6."""
    u = torch.rand(d, input_dim) * 6
    return math.sqrt(3 / d) * ((u < 1).float() - ((u >= 1) & (u < 2)).float())


class GramHead(nn.Module):
    """One component a class, 'tril': the lower triangle of S = AᵀA + 0.01·mean eigenvalue·I as the factor of Σ."""

    def __init__(self, mean_eigenvalue):
        super().__init__()
        self.mean_eigenvalue = mean_eigenvalue
        self.mean = nn.Parameter(torch.randn(N_CLASS, 1, D))
        self.sigma = nn.Parameter(torch.eye(D).repeat(N_CLASS, 1, 1, 1))
        self.register_buffer("omega", torch.ones(N_CLASS, 1))
        self.register_buffer("projection", achlioptas(D, D))
        self.register_buffer("identity", torch.eye(D))

    def parameters_of_mixture(self):
        gram = self.sigma.mT @ self.sigma
        s = gram + GRAM_JITTER * self.mean_eigenvalue(gram)[..., None, None] * self.identity
        shifted = self.omega - self.omega.min().clamp(max=0)
        log_weights = (shifted / shifted.sum(1, keepdim=True)).log()
        return torch.distributions.MultivariateNormal(
            self.mean, scale_tril=s.tril(), validate_args=False
        ), log_weights - math.log(N_CLASS)

    def forward(self, x, mixture=None):
        normal, log_weights = mixture or self.parameters_of_mixture()
        inside = F.linear(x, self.projection)
        joint = normal.log_prob(inside[:, None, None, :]) + log_weights
        posterior = joint.clamp(max=0).flatten(1).log_softmax(1)
        return posterior.view(-1, N_CLASS, 1).logsumexp(2)


def mean_eigenvalue_by_eig(gram):
    return torch.linalg.eig(gram)[0].real.mean(-1)


def mean_eigenvalue_by_trace(gram):
    return gram.diagonal(dim1=-2, dim2=-1).mean(-1)


class CholeskyHead(nn.Module):
    """One component a class, 'tril': L has the diagonal softplus(sigmaᵢᵢ) + 1e-3 and below it sigmaᵢⱼ/√D."""

    def __init__(self):
        super().__init__()
        unit = math.log(math.expm1(1 - SCALE_FLOOR))
        self.mean = nn.Parameter(torch.randn(N_CLASS, 1, D))
        self.sigma = nn.Parameter((unit * torch.eye(D)).repeat(N_CLASS, 1, 1, 1))
        self.omega = nn.Parameter(torch.zeros(N_CLASS, 1))
        self.log_temperature = nn.Parameter(torch.tensor(-0.5 * math.log(D)))
        self.register_buffer("log_prior", torch.full((N_CLASS,), -math.log(N_CLASS)))
        self.register_buffer("projection", achlioptas(D, D))

    def parameters_of_mixture(self):
        diagonal = F.softplus(self.sigma.diagonal(dim1=-2, dim2=-1)) + SCALE_FLOOR
        scale_tril = self.sigma.tril(-1) / math.sqrt(D) + torch.diag_embed(diagonal)
        log_normalizer = diagonal.log().sum(-1) + 0.5 * D * math.log(2 * math.pi)
        return scale_tril, log_normalizer, self.omega.log_softmax(1)

    def forward(self, x, mixture=None):
        scale_tril, log_normalizer, log_weights = mixture or self.parameters_of_mixture()
        inside = F.linear(x, self.projection)
        # [N, G, B, D] read transposed is what LAPACK calls column-major: the solve copies nothing.
        difference = inside - self.mean[:, :, None, :]
        z = torch.linalg.solve_triangular(scale_tril, difference.mT, upper=False)
        log_prob = -0.5 * z.square().sum(-2) - log_normalizer[..., None]
        log_likelihood = (log_prob + log_weights[..., None]).logsumexp(1).T
        return (log_likelihood * self.log_temperature.exp() + self.log_prior.log_softmax(0)).log_softmax(1)


HEADS = {
    "original": lambda: GramHead(mean_eigenvalue_by_eig),
    "trace": lambda: GramHead(mean_eigenvalue_by_trace),
    "cholesky": CholeskyHead,
}


class Network(nn.Module):
    def __init__(self, head):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 5, padding=2)
        self.conv2 = nn.Conv2d(16, 32, 5, padding=2)
        self.linear = nn.Linear(32 * 7 * 7, D)
        self.head = head

    def forward(self, images, mixture=None):
        half = F.relu(F.max_pool2d(self.conv1(images), 2))
        quarter = F.relu(F.max_pool2d(self.conv2(half), 2))
        return self.head(self.linear(quarter.flatten(1)), mixture)


class Training:
    """Steps over the batches of random images, round and round."""

    def __init__(self, head, images):
        self.network = Network(HEADS[head]())
        self.optimizer = torch.optim.Adadelta(self.network.parameters(), lr=1.0, foreach=True)
        self.images = torch.randn(images, 1, 28, 28).split(BATCH)
        self.labels = torch.randint(N_CLASS, (images,)).split(BATCH)
        self.next = 0

    def step(self):
        images, labels = self.images[self.next], self.labels[self.next]
        # The last batch may be smaller.
        self.next = (self.next + 1) % (len(self.images) - 1)
        self.optimizer.zero_grad(set_to_none=True)
        loss = F.nll_loss(self.network(images), labels)
        loss.backward()
        self.optimizer.step()
        return loss.item()


def median_milliseconds(run):
    """As measure.mjs does: warm up, then the median of samples of at least a millisecond each."""
    run()
    start = time.perf_counter()
    calls = 0
    while calls == 0 or time.perf_counter() - start < args.warmup:
        run()
        calls += 1
    each = (time.perf_counter() - start) / calls
    calls_a_sample = max(1, math.ceil(1e-3 / each))
    least = 5 if each < args.seconds else 1
    samples = []
    began = time.perf_counter()
    while len(samples) < least or time.perf_counter() - began < args.seconds:
        start = time.perf_counter()
        for _ in range(calls_a_sample):
            run()
        samples.append((time.perf_counter() - start) / calls_a_sample)
    return 1e3 * statistics.median(samples)


def measure(name, run):
    if name in wanted:
        report(measurement=name, value=median_milliseconds(run))


def measure_network():
    training = Training(args.head, BATCH * 16)
    measure("step", training.step)
    network = training.network.eval()
    with torch.no_grad():
        # Like ours, the feasible parameters are made once.
        mixture = network.head.parameters_of_mixture()
        for batch in (1, 64):
            images = torch.randn(batch, 1, 28, 28)
            measure(f"inference{batch}", lambda images=images: network(images, mixture))


def set_blas_threads(threads):
    """OpenBLAS starts with the one thread of OPENBLAS_NUM_THREADS; where it is another BLAS, nothing changes."""
    for name in ("libblas.so.3", "libopenblas.so.0"):
        try:
            ctypes.CDLL(name).openblas_set_num_threads(threads)
            return
        except (OSError, AttributeError):
            continue


def measure_kernels():
    # A product by itself is twice as fast on OpenBLAS' own threads; all else is faster without them.
    set_blas_threads(args.threads)
    for n in (256, 512, 1024):
        a, b = torch.randn(n, n), torch.randn(n, n)
        measure(f"matmul{n}", lambda a=a, b=b: a @ b)
    set_blas_threads(1)
    for name, c, side, o in (("conv1", 1, 28, 16), ("conv2", 16, 14, 32)):
        x, weight, bias = torch.randn(BATCH, c, side, side), torch.randn(o, c, 5, 5), torch.randn(o)
        g = torch.randn(BATCH, o, side, side)

        def backward(mask, x=x, weight=weight, g=g):
            return torch.ops.aten.convolution_backward(
                g, x, weight, None, [1, 1], [2, 2], [1, 1], False, [0, 0], 1, mask
            )

        measure(f"{name}Forward", lambda x=x, weight=weight, bias=bias: F.conv2d(x, weight, bias, padding=2))
        measure(f"{name}InputGradient", lambda backward=backward: backward([True, False, False]))
        measure(f"{name}WeightGradient", lambda backward=backward: backward([False, True, False]))
    a = torch.randn(N_CLASS, D, D)
    covariance = a @ a.mT / D + torch.eye(D)
    factor = torch.linalg.cholesky(covariance)
    for columns in (64, 1024):
        right = torch.randn(N_CLASS, D, columns)
        measure(
            f"solve{columns}",
            lambda right=right: torch.linalg.solve_triangular(factor, right, upper=False),
        )
    measure("cholesky", lambda: torch.linalg.cholesky(covariance))


def blas():
    """The file of the BLAS that is loaded, where the system tells."""
    try:
        with open("/proc/self/maps", encoding="utf8") as maps:
            names = {os.path.basename(line.split()[-1]) for line in maps if "blas" in line}
    except OSError:
        return "unknown BLAS"
    return ", ".join(sorted(names)) or "unknown BLAS"


parser = argparse.ArgumentParser()
parser.add_argument("--head", choices=HEADS, default="cholesky")
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--measure", default="")
parser.add_argument("--seconds", type=float, default=0.5)
parser.add_argument("--warmup", type=float, default=0.3)
args = parser.parse_args()
wanted = set(args.measure.split(","))
torch.set_num_threads(args.threads)
torch.manual_seed(1)

if wanted & {"firstStep", "memory"}:
    training = Training(args.head, TRAIN_IMAGES)
    training.step()
    report(measurement="firstStep")
    for _ in range(49):
        training.step()
    # Kilobytes on Linux, bytes on macOS.
    kilobyte = 1024 if sys.platform == "darwin" else 1
    report(measurement="memory", value=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / kilobyte / 1024)
else:
    measure_network()
    with torch.no_grad():
        measure_kernels()
version = f"PyTorch {torch.__version__} ({blas()}), Python {sys.version.split()[0]}"
report(version=version, threads=torch.get_num_threads())
