"""The local profile: weight of one token against its importance ratio, for both signs of the advantage."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.data import Data
from pgtheory.tabular.laws.types import Estimator
from pgtheory.tabular.models.token_tree import TokenTree
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.scene import Scene

RATIOS = np.round(np.arange(0.35, 1.66, 0.01), 2) + 0.005
"""Ratios tried; off the hundredths at which clip ranges are set, and so close that an edge such as 1.28 is read off exactly."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Profile:
    """Weights divided by the weight at ratio 1, for a row of positive and a row of negative advantage."""

    ratios: Float[np.ndarray, "K"]
    positive: Float[np.ndarray, "K"]
    negative: Float[np.ndarray, "K"]

    def describe(self) -> Mapping[str, Any]:
        """The shape on each side and the method that has it."""
        up, down = shape(self.ratios, self.positive), shape(self.ratios, self.negative)
        return {
            "positive": up, "negative": down, "method": method(up, down),
            "ratios": self.ratios, "weights_positive": self.positive, "weights_negative": self.negative,
        }  # fmt: skip


def profile(estimator: Estimator) -> Profile | None:
    """The profile of an estimator that is given old log-probabilities; None if its weight at ratio 1 vanishes or is not finite.

    Four one-token rows of one prompt; row 0 took token 0, whose probability under the old policy is 1/2 and under the current one ratio/2. Its reward
    is the only different one. Cost: two data sets a ratio.
    """
    tree = TokenTree(vocabulary=2, limit=1, reward=lambda _, tokens: float(tokens[0] == 0))
    old = Softmax.of(np.array([[0.5, 0.5]]))
    sides = []
    for own, others in ((1.0, 0.0), (0.0, 1.0)):
        reward = np.array([[[own], [others], [others], [others]]])
        zeros = np.zeros((1, 4), dtype=int)
        data = Data(
            state=zeros[..., None], action=np.array([[[0], [0], [1], [1]]]), reward=reward, mask=np.ones((1, 4, 1), dtype=bool),
            last=zeros - 1, truncated=zeros > 0, index={"prompt": zeros, "group": zeros, "rollout": np.arange(4)[None]},
        )  # fmt: skip
        weights = []
        for ratio in (1.0, *RATIOS):
            current = Softmax.of(np.array([[ratio / 2, 1 - ratio / 2]]))
            scene = Scene.of(tree, current, sampler=old, ref=old, critic=np.zeros(1))
            found = np.asarray(estimator(data, scene), dtype=float)
            weights.append(found[0, 0, 0] if found.ndim == 3 else found[0, 0, 0, 0])
        if not np.isfinite(weights).all() or abs(weights[0]) < 1e-12:
            return None
        sides.append(np.array(weights[1:]) / weights[0])
    return Profile(ratios=RATIOS, positive=sides[0], negative=sides[1])


def shape(ratios: Float[np.ndarray, "K"], weights: Float[np.ndarray, "K"]) -> str:
    """The weight as a function of the ratio rho, in words. Edges lie between two ratios tried, and are given as the round number there."""
    same = lambda expected, where: np.allclose(weights[where], expected[where], rtol=1e-9, atol=1e-12)
    everywhere = np.ones(len(ratios), dtype=bool)
    for name, expected in (
        ("rho", ratios),
        ("constant", np.ones_like(ratios)),
        ("zero", np.zeros_like(ratios)),
        ("rho squared", ratios**2),
        ("1/rho", 1 / ratios),
    ):
        if same(expected, everywhere):
            return name
    for name, base in (("rho", ratios), ("constant", np.ones_like(ratios))):
        inside = np.isclose(weights, base, rtol=1e-9, atol=1e-12)
        if not inside.any() or np.count_nonzero(np.diff(inside.astype(int))) > 2:
            continue
        low, high = np.flatnonzero(inside)[[0, -1]]
        text = name
        if low > 0:
            text += f", {_outside(ratios[:low], weights[:low])} below {edge(float(ratios[low - 1]), float(ratios[low]))}"
        if high < len(ratios) - 1:
            text += f", {_outside(ratios[high + 1 :], weights[high + 1 :])} above {edge(float(ratios[high]), float(ratios[high + 1]))}"
        return text
    return "no simple function of rho"


def _outside(ratios: np.ndarray, weights: np.ndarray) -> str:
    if np.allclose(weights, 0, atol=1e-12):
        return "zero"
    if np.ptp(weights) <= 1e-9:
        return "constant"
    return "different"


def edge(low: float, high: float) -> str:
    """The number with fewest digits between two neighbours of the grid."""
    for digits in (1, 2):
        step = 10.0**-digits
        candidate = np.ceil(low / step - 1e-9) * step
        if low < candidate < high:
            return f"{candidate:g}"
    return f"{(low + high) / 2:.3g}"


def method(positive: str, negative: str) -> str:
    """The method whose profile this is."""
    if positive.startswith("rho, zero above ") and "below" not in positive and negative.startswith("rho, zero below ") and "above" not in negative:
        return f"PPO clip ({negative.rsplit(' ', 1)[1]}, {positive.rsplit(' ', 1)[1]})"
    if positive == negative == "rho":
        return "importance ratio, neither clipped nor truncated"
    if positive == negative == "constant":
        return "no importance ratio"
    if positive == negative and "constant above" in positive and "below" not in positive:
        return "truncated importance ratio"
    if positive == negative and "zero" in positive and "above" in positive and "below" in positive:
        return "masked importance ratio (zero outside a band, whatever the sign of the advantage)"
    if positive.startswith("rho, zero below ") or negative.startswith("rho, zero above "):
        return "not PPO: clipped on the wrong side (PPO is zero above 1+eps for A > 0 and below 1-eps for A < 0)"
    return "none that is recognised (PPO clip: rho, zero above 1+eps for A > 0; rho, zero below 1-eps for A < 0)"
