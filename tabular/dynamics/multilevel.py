"""Multi-level Monte Carlo on a chain that never ends: the estimate has the bias of a long average and costs, on average, the logarithm of its length.

A level j = 1, 2, ... is drawn with chance 2^-j. If 2^j <= T_max, the chain is followed for 2^j steps, else for one. With h_t what step t contributes,
h^j the mean of h_0 .. h_{2^j - 1}, and L the largest level within T_max,

    g = h^0 + 2^j (h^j - h^{j-1})    if 2^j <= T_max,    else h^0;        E[g] = E[h^L],    expected steps L + 2^-L.

No mixing time enters. At level j, g = h_0 + (sum of the second half) - (sum of the first half): the weights of the steps sum to one, so that g of h - c is g - c.

The moments close under doubling. With A the sum of n steps from s, and B that of the next n, everything about 2n steps follows from
    P_n = P^n,    M_n(s) = E[A A'],    b_n(s) = E A,    X_n(s, t) = E[A; s_n = t],    Y_n(s, t) = E[h_0; s_n = t],    Z_n(s) = E[h_0 A'],
by E[A B'] = sum_t X_n(s, t) b_n(t)' and the like: no path is drawn or listed, and no loop runs over the steps. h is centred by its stationary mean before,
for sums of n equal signs would cancel in g.
Source: Dorfman and Levy (2022) for the estimate; Suttle et al. (2023) for the actor-critic.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float

from pgtheory.tabular.arrays import freeze, require_count, require_shape
from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.models.mdp import MDP, as_mdp
from pgtheory.tabular.policies.policy import Policy, score
from pgtheory.tabular.solve.average import normalised, unichain


@dataclass(frozen=True, eq=False, kw_only=True)
class LevelMoments:
    """First and second moments level by level, from the start law of the model; row j of each array is level j, row 0 a single step.

    Attributes:
        chance: of each level, (L+1,).
        mean, second: of the estimate g at this level, (L+1, D) and (L+1, D, D).
        average, average_second: of the plain average h^j over 2^j steps.
    """

    chance: Float[np.ndarray, "L+1"]
    mean: Float[np.ndarray, "L+1 D"]
    second: Float[np.ndarray, "L+1 D D"]
    average: Float[np.ndarray, "L+1 D"]
    average_second: Float[np.ndarray, "L+1 D D"]

    @property
    def expectation(self) -> Float[np.ndarray, "D"]:
        """E[g]."""
        return self.chance @ self.mean

    @property
    def second_moment(self) -> Float[np.ndarray, "D D"]:
        """E[g g']; its trace is E|g|^2, and an entry off the diagonal the mean of a product of two estimates that share their level and their steps."""
        return np.einsum("j,jde->de", self.chance, self.second)

    @property
    def covariance(self) -> Float[np.ndarray, "D D"]:
        """Cov(g)."""
        return self.second_moment - np.outer(self.expectation, self.expectation)


@dataclass(frozen=True)
class MultiLevel:
    """The multi-level estimate with at most T_max steps.

    >>> MultiLevel(8).levels, MultiLevel(8).samples
    (3, 3.125)
    """

    T_max: int

    def __post_init__(self) -> None:
        require_count("T_max", self.T_max)

    @property
    def levels(self) -> int:
        """L, the largest j with 2^j <= T_max."""
        return int(self.T_max).bit_length() - 1

    @property
    def chance(self) -> Float[np.ndarray, "L+1"]:
        """Chance of a path of 2^j steps; entry 0 is that of all levels that are too long, 2^-L."""
        chance = 0.5 ** np.arange(self.levels + 1)
        chance[0] = chance[-1]
        return chance

    @property
    def samples(self) -> float:
        """Expected number of steps."""
        return float(self.chance @ 2.0 ** np.arange(self.levels + 1))

    def moments(self, model: object, policy: Policy, terms: Float[np.ndarray, "S A S D"]) -> LevelMoments:
        """The moments of the estimate of the stationary mean of `terms`, h(s, a, s') of D numbers, from the start law mu.

        Cost: O(L S^2 (S D + D^2)) for all levels, S^2 (S + D) memory. The chances P^n carry min(n, mixing time) roundings.

        Raises:
            InvalidArgument: the model ends, or terms have another shape.
            Multichain: the policy has two closed classes, so that the stationary mean depends on the start.
        """
        mdp = as_mdp(model)
        terms = freeze("terms", terms, error=InvalidArgument)
        require_shape("terms", terms, (mdp.S, mdp.A, mdp.S, *terms.shape[-1:]), "S, A, S, D", error=InvalidArgument)
        centre, b, X, M = first_step(mdp, policy, terms)
        P, Y, Z = X[0], X[1], M
        X = Y
        moved = lambda law, x: np.tensordot(law, x, axes=1)
        both = lambda X, b: np.einsum("std,te->sde", X, b)
        mean, second = [b], [M]
        average, average_second = [b], [M]
        for n in 2.0 ** np.arange(self.levels):
            cross, first = both(X, b), both(Y, b)
            later = moved(P, M)
            mixed = first - Z - cross
            mean.append(mean[0] + moved(P, b) - b)
            second.append(second[0] + M + later + mixed + mixed.swapaxes(1, 2))
            X = np.einsum("sud,ut->std", X, P) + np.einsum("su,utd->std", P, X)
            b, M, Z = b + moved(P, b), M + later + cross + cross.swapaxes(1, 2), Z + first
            Y, P = np.einsum("sud,ut->std", Y, P), P @ P
            P = P / P.sum(axis=1, keepdims=True)
            average.append(b / (2 * n))
            average_second.append(M / (2 * n) ** 2)
        moments = (uncentred(mdp.mu, np.array(m), np.array(q), centre) for m, q in ((mean, second), (average, average_second)))
        (mean, second), (average, average_second) = moments
        return LevelMoments(chance=self.chance, mean=mean, second=second, average=average, average_second=average_second)


def first_step(
    mdp: MDP, policy: Policy, terms: Float[np.ndarray, "S A S D"]
) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray], np.ndarray]:
    """The stationary mean of the terms, and of one step with it taken off: E[h | s], (P, E[h; t | s]), E[h h' | s]."""
    chain, S, A = unichain(mdp, policy), mdp.S, mdp.A
    P = dense(mdp.transition).reshape(S, A, S)
    chance = normalised(policy.probabilities)[:, :, None] * P / P.sum(axis=2, keepdims=True)
    centre = chain.d @ np.einsum("sat,satd->sd", chance, terms)
    h = terms - centre
    moves = np.einsum("sat,satd->std", chance, h)
    return centre, moves.sum(axis=1), (chance.sum(axis=1), moves), np.einsum("sat,satd,sate->sde", chance, h, h, optimize=True)


