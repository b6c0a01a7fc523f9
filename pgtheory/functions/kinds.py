"""What a function is, from what it returns on one data set: a loss, an advantage function, weights of scores, or a gradient."""

from collections.abc import Mapping
from typing import Any

from pgtheory.functions.bound import Bound
from pgtheory.functions.quantities import SCALARS
from pgtheory.tabular.data import Data
from pgtheory.tabular.errors import BindingError, UserFunctionError
from pgtheory.tabular.scene import Scene

HINTS = {"advantage": ("adv", "gae"), "gradient": ("weight", "grad", "coef", "estimat", "reinforce", "pg")}
"""Parts of a function's name that tell an advantage from weights of the score, where gamma < 1 makes them differ by gamma^t."""


class WrongResult(UserFunctionError):
    """The function ran and returned something of the wrong kind: more telling than a rank with which it does not run."""


def recognised(bound: Bound, values: Mapping[str, Any], data: Data, scene: Scene, kind: str | None) -> tuple[str, str]:
    """(kind, form) from what the function returns on the first data set of `values`.

    Raises:
        UserFunctionError: it raises, or nothing of the right kind comes back.
        BindingError: the result can be read in two ways.
    """
    one = {c: v if c in SCALARS else v[0] for c, v in values.items()}
    leaves = {c: one.pop(c) for c in bound.leaves}
    shape, met = bound.adapter.peek(bound.call, leaves, one)
    depends = bool(met)
    hints = hinted(bound.name)
    if shape is None:
        raise WrongResult(
            f"{bound.name} returned something that is no array of numbers. Return the loss, or advantages (B,) or weights (B, T). Is a return missing?"
        )
    scalar = shape in ((), (1,))
    if kind == "loss" and not leaves:
        raise BindingError(
            f"{bound.name} is given none of logprobs, logits, probs, entropy: a loss is differentiated at one of them. {_listing(bound)}"
        )
    if kind in (None, "loss") and leaves and scalar and met is not None and not depends:
        raise WrongResult(
            f"{bound.name} returned a number, not a scalar loss that depends on the log-probabilities: no gradient flows to them. Look for detach(), .item(), "
            "no_grad() or a copy through numpy."
        )
    if kind in (None, "loss") and leaves and scalar:
        if met is None:
            raise WrongResult(
                f"{bound.name} returns a plain number, which has no derivative. Return the tensor itself, without .item() or float(); write a loss in torch or JAX."
            )
        bound.logged = frozenset({"entropy"}) - met if "logprobs" in met else bound.logged
        form = "whole" if bound.leaves == ("theta",) else "local" if bound.leaves == ("logprobs",) else "table"
        return "loss", form
    if kind == "loss" or (kind is None and depends and hints != ["advantage"]):
        raise WrongResult(
            f"{bound.name} returned shape {shape}, not a scalar{' but it depends on the log-probabilities' if depends else ''}. "
            "Reduce a loss, for instance with .mean(); if these are advantages, say --as advantage (they are detached)."
        )
    return _array_kind(bound, shape, data, scene, kind)


def _array_kind(bound: Bound, shape: tuple[int, ...], data: Data, scene: Scene, kind: str | None) -> tuple[str, str]:
    (_, B, T), theta = data.shape, scene.policy().theta
    rows, steps = shape in ((B,), (B, 1)), shape == (B, T)
    whole = shape in (theta.shape, (theta.size,))
    if whole and (rows or steps) and kind in (None, "gradient"):
        raise BindingError(
            f"{bound.name} returned shape {shape}, which is both one number {'a row' if rows else 'a step'} and one a parameter of theta. "
            "Return a gradient as (D,) and weights as (B, T), on a problem where D differs from B."
        )
    if whole and kind in (None, "gradient"):
        return "gradient", "whole"
    if rows:
        return kind or "advantage", "local"
    if steps:
        return kind or reading(bound, scene), "local"
    what = "a single number" if shape in ((), (1,)) else f"shape {shape}"
    raise WrongResult(
        f"{bound.name} returned {what}, not a scalar loss that depends on the log-probabilities, nor advantages (B,) or weights (B, T) "
        f"with (B, T) = {(B, T)}, nor a gradient of {theta.size} numbers. "
        + (
            "Give it logprobs and write it in torch or JAX, or return weights (B, T)."
            if shape in ((), (1,))
            else "Reduce a loss with .mean() or .sum()."
        )
    )


def reading(bound: Bound, scene: Scene) -> str:
    """ "advantage" or "gradient" for an array (B, T): the same thing at gamma = 1, else the function's name decides.

    Raises:
        BindingError: it does not.
    """
    hits = hinted(bound.name)
    if len(hits) == 1:
        return hits[0]
    if scene.mdp.gamma == 1 or bound.setting == "tokens" or "gamma" not in bound.uses:
        return "advantage"
    raise BindingError(
        f"{bound.name} returns an array (B, T), which can be read in two ways where gamma < 1: as advantages A_t, completed to the mean over rows of "
        "sum_t gamma^t A_t score_t (--as advantage), or as the weights of the scores themselves, sum_t w_t score_t (--as gradient). Say which."
    )


def hinted(name: str) -> list[str]:
    """The kinds that a function's name hints at."""
    return [k for k, words in HINTS.items() if any(word in name.lower() for word in words)]


def _listing(bound: Bound) -> str:
    return f"It is given: {', '.join(sorted(bound.uses)) or 'nothing'}."
