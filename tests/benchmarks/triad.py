"""Bandwidth of the memory by the triad a = b + 3 c, all cores: 24 bytes an element, best of ten. It scales figures that were measured elsewhere."""

import time

import numpy as np
from numba import njit, prange


@njit(parallel=True)
def triad(a, b, c):
    for i in prange(len(a)):
        a[i] = b[i] + 3.0 * c[i]


def bandwidth(n: int = 30_000_000) -> float:
    """GB/s."""
    a, b, c = np.zeros(n), np.ones(n), np.ones(n)
    triad(a, b, c)
    best = np.inf
    for _ in range(10):
        start = time.perf_counter()
        triad(a, b, c)
        best = min(best, time.perf_counter() - start)
    return 24 * n / best / 1e9
