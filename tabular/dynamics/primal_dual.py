"""Ascent in the policy and descent in the multipliers, at the same time and from the same point."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.dynamics.lagrangian import LagrangianOracle
from pgtheory.tabular.dynamics.outlook import Outlook
from pgtheory.tabular.dynamics.steps import StepSize, positive
from pgtheory.tabular.dynamics.updates import Ascent
from pgtheory.tabular.errors import InvalidArgument


class _Projected(Ascent):
    """Shared part: the multipliers are cut off at 0 after the step, whatever direction it took."""

    def move(self, outlook: Any, change: Float[np.ndarray, "N D"]) -> Float[np.ndarray, "N D"]:
        """theta + change, multipliers at least 0."""
        theta = outlook.theta + change
        np.maximum(theta[:, -outlook.oracle.constraints :], 0.0, out=theta[:, -outlook.oracle.constraints :])
        return theta

    def require(self, oracle: Any, outlook: Outlook) -> None:
        """Refuse an oracle without multipliers.

        Raises:
            InvalidArgument: it is no `LagrangianOracle`.
        """
        if not isinstance(oracle, LagrangianOracle):
            raise InvalidArgument(f"{type(self).__name__} needs multipliers, which {type(oracle).__name__} does not have. Use LagrangianOracle.")


@dataclass(frozen=True)
class AscentDescent(_Projected):
    """logits + size dL/dlogits, [m + size ratio (least - J_i)]_+. Last iterates orbit where the optimum is a mixture; `Optimistic` around it makes them converge.

    Attributes:
        step_size: of the policy.
        ratio: step size of the multipliers over that of the policy.
    """

    step_size: StepSize
    ratio: float = 1.0

    def __post_init__(self) -> None:
        positive("ratio", self.ratio)

    def direction(self, outlook: Any) -> Float[np.ndarray, "N D"]:
        """The field, with the ratio."""
        return outlook.gradient * outlook.oracle.weights(policy=1.0, multipliers=self.ratio)


@dataclass(frozen=True)
class NaturalAscentDescent(_Projected):
    """logits + size advantage of the mixed reward (a step of KL mirror descent in every state), [m + size ratio (least - J_i)]_+.

    Within `Optimistic` it is ReLOAD: log pi + size (2 Q_t - Q_{t-1}), each Q with the multipliers of its own step. Source: Moskovitz et al. (2023).

    Attributes:
        step_size: of the policy.
        ratio: step size of the multipliers over that of the policy.
    """

    step_size: StepSize
    ratio: float = 1.0

    def __post_init__(self) -> None:
        positive("ratio", self.ratio)

    def direction(self, outlook: Any) -> Float[np.ndarray, "N D"]:
        """The advantage, and the field of the multipliers with the ratio."""
        return np.concatenate([outlook.advantage.reshape(len(outlook.theta), -1), self.ratio * outlook.missing], axis=1)
