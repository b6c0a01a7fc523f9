"""Of what is a field the gradient? Projection of E[g] on the gradients of known objectives."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from jaxtyping import Float

LARGEST_SUM = 3
"""Objectives that a combination may have: J + beta KL + alpha entropy."""

DIMENSION = 3
"""In fewer effective dimensions too many fields are gradients of something."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Projection:
    """E[g] = sum_j coefficients[j] grad names[j], fitted on half of the points; `residual` is the relative distance on the other half.

    `aliases[j]` are the objectives whose gradient equals that of names[j] on this problem, itself included: the best of k is pass@k for 0/1 rewards.
    """

    names: tuple[str, ...]
    aliases: tuple[frozenset[str], ...]
    coefficients: tuple[float, ...]
    residual: float


def project(
    field: Float[np.ndarray, "K D"],
    gradients: dict[str, Float[np.ndarray, "K D"]],
    tolerance: float,
    *,
    exclusive: frozenset[str] = frozenset(),
) -> Projection | None:
    """The sparsest combination of catalogue gradients that equals the field at all K points, or None.

    Coefficients come from the even points; the residual is on the odd ones. Objectives whose gradients are proportional at all points are merged, the
    first name kept; at most one of `exclusive` enters a sum (for 0/1 rewards all functions of p span every group weight); a sum of m objectives is only tried if the fitted half gives at least 3 m independent equations. Cost: C(n, 3) small least squares.
    """
    groups = merged(gradients)
    names = list(groups)
    if effective_dimension(field, gradients) < DIMENSION:
        return None
    fit, test = slice(0, None, 2), slice(1, None, 2)
    left, right = field[fit].ravel(), field[test].ravel()
    scale = max(np.linalg.norm(right), np.finfo(float).tiny)
    for size in range(1, LARGEST_SUM + 1):
        best: Projection | None = None
        for chosen in combinations(names, size):
            if len(exclusive.intersection(chosen)) > 1:
                continue
            A = np.stack([gradients[n][fit].ravel() for n in chosen], axis=1)
            if np.count_nonzero(abs(A).max(axis=1)) < 3 * size:
                continue
            c, *_ = np.linalg.lstsq(A, left, rcond=1e-10)
            residual = float(np.linalg.norm(np.stack([gradients[n][test].ravel() for n in chosen], axis=1) @ c - right) / scale)
            if residual <= tolerance and (best is None or residual < best.residual):
                best = Projection(names=chosen, aliases=tuple(groups[n] for n in chosen), coefficients=tuple(float(x) for x in c), residual=residual)
        if best is not None:
            return best
    return None


def merged(gradients: dict[str, Float[np.ndarray, "K D"]]) -> dict[str, frozenset[str]]:
    """Name -> all names with the same gradient at all points; vanishing gradients and those proportional to an earlier one are left out."""
    kept: dict[str, set[str]] = {}
    for name, g in gradients.items():
        size = np.linalg.norm(g)
        if size < 1e-13:
            continue
        near = next((k for k in kept if 1 - abs((g * gradients[k]).sum()) / (size * np.linalg.norm(gradients[k])) <= 1e-12), None)
        if near is None:
            kept[name] = {name}
        elif np.allclose(g, gradients[near], rtol=1e-9, atol=1e-13):
            kept[near].add(name)
    return {name: frozenset(same) for name, same in kept.items()}


def effective_dimension(field: Float[np.ndarray, "K D"], gradients: dict[str, Float[np.ndarray, "K D"]]) -> int:
    """Rank of all gradients and field values together: the dimension of the space in which they could differ."""
    return int(np.linalg.matrix_rank(np.concatenate([field, *gradients.values()]), tol=1e-9))


def common(parts: Sequence[Projection]) -> tuple[tuple[str, ...], tuple[float, ...]] | None:
    """Names and coefficients that fit several problems at once, or None: each summand needs a name that is right on all of them, and one coefficient."""
    first = parts[0]
    names = []
    for j, (name, same) in enumerate(zip(first.names, first.aliases, strict=True)):
        shared = set(same)
        for other in parts[1:]:
            matches = [
                a for a, c in zip(other.aliases, other.coefficients, strict=True) if a & shared and abs(c - first.coefficients[j]) <= 1e-6 * abs(c)
            ]
            shared = shared & matches[0] if matches else set()
        if not shared or any(len(other.names) != len(first.names) for other in parts):
            return None
        names.append(name if name in shared else sorted(shared)[0])
    return tuple(names), first.coefficients
