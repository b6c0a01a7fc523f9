"""The smallest member of a family of problems on which a stated bound fails at a stated step."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.models.problems import problem
from pgtheory.tabular.rates.theorem import Theorem, hold


@dataclass(frozen=True, kw_only=True)
class Violation:
    """A member on which the bound fails: the quantity at step t, beside the bound."""

    size: int
    t: int
    quantity: float
    bound: float


def smallest_violation(theorem: Theorem, family: str | Callable[[int], object], sizes: Iterable[int], t: int) -> Violation | None:
    """Run the theorem's update for t steps on the members of the family, in the order of `sizes`, until its bound fails at step t.

    A conjecture is tested by a theorem with another bound: `dataclasses.replace(SOFTMAX, bound=lambda run, k: ...)`. Its assumptions are not asked for.

    Args:
        family: name of a problem with one number (`lock`: `lock/1`, `lock/2`, ...), or a function of the size that makes the model.
        sizes: which members, smallest first.

    Returns:
        The first member that violates; None if all obey.
    """
    make = (lambda size: problem(f"{family}/{size}")) if isinstance(family, str) else family
    for size in sizes:
        found = hold(theorem, Stack.of([make(size)]), t, record=[t])
        if not found.certificate.holds[0]:
            return Violation(size=size, t=t, quantity=float(found.quantity[-1, 0]), bound=float(found.bound[-1, 0]))
    return None
