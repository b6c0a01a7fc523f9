"""Per-prompt weight functions of group methods with 0/1 rewards.

For one prompt, G i.i.d. on-policy completions with rewards 0 or 1, normalisation 1/G and weights A_i of the score of the whole completion that depend on
the rewards of the group only and exchangeably,

    E[g] = w_G(p) grad p,   w_G(p) = E[A_1 | r_1 = 1] - E[A_1 | r_1 = 0] = sum_k C(G-1, k) p^k (1-p)^(G-1-k) (a1[k] - a0[k]),

with a1[k], a0[k] the weight of a success and of a failure when k of the other G-1 completions succeed. The objective that is ascended is
Phi_G(p) = integral of w_G from 0 to p. Both are polynomials; they are kept in Bernstein form, which evaluates without cancellation on [0, 1].
"""

from dataclasses import dataclass
from math import comb

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.laws.types import Estimator
from pgtheory.tabular.models.token_tree import TokenTree
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.groups import Groups
from pgtheory.tabular.scene import Scene


@dataclass(frozen=True, eq=False)
class GroupWeight:
    """w_G as its G Bernstein coefficients a1[k] - a0[k], k = 0 .. G-1 other successes.

    >>> GroupWeight(np.ones(4))(0.3).item()
    1.0
    """

    coefficients: Float[np.ndarray, "G"]

    @property
    def G(self) -> int:
        """Group size."""
        return len(self.coefficients)

    def __call__(self, p: Float[np.ndarray, "*N"] | float) -> Float[np.ndarray, "*N"]:
        """w_G(p)."""
        return bernstein(self.coefficients, np.asarray(p, dtype=float))

    def phi(self, p: Float[np.ndarray, "*N"] | float) -> Float[np.ndarray, "*N"]:
        """Phi_G(p), zero at p = 0: the integral has Bernstein coefficients cumsum(c) / G."""
        return bernstein(np.concatenate([[0.0], np.cumsum(self.coefficients) / self.G]), np.asarray(p, dtype=float))

    def slope(self, p: Float[np.ndarray, "*N"] | float) -> Float[np.ndarray, "*N"]:
        """The derivative of w_G."""
        if self.G == 1:
            return np.zeros_like(np.asarray(p, dtype=float))
        return bernstein((self.G - 1) * np.diff(self.coefficients), np.asarray(p, dtype=float))


def bernstein(coefficients: Float[np.ndarray, "n"], p: Float[np.ndarray, "*N"]) -> Float[np.ndarray, "*N"]:
    """sum_k c_k C(n-1, k) p^k (1-p)^(n-1-k) by de Casteljau's recursion. Cost O(n^2) a point; backward stable on [0, 1]."""
    levels = np.broadcast_to(coefficients, (*p.shape, len(coefficients)))
    for _ in range(len(coefficients) - 1):
        levels = levels[..., :-1] * (1 - p[..., None]) + levels[..., 1:] * p[..., None]
    return levels[..., 0]


def one_token_world(*, p: float = 0.4) -> Scene:
    """One prompt with two one-token completions, the first of reward 1 and probability p."""
    tree = TokenTree(vocabulary=2, limit=1, reward=lambda _, tokens: float(tokens[0] == 0))
    return Scene.of(tree, Softmax.of(np.array([[p, 1 - p]])), ref=Softmax.of(np.array([[p, 1 - p]])))


def group_weight(estimator: Estimator, size: int) -> GroupWeight | None:
    """w_G of an estimator, read off its weights on the G+1 groups of a one-token problem; None if its weights are no function of that kind
    (they differ between equal rows, or are not finite).

    Whether E[g] = w_G(p) grad p holds for longer completions is for the caller to verify.

    Raises:
        InvalidArgument: the estimator is given in parameter space, which has no weights to read.
    """
    if estimator.form == "whole":
        raise InvalidArgument("an estimator given in parameter space has no weights of completions. Give one of form `local`.")
    scene = one_token_world()
    sets = Groups(size).datasets(scene)
    weights = np.asarray(estimator(sets.data, scene), dtype=float)
    if estimator.form == "table":
        weights = np.take_along_axis(weights, sets.data.action[..., None], axis=-1)[..., 0]
    weights = weights[..., 0] * size
    success = sets.data.total > 0.5
    if not np.isfinite(weights).all():
        return None
    a1, a0 = np.zeros(size), np.zeros(size)
    for row, won in zip(weights, success, strict=True):
        for value, table, others in ((row[won], a1, won.sum() - 1), (row[~won], a0, won.sum())):
            if not len(value):
                continue
            if np.ptp(value) > 1e-12 * (1 + abs(value).max()):
                return None
            table[others] = value[0]
    return GroupWeight(a1 - a0)


def known_weights(size: int) -> dict[str, GroupWeight]:
    """Weight functions with a name, for groups of `size`: pass@k is k (1-p)^(k-1), truncated log-likelihood of order n is (1 - (1-p)^n) / p.

    In Bernstein form of degree G-1: (1-p)^m has coefficients C(G-1-k, m) / C(G-1, m).
    """
    n = size - 1
    power = lambda m: np.array([comb(n - k, m) / comb(n, m) for k in range(size)])
    found = {"J": np.ones(size)}
    found |= {f"pass@{k}": k * power(k - 1) for k in range(2, size + 1)}
    found |= {f"truncated log-likelihood of order {m}": sum(power(j) for j in range(m)) for m in range(2, size + 1)}
    return {name: GroupWeight(np.asarray(c, dtype=float)) for name, c in found.items()}
