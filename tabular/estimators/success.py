"""Advantages for objectives of several completions: E[max of k], pass@k, truncated log-likelihood of success.

All are group advantages A_i that go with the weight 1/B, so that the mean over prompts of E[(1/G) sum_i A_i S_i] is the gradient. n = G completions.
"""

from dataclasses import dataclass
from math import comb
from typing import Literal

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.arrays import first, require_count
from pgtheory.tabular.data import Data
from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.estimators.groups import grouped, require_group, to_rows
from pgtheory.tabular.scene import Scene

Baseline = Literal["none", "subset", "sample"]


def require_baseline(baseline: str, k: int, known: tuple[str, ...]) -> None:
    """Refuse unknown baselines, and subsets with nothing left out of them."""
    if baseline not in known:
        raise InvalidArgument(f"baseline is {baseline!r}; known are {', '.join(known)}.")
    if baseline == "subset" and k < 2:
        raise InvalidArgument('baseline="subset" needs k of at least 2: a subset of one completion has no others. Use "sample" or "none".')


def require_success(rewards: Float[np.ndarray, "N P G"], what: str) -> None:
    """Refuse rewards other than 0 and 1."""
    if (wrong := (rewards != 0) & (rewards != 1)).any():
        n, p, i = first(wrong)
        raise InvalidArgument(
            f"{what} is for rewards 0 and 1, but completion {i} of prompt {p} in data set {n} has {rewards[n, p, i]:g}. "
            "Its weights would be biased. Turn rewards into success or failure, or use max@k."
        )


def max_at_k(ascending: Float[np.ndarray, "*N n"], k: int) -> tuple[Float[np.ndarray, "*N 1"], Float[np.ndarray, "*N n"]]:
    """U, the mean of max_T r over all subsets T of k of the n rewards, and s_i, the part of that mean that comes from subsets with i in them.

    In ascending order s_(i) = [C(i-1, k-1) r_(i) + sum_{j>i} C(j-2, k-2) r_(j)] / C(n, k); ties may be broken in any way. Cost O(n).
    """
    n = ascending.shape[-1]
    own = np.array([comb(j - 1, k - 1) / comb(n, k) for j in range(1, n + 1)])
    other = np.array([comb(j - 2, k - 2) / comb(n, k) if j > 1 and k > 1 else 0.0 for j in range(1, n + 1)])
    mean = (own * ascending).sum(axis=-1, keepdims=True)
    above = np.cumsum((other * ascending)[..., ::-1], axis=-1)[..., ::-1]
    return mean, own * ascending + above - other * ascending


@dataclass(frozen=True, kw_only=True)
class MaxAtK:
    """A_i = n s_i', unbiased for grad E[max of k] from n >= k completions.

    baseline "none": s' = s of `max_at_k`; "subset": s_i' = mean-over-subsets form of max_T r - max_{T without i} r (k >= 2); "sample": s_i' = s_i - (k/n) U of
    the other n-1 rewards (n > k). With a baseline, equal rewards give exact zeros. Cost O(N B log B).
    Source: Walder and Karkhanis (2025), "Pass@K policy optimization"; Bagirov et al. (2025), section 3.

    Raises:
        InvalidArgument: k > n (k >= n with the sample baseline), an unknown baseline, k = 1 with the subset baseline.
    """

    k: int
    baseline: Baseline = "none"

    def __post_init__(self) -> None:
        require_count("k", self.k)
        require_baseline(self.baseline, self.k, ("none", "subset", "sample"))

    def __call__(self, data: Data, scene: Scene) -> Float[np.ndarray, "N B 1"]:
        rewards, order = grouped(data)
        n, k = rewards.shape[-1], self.k
        least = k + 1 if self.baseline == "sample" else k
        require_group(n, least, f"max@{k} with baseline {self.baseline}", "Take more completions a prompt, or a smaller k.")
        rank = np.argsort(rewards, axis=-1, kind="stable")
        r = np.take_along_axis(rewards, rank, axis=-1)
        if self.baseline != "none":
            r = r - r[..., :1]  # changes no difference, and makes equal rewards exactly zero
        mean, s = max_at_k(r, k)
        if self.baseline == "subset":
            less_mean, less = max_at_k(r, k - 1)
            s = s - (comb(n, k - 1) / comb(n, k)) * (less_mean - less)
        elif self.baseline == "sample":
            s = s - (k / n) * (comb(n, k) / comb(n - 1, k)) * (mean - s)
        sorted_back = np.empty_like(s)
        np.put_along_axis(sorted_back, rank, n * s, axis=-1)
        return to_rows(sorted_back, order)


