"""Derivatives of a loss that works on a GPU against the same loss on the processor: python tests/benchmarks/bench_cuda.py."""

import statistics
import time

import numpy as np
import torch

from pgtheory.deep.adapt import LossDerivative
from tests.deep.test_cuda import on


def seconds(device, n, group, length):
    """Median time of one call for n data sets of `group` answers with `length` tokens, all in one backward; the first calls are not counted."""
    rng = np.random.default_rng(0)
    leaves = {"logprobs": rng.normal(size=(n, group, length))}
    rest = {"old_logprobs": rng.normal(size=(n, group, length)), "rewards": rng.normal(size=(n, group)), "mask": np.ones((n, group, length))}
    derivative, taken = LossDerivative(call=lambda values: on(device)(**values), name="loss"), []
    for _ in range(7):
        start = time.perf_counter()
        derivative(leaves, rest, frozenset(rest))
        taken.append(time.perf_counter() - start)
    assert derivative.batched
    return statistics.median(taken[2:])


if __name__ == "__main__":
    print(torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU", torch.__version__)
    for shape in ((4096, 4, 3), (4096, 16, 64), (65_536, 4, 8)):
        cpu = seconds("cpu", *shape)
        print(shape, f"processor {1e3 * cpu:.1f} ms", *([f"GPU {1e3 * seconds('cuda', *shape):.1f} ms"] if torch.cuda.is_available() else []))
