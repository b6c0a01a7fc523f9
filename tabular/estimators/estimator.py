"""What an estimator is, and what a built-in one declares about itself. The declaration is checked, never believed."""

from dataclasses import dataclass
from typing import Literal, Protocol, get_args

import numpy as np

from pgtheory.tabular.data import Data
from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.laws.types import Estimator as AnyEstimator
from pgtheory.tabular.scene import Scene

Setting = Literal["tokens", "episodes"]
VerdictClass = Literal["unbiased", "scaled", "objective", "preconditioned", "biased", "vacuous"]


@dataclass(frozen=True, kw_only=True)
class Declared:
    """What an estimator says about itself.

    Attributes:
        setting: "tokens" (groups of completions) or "episodes" (trajectories).
        estimates: name of the objective whose gradient E[g] is, up to `constant`; None if it is the gradient of nothing known.
        verdict: the class that a check against the model's return J must give it: "unbiased" (E[g] = grad J), "scaled" (E[g] = constant grad J),
            "objective" (the gradient of another objective), "preconditioned" (E[g] = M grad J, or at a positive inner product with it wherever tried),
            "biased" (the direction is wrong somewhere), "vacuous" (E[g] = 0).
        constant: for "scaled" and "objective", the factor in front of the gradient, as text: "(G-1)/G", "-1".
        uses: quantities beyond states, actions, rewards and groups that it reads, in the names of a loss function's parameters.
        binary: whether what is declared holds for rewards 0 and 1 only.
        source: where the estimator and the statement about it come from.
    """

    setting: Setting
    estimates: str | None = None
    verdict: VerdictClass
    constant: str = "1"
    uses: tuple[str, ...] = ()
    binary: bool = False
    source: str = ""

    def __post_init__(self) -> None:
        for name, known in (("setting", get_args(Setting)), ("verdict", get_args(VerdictClass))):
            if getattr(self, name) not in known:
                raise InvalidArgument(f"{name} is {getattr(self, name)!r}; known are {', '.join(known)}.")


class Estimator(AnyEstimator, Protocol):
    """A function of (Data, Scene) over the leading axis of data sets that declares what it is. It ascends.

    `form` says what is returned: "local" (N, B, T), weights of the score of each action taken; "table" (N, B, T, A), weights of all scores of the
    state; "whole" (N, D), a gradient.
    """

    @property
    def declared(self) -> Declared | None: ...


class Weight(Protocol):
    """A factor of the weight of each step: (data, scene) -> (N, B, T), or (N, B, 1) where all steps of a row have the same.

    Advantages, importance ratios and KL terms are weights; they are detached, so that a product of weights is a weight.
    """

    def __call__(self, data: Data, scene: Scene) -> np.ndarray: ...
