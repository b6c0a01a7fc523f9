"""The exact solution of a problem that is named by its id: what `pgtheory solve` prints."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from rich.console import Group
from rich.table import Table
from rich.text import Text

from pgtheory.tabular.errors import InvalidArgument, Multichain, NonTerminating
from pgtheory.tabular.models.mdp import MDP, as_mdp
from pgtheory.tabular.models.problems import problem as problem_named
from pgtheory.tabular.policies.direct import Direct
from pgtheory.tabular.solve.evaluation import Evaluation, evaluate
from pgtheory.tabular.solve.optimal import Optimal, optimal

SHOWN = 12
"""States that the text lists; --json has all, or with more than MANY states those of --all."""

MANY = 10_000
"""Number of states above which lists over the states are given only when asked for, and the uniform policy is left out."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Solution:
    """The optimal solution of a problem, and the uniform policy beside it.

    Attributes:
        problem: the id.
        mdp: the decision process behind it.
        optimal: value, policy, bounds.
        uniform: the uniform policy, or None where its return, or its average reward, does not exist.
        note: why it does not.
        criterion: "return" or "average".
    """

    problem: str
    mdp: MDP
    optimal: Optimal
    uniform: Evaluation | None
    note: str | None
    criterion: str = "return"

    @property
    def proven(self) -> bool:
        """Whether the bound is finite: actions as good as the best that run for ever leave it open."""
        return bool(np.isfinite(self.optimal.bound))

    def to_dict(self, *, every_state: bool = False) -> dict[str, Any]:
        """Everything as numbers, lists and strings; what is infinite is None (JSON has no infinity).

        Lists over more than MANY states are None unless `every_state`.
        """
        best, uniform = self.optimal, self.uniform
        listed = every_state or self.mdp.S <= MANY
        return {
            "problem": self.problem,
            "states": self.mdp.S,
            "actions": self.mdp.A,
            "criterion": self.criterion,
            "gamma": self.mdp.gamma,
            "horizon": self.mdp.horizon,
            "method": best.method,
            "steps": best.steps,
            "J": best.J,
            "bound": finite(best.bound),
            "gap": finite(best.gap),
            "V": finite(best.V) if listed else None,
            "policy": best.policy.tolist() if listed else None,
            "uniform": None if uniform is None else {"J": uniform.J, "bound": uniform.bound, "V": uniform.V.tolist() if listed else None},
            "note": self.note,
        }

    def as_rich(self) -> Group:
        """The answer first, then a table of the states."""
        best, mdp = self.optimal, self.mdp
        discounted = f"gamma {mdp.gamma:g}" + ("" if mdp.horizon is None else f", horizon {mdp.horizon}")
        criterion = "average reward" if self.criterion == "average" else discounted
        lines = [
            Text.assemble(
                ("SOLVED", "bold green") if self.proven else ("NOT PROVEN", "bold yellow"),
                f"  {self.problem}: {count(mdp.S, 'state')}, {count(mdp.A, 'action')}, {criterion}",
            ),
            line("gain*" if self.criterion == "average" else "J*", f"{best.J:.10g}   {proof(best)}"),
            line("uniform", self.note or "" if self.uniform is None else f"{self.uniform.J:.10g}   |error| <= {self.uniform.bound:.1e}"),
            line("method", f"{best.method}, {count(best.steps, 'step')}"),
            Text(),
        ]
        return Group(*lines, self._table())

    def _table(self) -> Table:
        best, uniform = self.optimal, self.uniform
        first = lambda values: values if self.mdp.horizon is None else values[0]
        V, policy = first(best.V), first(best.policy)
        hidden = self.mdp.S - SHOWN
        when = "" if self.mdp.horizon is None else "At the first of the steps. "
        more = f"{hidden} more states with --json{' --all' if self.mdp.S > MANY else ''}." if hidden > 0 else ""
        table = Table(box=None, pad_edge=False, caption=(when + more).strip() or None, caption_justify="left", caption_style="")
        for name in ("state", "bias", "best action", "bias uniform") if self.criterion == "average" else ("state", "V*", "best action", "V uniform"):
            table.add_column(name, justify="right")
        for s in range(min(SHOWN, len(V))):
            exists = bool(np.isfinite(V[s]))
            beside = f"{first(uniform.V)[s]:.6g}" if uniform is not None and uniform.ends[s] else "-"
            table.add_row(str(s), f"{V[s]:.6g}" if exists else "-", str(policy[s]) if exists else "-", beside)
        return table


def solve_problem(
    problem: str, *, gamma: float | None = None, method: str | None = None, tolerance: float | None = None, criterion: str = "return"
) -> Solution:
    """Solve a named problem, a `.npz`/`.json` file or a Gymnasium id, with another discount if `gamma` is given; or for its average reward.

    `method` and `tolerance` are those of `optimal`. The uniform policy is evaluated up to MANY states.

    Raises:
        UnknownProblem, MissingFile, MissingExtra: there is nothing of that name.
        InvalidArgument: gamma outside [0, 1], an unknown method or criterion, a parameter of the id; the average reward of a model that ends.
        NonTerminating: gamma is 1 and no policy ends, or the best return is infinite.
        Multichain: the best average reward may depend on the start.
        NotConverged: the tolerance cannot be proven.

    >>> solve_problem("chain/3").optimal.J.__round__(12)
    0.81
    """
    mdp = as_mdp(problem_named(problem))
    if gamma is not None and criterion == "average":
        raise InvalidArgument(f"gamma is {gamma}, but the average reward has no discount. Leave one of the two out.")
    if gamma is not None:
        mdp = replace(mdp, gamma=gamma)
    best = optimal(mdp, method=method, tolerance=tolerance, criterion=criterion)
    if mdp.S > MANY:
        note = f"not evaluated above {MANY} states"
        return Solution(problem=problem, mdp=mdp, optimal=best, uniform=None, note=note, criterion=criterion)
    try:
        uniform, note = evaluate(mdp, Direct(np.full((mdp.S, mdp.A), 1 / mdp.A)), criterion=criterion), None
    except (NonTerminating, Multichain) as reason:
        uniform, note = None, str(reason)
    return Solution(problem=problem, mdp=mdp, optimal=best, uniform=uniform, note=note, criterion=criterion)


def proof(best: Optimal) -> str:
    """The certificate in words."""
    if not np.isfinite(best.bound):
        return "(not proven: actions that are as good as the best run for ever, so rounding decides)"
    return f"|error| <= {best.bound:.1e}, policy within {best.gap:.1e} of the optimum, both proven"


def line(label: str, text: str) -> Text:
    """One line of the answer."""
    return Text.assemble((f"  {label:<9} ", "bold"), text)


def count(n: int, what: str) -> str:
    """`1 state`, `2 states`."""
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def finite(x: Any) -> Any:
    """A number or nested lists, None in the place of an infinity."""
    array = np.asarray(x, dtype=object)
    array[~np.isfinite(np.asarray(x, dtype=float))] = None
    return array.tolist()
