"""A theorem about an update as a value: what it assumes, which constants it needs, and the bound that follows, all computed on the instance."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.dynamics.expected import expected_run
from pgtheory.tabular.dynamics.running import Run, Watch, run
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.dynamics.stochastic import GradientLaw
from pgtheory.tabular.dynamics.updates import State, Update
from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.rates.certificate import Certificate, Side, against

Constants = Mapping[str, Float[np.ndarray, "N"]]


@dataclass(frozen=True, eq=False, kw_only=True)
class Setting:
    """What is run: the problems, the update on an oracle, and the first point; with a law of the gradients, along all sample paths.

    Attributes:
        law: of the gradient that the update sees; None: it is exact. With a law every number of the run is an expectation.
    """

    stack: Stack
    oracle: Any
    update: Update
    theta: np.ndarray
    law: GradientLaw | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class Theorem:
    """A statement about the runs of an update.

    Attributes:
        id: T and a number.
        name: the word for it on the command line.
        statement: the sentence, with its formula.
        source: where it is from; "re-derived" with the place of the derivation where the constants are this library's.
        setting: the update, oracle and first point that it is about, on given problems.
        assumptions: what is assumed of the problems and the run -> whether it is so, (N,).
        constants: the numbers in the bound, from the setting and the run.
        bound: the bound at each recorded step, (T, N), from the run and the constants.
        quantity: what is bounded, (T, N); default the gap.
        of: the quantity in words.
        watch: what the run must record beyond the usual, as a function of the setting.
        side: upper, lower, or equal for an identity.
        first: first step that the statement is about.
        rescaled: the theorem for the same update with a step c times as long, where it has one for every step.
        a_posteriori: whether a constant is an infimum or supremum over the run, so that the bound is known only afterwards.
    """

    id: str
    name: str
    statement: str
    source: str
    setting: Callable[[Stack], Setting]
    assumptions: Mapping[str, Callable[[Setting, Run], Any]]
    constants: Callable[[Setting, Run], Constants]
    bound: Callable[[Run, Constants], Float[np.ndarray, "T N"]]
    quantity: Callable[[Run], Any] = field(default=lambda run: run.gap)
    of: str = "gap"
    watch: Callable[[Setting], Mapping[str, Watch]] = field(default=lambda setting: {})
    side: Side = "upper"
    first: int = 1
    a_posteriori: bool = False
    rescaled: Callable[[float], "Theorem"] | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class Outcome:
    """A theorem on a run.

    Attributes:
        theorem, run: what was compared.
        assumptions: name -> whether it holds, (N,).
        constants: name -> number, (N,).
        quantity, bound: the two sides at the recorded steps from `theorem.first` on, (T, N).
        t: these steps.
        certificate: the comparison.
    """

    theorem: Theorem
    run: Run
    assumptions: Mapping[str, np.ndarray]
    constants: Constants
    quantity: Float[np.ndarray, "T N"]
    bound: Float[np.ndarray, "T N"]
    t: np.ndarray
    certificate: Certificate

    @property
    def applies(self) -> np.ndarray:
        """Whether every assumption holds, (N,)."""
        return np.logical_and.reduce([*self.assumptions.values(), np.ones(self.quantity.shape[1], dtype=bool)])


def hold(
    theorem: Theorem,
    stack: Stack,
    steps: int,
    *,
    update: Update | None = None,
    theta: np.ndarray | None = None,
    record: Any = "all",
    progress: Callable[[State], None] | None = None,
) -> Outcome:
    """Run the update of a theorem, or another one in its place, and hold the theorem's bound against it at every recorded step.

    Args:
        update, theta: the update and first point to run instead of those of the theorem; the oracle, and with it the objective, stays.
        record, progress: as for `run`; along sample paths every step is recorded. A posteriori constants are taken over the recorded steps.

    Cost: the run. Raises what `run` raises.

    Raises:
        InvalidArgument: fewer steps than the theorem's first.
    """
    if steps < theorem.first:
        raise InvalidArgument(f"steps is {steps}, but {theorem.name} speaks of steps from {theorem.first} on. Run more steps.")
    setting = theorem.setting(stack)
    setting = replace(setting, update=setting.update if update is None else update, theta=setting.theta if theta is None else theta)
    if setting.law is None:
        found = run(setting.update, setting.oracle, setting.theta, steps, record=record, watch=theorem.watch(setting), progress=progress)
    else:
        found = expected_run(setting.update, setting.oracle, setting.theta, steps, setting.law, watch=theorem.watch(setting))
    constants = theorem.constants(setting, found)
    # Numbers of size max |value| carry a few hundred roundings each: the solves of S = O(10) unknowns, and the sums over them.
    rounding = 512 * 2.0**-53 * float(abs(found.value).max())
    use = found.t >= theorem.first
    quantity, bound = theorem.quantity(found)[use], np.broadcast_to(theorem.bound(found, constants), (len(found.t), stack.N))[use]
    return Outcome(
        theorem=theorem,
        run=found,
        assumptions={name: np.broadcast_to(check(setting, found), (stack.N,)) for name, check in theorem.assumptions.items()},
        constants=constants,
        quantity=quantity,
        bound=bound,
        t=found.t[use],
        certificate=against(quantity, bound, found.t[use], side=theorem.side, rounding=rounding),
    )