@dataclass(frozen=True, kw_only=True)
class PassAtK:
    """Rewards 0 and 1 with K successes among n, in closed form, unbiased for grad pass@k = grad (1 - (1-p)^k).

    baseline "none": A = k for a success, n (C(n-1, k-1) - C(n-1-K, k-1)) / C(n, k) for a failure;
    "subset": A = n C(n-K, k-1) / C(n, k) for a success, zero for a failure. Cost O(N B).
    Source: Walder and Karkhanis (2025), Theorem 2; Chen et al. (2021) for the value; the subset baseline as in MaxAtK.

    Raises:
        InvalidArgument: k > n, an unknown baseline, k = 1 with the subset baseline, or a reward other than 0 and 1.
    """

    k: int
    baseline: Literal["none", "subset"] = "none"

    def __post_init__(self) -> None:
        require_count("k", self.k)
        require_baseline(self.baseline, self.k, ("none", "subset"))

    def __call__(self, data: Data, scene: Scene) -> Float[np.ndarray, "N B 1"]:
        rewards, order = grouped(data)
        n, k = rewards.shape[-1], self.k
        require_group(n, k, f"pass@{k}", "Take more completions a prompt, or a smaller k.")
        require_success(rewards, f"pass@{k}")
        K = rewards.sum(axis=-1, keepdims=True).astype(int)
        among = lambda m: comb(m, k - 1) if m >= 0 else 0
        if self.baseline == "subset":
            success, failure = np.array([n * among(n - j) / comb(n, k) for j in range(n + 1)]), np.zeros(n + 1)
        else:
            success = np.full(n + 1, float(k))
            failure = np.array([n * (among(n - 1) - among(n - 1 - j)) / comb(n, k) for j in range(n + 1)])
        return to_rows(np.where(rewards == 1, success[K], failure[K]), order)


@dataclass(frozen=True, kw_only=True)
class MaximumLikelihood:
    """Rewards 0 and 1, K successes among N: the mean score of the successes, E[g] = grad J_N, J_N = - sum_{k<=N} (1-p)^k / k (log p truncated).

    variant "plain": A_i = N r_i / K, zero if K = 0; "control": the same minus 1, also if K = 0: the same mean;
    "centred": A_i = (r_i - mean) / (mean + epsilon), zero if K = 0: with epsilon = 0 its mean is grad J_{N-1}, one order less, because the control
    variate is dropped where all fail. Cost O(N B). Source: Zanette et al. (2026), "Maximum likelihood reinforcement learning".

    Raises:
        InvalidArgument: unknown variant, epsilon below zero or with another variant, a reward other than 0 and 1.
    """

    variant: Literal["plain", "control", "centred"] = "plain"
    epsilon: float = 0.0

    def __post_init__(self) -> None:
        if self.variant not in ("plain", "control", "centred"):
            raise InvalidArgument(f"variant is {self.variant!r}; known are plain, control, centred.")
        if not 0 <= self.epsilon < np.inf:
            raise InvalidArgument(f"epsilon is {self.epsilon}; it stands beside a mean and must be a finite number of at least 0.")
        if self.epsilon and self.variant != "centred":
            raise InvalidArgument(f"epsilon is {self.epsilon}, but only variant='centred' has one.")

    def __call__(self, data: Data, scene: Scene) -> Float[np.ndarray, "N B 1"]:
        rewards, order = grouped(data)
        require_success(rewards, "the maximum-likelihood weight")
        mean = rewards.mean(axis=-1, keepdims=True)
        ratio = np.divide(rewards, mean, out=np.zeros_like(rewards), where=mean > 0)
        if self.variant == "centred":
            ratio = np.where(mean > 0, (rewards - mean) / np.where(mean > 0, mean + self.epsilon, 1.0), 0.0)
        elif self.variant == "control":
            ratio = ratio - 1
        return to_rows(ratio, order)
