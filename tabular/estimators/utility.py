"""Policy gradients of a utility of the occupancy from samples: the pseudo-reward F'(lambda) has to be estimated, too."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.data import Data
from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.objectives.utilities import Utility
from pgtheory.tabular.returns import discounts
from pgtheory.tabular.scene import Scene

Source = Literal["others", "own"]


@dataclass(frozen=True, kw_only=True)
class PseudoReturn:
    """sum_{k >= t} gamma^k F'(x)(s_k, a_k), x the discounted visits counted in other rows (their mean), or in the row itself.

    With "others" it is unbiased if F' is affine, for the rows are independent; with "own" it is not even then. Cost O(N B S A).
    Source: Barakat, Fatkhullin and He (2023), section 3.

    Raises:
        InvalidArgument: "others" with a single row, or another word.
    """

    utility: Utility
    visits: Source = "others"

    def __post_init__(self) -> None:
        if self.visits not in get_args(Source):
            raise InvalidArgument(f"visits is {self.visits!r}; known are {', '.join(get_args(Source))}.")

    def __call__(self, data: Data, scene: Scene) -> Float[np.ndarray, "N B T"]:
        N, B, T = data.shape
        if self.visits == "others" and B < 2:
            raise InvalidArgument('visits are counted in the other rows, and there is one row. Give at least two, or visits="own".')
        weight = data.mask * discounts(scene.mdp.gamma, T)
        n, b, _ = np.ogrid[:N, :B, :T]
        x = np.zeros((N, B, scene.mdp.S, scene.mdp.A))
        np.add.at(x, (n, b, data.state, data.action), weight)
        if self.visits == "others":
            x = (x.sum(axis=1, keepdims=True) - x) / (B - 1)
        earned = weight * self.utility.slope(x)[n, b, data.state, data.action]
        return earned[..., ::-1].cumsum(axis=-1)[..., ::-1]
