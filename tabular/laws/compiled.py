"""The loops that numba compiles (extra `fast`) for laws of many columns; without numba, and for small problems, scipy does the same in `backward.py` and `score_products.py`."""

from collections.abc import Callable
from importlib.util import find_spec

import numpy as np
from jaxtyping import Float, UInt

from pgtheory.tabular.solve.compiled import compiled


def step_back(
    indptr: UInt[np.ndarray, "R"],
    indices: UInt[np.ndarray, "E"],
    P: Float[np.ndarray, "E"],
    r: Float[np.ndarray, "E"],
    after: Float[np.ndarray, "S"],
    before: Float[np.ndarray, "S"],
    kappa: float,
    table: Float[np.ndarray, "S m"],
    weight: Float[np.ndarray, "S A"],
    average: Float[np.ndarray, "S A"],
    into: Float[np.ndarray, "SA k"],
    out: Float[np.ndarray, "S m"],
) -> None:
    """For table = [mu | h], m = 2 k, and delta = r + after[s'] - before[s]: U = (P o delta) mu + kappa P h; into += weight * U; out = sum_a average * [P mu | U].

    Everything that is read twice stays in cache if S m numbers do. Two entries of a row at a time halve the traffic of the sums. Indices are without sign:
    a signed one is tested for negative numbers at each entry. Cost: 3 k multiply-adds an entry of P.
    """
    S, A = average.shape
    k = table.shape[1] // 2
    first, second = np.empty(k), np.empty(k)
    for s in range(S):
        summed = out[s]
        summed[:] = 0.0
        for a in range(A):
            row = s * A + a
            e, end = indptr[row], indptr[row + 1]
            first[:] = 0.0
            second[:] = 0.0
            while e + 2 <= end:
                i, j = indices[e], indices[e + 1]
                p, q, x, y = P[e], P[e + 1], table[i], table[j]
                p_delta, q_delta = p * (r[e] + after[i] - before[s]), q * (r[e + 1] + after[j] - before[s])
                p_kappa, q_kappa = p * kappa, q * kappa
                for c in range(k):
                    first[c] += p * x[c] + q * y[c]
                    second[c] += (p_delta * x[c] + p_kappa * x[k + c]) + (q_delta * y[c] + q_kappa * y[k + c])
                e += 2
            if e < end:
                i = indices[e]
                p, x = P[e], table[i]
                p_delta, p_kappa = p * (r[e] + after[i] - before[s]), p * kappa
                for c in range(k):
                    first[c] += p * x[c]
                    second[c] += p_delta * x[c] + p_kappa * x[k + c]
            scale, share, target = weight[s, a], average[s, a], into[row]
            for c in range(k):
                target[c] += scale * second[c]
                summed[c] += share * first[c]
                summed[k + c] += share * second[c]


def products_back(
    indptr: UInt[np.ndarray, "R"],
    indices: UInt[np.ndarray, "E"],
    entries: Float[np.ndarray, "L E"],
    source: UInt[np.ndarray, "L"],
    target: UInt[np.ndarray, "L"],
    tables: Float[np.ndarray, "n S k"],
    factors: Float[np.ndarray, "n SA"],
    average: Float[np.ndarray, "S A"],
    into: Float[np.ndarray, "SA k"],
    out: Float[np.ndarray, "n S k"],
) -> None:
    """U_m = sum over the l with target[l] = m of (entries[l] on the pattern) tables[source[l]]; into += sum_m factors_m * U_m; out_m = sum_a average * U_m.

    Cost: L k multiply-adds an entry of the pattern.
    """
    (n, _, k), (S, A) = tables.shape, average.shape
    sums = np.empty((n, k))
    for s in range(S):
        out[:, s] = 0.0
        for a in range(A):
            row = s * A + a
            sums[:] = 0.0
            e, end = indptr[row], indptr[row + 1]
            while e + 2 <= end:
                i, j = indices[e], indices[e + 1]
                for l in range(len(source)):
                    p, q, x, y, u = entries[l, e], entries[l, e + 1], tables[source[l], i], tables[source[l], j], sums[target[l]]
                    for c in range(k):
                        u[c] += p * x[c] + q * y[c]
                e += 2
            if e < end:
                i = indices[e]
                for l in range(len(source)):
                    p, x, u = entries[l, e], tables[source[l], i], sums[target[l]]
                    for c in range(k):
                        u[c] += p * x[c]
            share, goal = average[s, a], into[row]
            for m in range(n):
                factor, u, summed = factors[m, row], sums[m], out[m, s]
                for c in range(k):
                    goal[c] += factor * u[c]
                    summed[c] += share * u[c]


def available() -> bool:
    """Whether numba is installed; it is not imported here."""
    return find_spec("numba") is not None


def compiled_step_back() -> Callable[..., None]:
    """`step_back` as machine code, compiled once an installation. Importing numba takes half a second: ask for it where there is more to do."""
    return compiled(step_back)


def compiled_products_back() -> Callable[..., None]:
    """`products_back` as machine code."""
    return compiled(products_back)
