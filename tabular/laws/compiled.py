"""The loop that numba compiles (extra `fast`) for laws of many columns; without numba, and for small problems, scipy does the same in `backward.py`."""

from collections.abc import Callable
from functools import cache
from importlib.util import find_spec

import numpy as np
from jaxtyping import Float, Int


def lookahead(
    indptr: Int[np.ndarray, "R"],
    indices: Int[np.ndarray, "E"],
    P: Float[np.ndarray, "E"],
    R: Float[np.ndarray, "E"],
    table: Float[np.ndarray, "S m"],
    level: Float[np.ndarray, "S A"],
    weight: Float[np.ndarray, "S A"],
    average: Float[np.ndarray, "S A"],
    into: Float[np.ndarray, "SA k"],
    out: Float[np.ndarray, "S m"],
) -> None:
    """One step back for k columns, m = 2 k, table = [x | z]: u = P z + R x + level * (P x); into += weight * u; out = sum_a average * [P x | u].

    R is empty or stands on the entries of P. All that is read more than once stays in cache if S m numbers do. Cost: m (or 3 k) multiply-adds an entry of P.
    """
    S, A = average.shape
    m = table.shape[1]
    k = m // 2
    total = np.empty(m)
    for s in range(S):
        summed = out[s]
        summed[:] = 0.0
        for a in range(A):
            row = s * A + a
            e, end = indptr[row], indptr[row + 1]
            total[:] = 0.0
            while e + 4 <= end:  # four at a time: one load and one store of `total` for four products
                p0, p1, p2, p3 = P[e], P[e + 1], P[e + 2], P[e + 3]
                t0, t1, t2, t3 = table[indices[e]], table[indices[e + 1]], table[indices[e + 2]], table[indices[e + 3]]
                for c in range(m):
                    total[c] += (p0 * t0[c] + p1 * t1[c]) + (p2 * t2[c] + p3 * t3[c])
                e += 4
            while e < end:
                p0, t0 = P[e], table[indices[e]]
                for c in range(m):
                    total[c] += p0 * t0[c]
                e += 1
            if len(R):
                for e in range(indptr[row], end):
                    p0, t0 = R[e], table[indices[e]]
                    for c in range(k):
                        total[k + c] += p0 * t0[c]
            lift, scale, share = level[s, a], weight[s, a], average[s, a]
            target = into[row]
            for c in range(k):
                u = total[k + c] + lift * total[c]
                target[c] += scale * u
                summed[c] += share * total[c]
                summed[k + c] += share * u


def available() -> bool:
    """Whether numba is installed; it is not imported here."""
    return find_spec("numba") is not None


@cache
def compiled_lookahead() -> Callable[..., None]:
    """`lookahead` as machine code, compiled once an installation. Importing numba takes half a second: ask for it where there is more to do."""
    from numba import njit

    return njit(cache=True, nogil=True, fastmath={"contract"})(lookahead)
