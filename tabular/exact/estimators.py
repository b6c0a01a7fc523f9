"""A few estimators by their definition, one data set at a time: what the vectorised ones are compared with.

Each function takes its settings and returns a function rows -> weights[b][t] of the score of each action taken, the mean over the rows (1/B) included.
Group estimators expect the rows prompt by prompt, `size` of them each.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import combinations
from math import comb

from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.exact.arithmetic import Number
from pgtheory.tabular.exact.laws import Rows, Weights
from pgtheory.tabular.exact.rational import Table
from pgtheory.tabular.exact.trajectories import Trajectory

Advantage = Callable[[Sequence[Number]], Sequence[Number]]
"""From the rewards of a group to the weights of its completions."""


def whole_return(*, gamma: Fraction = Fraction(1), baseline: Fraction = Fraction(0)) -> Weights:
    """REINFORCE: (sum_k gamma^k r_k - b) at every step. Source: Williams (1992).

    Theorem: T10.
    """
    return lambda rows: [[(path.total(gamma) - baseline) / Fraction(len(rows))] * len(path.steps) for path in rows]


def reward_to_go(*, gamma: Fraction = Fraction(1), baseline: Callable[[int, int], Fraction] = lambda t, s: Fraction(0)) -> Weights:
    """gamma^t (sum_{k>=t} gamma^(k-t) r_k - b(t, s_t)). Source: Sutton et al. (1999).

    Theorem: T12.
    """

    def weight(path: Trajectory, t: int) -> Fraction:
        following = sum((gamma ** (k - t) * path.steps[k].reward for k in range(t, len(path.steps))), Fraction(0))
        return gamma**t * (following - baseline(t, path.steps[t].state))

    return lambda rows: [[weight(path, t) / len(rows) for t in range(len(path.steps))] for path in rows]


def gae(*, gamma: Fraction, lambda_: Fraction, critic: Sequence[Fraction]) -> Weights:
    """gamma^t sum_l (gamma lambda)^l delta_{t+l} with a critic of the state, zero after a termination. Source: Schulman et al. (2016), equation 16.

    Theorem: T28.
    """

    def delta(path: Trajectory, t: int) -> Fraction:
        after = path.steps[t + 1].state if t + 1 < len(path.steps) else path.last
        return path.steps[t].reward + (gamma * critic[after] if after >= 0 else 0) - critic[path.steps[t].state]

    def weight(path: Trajectory, t: int) -> Fraction:
        return gamma**t * sum(((gamma * lambda_) ** (k - t) * delta(path, k) for k in range(t, len(path.steps))), Fraction(0))

    return lambda rows: [[weight(path, t) / len(rows) for t in range(len(path.steps))] for path in rows]


def grouped(advantage: Advantage, size: int) -> Weights:
    """A_i / B at every token of completion i, A from the rewards of its group.

    Raises:
        InvalidArgument: (when called) the rows are no whole number of groups.
    """

    def weights(rows: Rows) -> list[list[Number]]:
        if len(rows) % size:
            raise InvalidArgument(f"{len(rows)} rows are no whole number of groups of {size}.")
        found: list[Number] = []
        for i in range(0, len(rows), size):
            found += advantage([path.total() for path in rows[i : i + size]])
        return [[a / len(rows)] * len(path.steps) for a, path in zip(found, rows, strict=True)]

    return weights


def group_mean(rewards: Sequence[Number]) -> list[Number]:
    """r_i - mean of all, its own reward included.

    Theorem: T42.
    """
    mean = sum(rewards) / Fraction(len(rewards))
    return [r - mean for r in rewards]


def leave_one_out(rewards: Sequence[Number]) -> list[Number]:
    """r_i - mean of the others. Source: Kool, van Hoof and Welling (2019).

    Theorem: T42.
    """
    return [r - (sum(rewards) - r) / Fraction(len(rewards) - 1) for r in rewards]


def maximum_likelihood(variant: str) -> Advantage:
    """Rewards 0 and 1 with mean m > 0: "plain" r/m, "control" r/m - 1, "centred" (r - m)/m; where all fail 0, -1, 0. Source: P039.

    Raises:
        InvalidArgument: unknown variant.
    """
    if variant not in ("plain", "control", "centred"):
        raise InvalidArgument(f"variant is {variant!r}; known are plain, control, centred.")

    def advantage(rewards: Sequence[Number]) -> list[Number]:
        mean = sum(rewards) / Fraction(len(rewards))
        if mean == 0:
            return [Fraction(-1 if variant == "control" else 0)] * len(rewards)
        return [r / mean - (0 if variant == "plain" else 1) for r in rewards]

    return advantage


def max_at(k: int) -> Advantage:
    """G times the sum of max over the subsets of k completions that contain i, divided by the number of all subsets. Source: Walder and Karkhanis (2025)."""

    def advantage(rewards: Sequence[Number]) -> list[Number]:
        n = len(rewards)
        share = [Fraction(0)] * n
        for subset in combinations(range(n), k):
            for i in subset:
                share[i] += max(rewards[j] for j in subset)
        return [n * x / comb(n, k) for x in share]

    return advantage


def per_sequence(weights: Weights) -> Weights:
    """Any of these, with the weights of each row divided by its number of steps."""
    return lambda rows: [[w / len(row) for w in row] for row in weights(rows)]


def importance(
    weights: Weights, current: Table, old: Table, *, level: str = "token", change: Callable[[Number], Number] = lambda ratio: ratio
) -> Weights:
    """Any of these times the ratio current/old of the token, of the prefix up to it, or of the whole sequence; `change` truncates or masks the ratio.

    Raises:
        InvalidArgument: unknown level.

    Theorem: T13.
    """
    if level not in ("token", "prefix", "sequence"):
        raise InvalidArgument(f"level is {level!r}; known are token, prefix, sequence.")

    def ratio(path: Trajectory, t: int) -> Number:
        product = Fraction(1)
        for s, a, _ in {"token": path.steps[t : t + 1], "prefix": path.steps[: t + 1], "sequence": path.steps}[level]:
            product *= current[s][a] / old[s][a]
        return change(product)

    return lambda rows: [[w * ratio(path, t) for t, w in enumerate(row)] for row, path in zip(weights(rows), rows, strict=True)]


def group_weight(advantage: Advantage, p: Number, size: int) -> Number:
    """w_G(p) = E[A_1 | r_1 = 1] - E[A_1 | r_1 = 0] for 0/1 rewards: E[g] = w_G(p) grad p, one prompt, on-policy. A binomial sum over the other G-1 rewards."""
    total = 0 * p
    for k in range(size):
        ones, zeros = [1] * k, [0] * (size - 1 - k)
        difference = advantage([1, *ones, *zeros])[0] - advantage([0, *ones, *zeros])[0]
        total = total + comb(size - 1, k) * p**k * (1 - p) ** (size - 1 - k) * difference
    return total
