"""Does a function compute in float64? Derivatives of its weights with respect to its arguments, by a coarse and a fine step, tell."""

import numpy as np

from pgtheory.functions.bound import Bound
from pgtheory.functions.quantities import SCALARS
from pgtheory.functions.ranks import alike_rows, most_varied
from pgtheory.tabular.data import Data
from pgtheory.tabular.errors import UserFunctionError
from pgtheory.tabular.scene import Scene

COARSE, FINE = 2.0**-16, 2.0**-34
"""Relative steps. float32 has 2^-24: it follows the coarse one to about 1 % and is blind to the fine one; float64 has 2^-53: it follows both to 2^-16."""

AGREE = 0.1
"""Largest relative difference of the two slopes: some ten roundings of float32 at the coarse step, and far above the 2^-16 of float64."""

SMALL = 1e-3
"""Weights are of order one over the number of rows or tokens; where they cancel to zero, rounding is still that of their parts."""


def settle_precision(bound: Bound, data: Data, scene: Scene) -> None:
    """Lift casts to float32 where they matter and can be lifted; else say so in `bound.precision`."""
    even = alike_rows(most_varied(data))
    if resolves(bound, even, scene):
        return
    if bound.framework == "torch":
        bound.adapter.lifted = True
        try:
            if resolves(bound, even, scene):
                bound.notes = (*bound.notes, "casts to float32 are lifted to float64, so that rounding is not taken for bias")
                return
        except UserFunctionError:
            pass  # it depends on its types: leave them
        bound.adapter.lifted = False
    bound.precision = "float32"
    bound.notes = (*bound.notes, "it computes in float32: a bias below its rounding cannot be told from it")


def resolves(bound: Bound, even: Data, scene: Scene) -> bool:
    """Whether the weights follow a small move of every argument as they follow a larger one. Cost: two calls an argument."""
    values = bound.arguments(even, scene)
    base = bound.weights(values, even, scene)
    for c, value in values.items():
        if c in SCALARS or not isinstance(value, np.ndarray) or value.dtype != np.float64 or c == "mask":
            continue
        uneven = np.cos(np.arange(value.size)).reshape(value.shape)  # a function that is scaled by its own spread is blind to one common factor
        slopes = [(bound.weights({**values, c: value * (1 + step * uneven)}, even, scene) - base) / step for step in (COARSE, FINE)]
        size = abs(np.nan_to_num(slopes[0])).max()
        noise = 64 * 2.0**-53 / FINE * max(abs(np.nan_to_num(base)).max(), SMALL)  # rounding of float64, divided by the fine step
        if size > 100 * noise and abs(np.nan_to_num(slopes[1] - slopes[0])).max() > AGREE * size:
            return False
    return True