def uncentred(mu: np.ndarray, mean: np.ndarray, second: np.ndarray, centre: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Moments from the start law, with `centre` put back: of what has it as a factor one."""
    m, q = mu @ mean, np.einsum("s,jsde->jde", mu, second)
    mixed = m[:, :, None] * centre
    return m + centre, q + mixed + mixed.swapaxes(1, 2) + np.outer(centre, centre)


def temporal_differences(model: object, gain: float, V: Float[np.ndarray, "S"]) -> Float[np.ndarray, "S A S"]:
    """r(s, a, s') - gain + V(s') - V(s), the error of a critic of the average reward on each transition; rewards by their mean."""
    mdp, V = as_mdp(model), freeze("V", V, error=InvalidArgument)
    require_shape("V", V, (mdp.S,), "one value a state", error=InvalidArgument)
    reward = mdp.mean_reward[:, :, None] if mdp.by_pair else dense(mdp.r).reshape(mdp.S, mdp.A, mdp.S)
    return reward - gain + V - V[:, None, None]


def dense(matrix: Any) -> np.ndarray:
    """A matrix as an array."""
    return matrix.toarray() if sp.issparse(matrix) else np.asarray(matrix)


def actor_critic_terms(
    model: object, policy: Policy, features: Float[np.ndarray, "S W"], gain: float, w: Float[np.ndarray, "W"]
) -> Float[np.ndarray, "S A S D"]:
    """What one step contributes to the three directions of an average-reward actor-critic with values V = features w, side by side: D = 1 + W + theta.size.

    r - gain; delta features(s); delta score(s, a), delta = r - gain + V(s') - V(s). Each direction is a mean of a product, and each product is one term:
    the product of two multi-level estimates is no estimate of it.
    """
    features = freeze("features", features, error=InvalidArgument)
    delta = temporal_differences(model, gain, features @ w)[..., None]
    reward = temporal_differences(model, gain, np.zeros(len(features)))[..., None]
    return np.concatenate([reward, delta * features[:, None, None], delta * score(policy)[:, :, None]], axis=3)
