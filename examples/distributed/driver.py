#!/usr/bin/env python3
"""Fits .npy shards on a Dask cluster: in closed form where they have labels, by EM where they have none.

    driver.py tcp://scheduler:8786 classes.safetensors --labels x-*.npy   (labels of x-0.npy in y-0.npy)
    driver.py tcp://scheduler:8786 mixture.safetensors --components 16 x-*.npy

One map (gmml stats on each shard, on any worker) and one reduce (gmml merge) a pass; EM makes passes until gmml merge
ends with 0 instead of 3. Shards lie where all workers see them; models and statistics travel through Dask. A pass uses the
one result that Dask keeps of each shard, however often a lost worker made it compute that again.

The environment variable GMML says what runs gmml, here and on the workers (default: gmml; in a clone: node packages/cli/dist/gmml.js).
"""

import argparse
import os
import subprocess
from pathlib import Path

from distributed import Client

ANOTHER_ITERATION = 3


def gmml(*args, given=b""):
    """Runs gmml with bytes on its standard input; its exit code and standard output."""
    done = subprocess.run([*os.environ.get("GMML", "gmml").split(), *args], input=given, capture_output=True)
    if done.returncode not in (0, ANOTHER_ITERATION):
        raise RuntimeError(done.stderr.decode())
    return done.returncode, done.stdout


def labelled(shard):
    path = Path(shard)
    return gmml("stats", shard, "--labels", str(path.with_name(path.name.replace("x", "y", 1))))[1]


def expected(shard, model):
    return gmml("stats", shard, "--model", "-", given=model)[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scheduler")
    parser.add_argument("output", type=Path)
    parser.add_argument("shards", nargs="+")
    parser.add_argument("--labels", action="store_true")
    parser.add_argument("--components", default="16")
    options = parser.parse_args()
    with Client(options.scheduler) as client:
        if options.labels:
            _, model = gmml("merge", given=b"".join(client.gather(client.map(labelled, options.shards))))
        else:
            _, model = gmml("init", options.shards[0], "--components", options.components)
            code = ANOTHER_ITERATION
            while code == ANOTHER_ITERATION:
                passed = client.map(expected, options.shards, model=model)
                code, model = gmml("merge", given=b"".join(client.gather(passed)))
    options.output.write_bytes(model)


if __name__ == "__main__":
    main()
