"""Assertions about estimators for any test runner: plain functions that raise AssertionError with the verdict as its text.

    from pgtheory.testing import assert_rate, assert_unbiased, assert_variance

    def test_loss():
        assert_unbiased(loss)
        assert_variance(loss, at_most=1.0, relative_to="leave-one-out")

    def test_update():
        assert_rate(step, theorem="natural", problem="sparse-garnet/S=10,gamma=0.9", steps=500)

Undecided is a failure: only an exact examination acquits. What was found is kept in `RECORDED`, from which the pytest plugin makes its report.
"""

from dataclasses import dataclass
from inspect import signature
from typing import Any, Literal, NoReturn

import numpy as np

from pgtheory.checking import check
from pgtheory.comparing import Comparison, compare
from pgtheory.rating import Rating
from pgtheory.rating import rate as rated
from pgtheory.tabular.arrays import require_between
from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.objectives.objective import Objective
from pgtheory.tabular.rates.theorem import Theorem
from pgtheory.tabular.spelling import did_you_mean
from pgtheory.verdict import Verdict

COMPARED = ("problem", "group", "kind", "settings", "convention", "advantage", "time_limit")
"""Options of `assert_same_law`."""

RATES = ("power", "linear", "superlinear")
"""Kinds of rates that `assert_rate` asserts."""

LAWS = {True: "SAME LAW", False: "DIFFERENT LAWS", None: "UNDECIDED"}


@dataclass(frozen=True, eq=False, kw_only=True)
class Record:
    """What one assertion found.

    Attributes:
        assertion: name of the function.
        passed: whether it passed.
        found: the verdict or the comparison.
    """

    assertion: str
    passed: bool
    found: Verdict | Comparison | Rating

    @property
    def name(self) -> str:
        """Of what was examined."""
        return " and ".join(self.found.names) if isinstance(self.found, Comparison) else self.found.name

    @property
    def headline(self) -> str:
        """The answer in capitals."""
        return LAWS[self.found.same] if isinstance(self.found, Comparison) else self.found.headline

    @property
    def worlds(self) -> tuple[str, ...]:
        """Ids of the worlds, or of the problem, on which it was examined."""
        if isinstance(self.found, Rating):
            return (self.found.problem,)
        return tuple(world["id" if isinstance(self.found, Verdict) else "world"] for world in self.found.worlds)

    def to_dict(self) -> dict[str, Any]:
        """In types that JSON knows."""
        return {
            "assertion": self.assertion, "passed": self.passed, "name": self.name, "headline": self.headline,
            "worlds": list(self.worlds), "found": self.found.to_dict(),
        }  # fmt: skip


RECORDED: list[Record] = []
"""What the assertions of this process found, in their order."""


def assert_unbiased(target: object, *, of: str | Objective = "J", up_to_scale: bool = False, **options: Any) -> None:
    """E[g] = c grad `of` exactly on every world, with c a convention (a product of powers of the counts B, P, G); any c > 0 with `up_to_scale`.

    Args:
        target, options: as for `check`.
        of: the objective.
        up_to_scale: accept a constant that is no convention.

    Raises:
        AssertionError: it is not, or it is undecided; the text is the verdict.
        PgtheoryError: as `check`.
    """
    __tracebackhide__ = True
    verdict = check(target, objective=of, up_to_scale=up_to_scale, **options)
    _conclude("assert_unbiased", verdict, passed=verdict.exit_code == 0)


def assert_objective(target: object, objective: str | Objective, **options: Any) -> None:
    """E[g] = c grad objective exactly on every world: the target ascends this objective and no other.

    Args:
        target, options: as for `check`.
        objective: an objective or its name ("pass@4").

    Raises:
        AssertionError: it does not, or it is undecided; the text is the verdict.
        PgtheoryError: as `check`.
    """
    __tracebackhide__ = True
    verdict = check(target, objective=objective, **options)
    _conclude("assert_objective", verdict, passed=verdict.exit_code == 0)


def assert_variance(
    target: object,
    *,
    at_most: float | None = None,
    equals: float | None = None,
    relative_to: str | None = "leave-one-out",
    at: Literal["matched scale", "as is"] = "matched scale",
    tolerance: float = 1e-9,
    **options: Any,
) -> None:
    """Total variance v = tr Cov(g) on the deciding world of the verdict at its first point, against a number.

    At matched scale v is tr Cov(g) / c^2 with c the constant in E[g] = c grad J (of a biased g, the best one). Relative to a reference with total
    variance v0 the number is v / v0. The test is v / v0 <= at_most (1 + tolerance), or |v / v0 - equals| <= tolerance max(equals, 1).

    Args:
        target, options: as for `check`.
        at_most, equals: the number; exactly one of them.
        relative_to: "leave-one-out" (completions), "reward-to-go", "value baseline" (trajectories), "optimal baseline" (both); None: the variance itself.
        at: "matched scale" or "as is".
        tolerance: relative tolerance for rounding.

    Raises:
        AssertionError: the variance is another, or is not known exactly; the text is the reason and the verdict.
        InvalidArgument: an argument is not understood, or the world has no such reference.
        PgtheoryError: as `check`.
    """
    __tracebackhide__ = True
    if (at_most is None) == (equals is None):
        raise InvalidArgument("give either at_most or equals: the number against which the variance is held.")
    if at not in ("matched scale", "as is"):
        raise InvalidArgument(f"at is {at!r}. It is 'matched scale' (g / c is compared) or 'as is'.")
    require_between("tolerance", tolerance, 0, 1)
    verdict = check(target, **options)
    price = verdict.variance
    if price is None:
        why = "the examination was not exact" if not verdict.exact else "E[g] is zero"
        _refuse("assert_variance", verdict, f"undecided: {why}, and no variance is known")
    variance = price["matched" if at == "matched scale" else "total"]
    if variance is None:
        _refuse("assert_variance", verdict, "undecided: E[g] and the gradient form so large an angle that there is no matched scale. Use at='as is'")
    if relative_to is not None:
        references = [name for name in ("leave-one-out", "reward-to-go", "value baseline", "optimal baseline") if name in price]
        if relative_to not in references:
            has = f"It has {', '.join(references)}" if references else "It has none"
            raise InvalidArgument(f"{price['world']} has no reference {relative_to!r}. {has}; relative_to=None is the variance itself.")
        variance /= price[relative_to]
    what = f"total variance {'at ' if at == 'matched scale' else ''}{at}" + (f" relative to {relative_to}" if relative_to else "")
    if at_most is not None:
        passed, wanted = variance <= at_most * (1 + tolerance), f"at most {at_most:.9g}"
    else:
        assert equals is not None
        passed, wanted = abs(variance - equals) <= tolerance * max(abs(equals), 1), f"{equals:.9g}"
    _conclude("assert_variance", verdict, passed=bool(passed), reason=f"{what} is {variance:.9g}, expected {wanted}, on {price['world']}")


def assert_same_law(first: object, second: object, **options: Any) -> None:
    """The gradients of two targets have the same law on every world: equal on every data set (up to the order of its rows), else equally distributed.

    Args:
        first, second: as for `check`.
        options: problem, group, kind, settings, convention, advantage, time_limit: as for `check`, for both.

    Raises:
        AssertionError: the laws differ, or only mean and covariance were found equal, which is undecided; the text says which.
        InvalidArgument: an option is unknown, or the two never see the same data.
        PgtheoryError: as `check`.
    """
    __tracebackhide__ = True
    unknown = sorted(set(options) - set(COMPARED))
    if unknown:
        raise InvalidArgument(f"assert_same_law has no option {unknown[0]!r}. Options are: {', '.join(COMPARED)}.")
    found = compare(first, second, **options)
    reason = "equal moments alone are undecided" if found.same is None else ""
    _conclude("assert_same_law", found, passed=found.same is True, reason=reason)


def assert_rate(
    update: object,
    *,
    theorem: str | Theorem | None = None,
    rate: Literal["power", "linear", "superlinear"] | None = None,
    exponent: float | None = None,
    factor: float | None = None,
    within: float = 0.05,
    **options: Any,
) -> None:
    """The bound of a theorem holds at every step of the run, or the gaps show a rate.

    Args:
        update, options: as for `pgtheory.rating.rate` (problem, steps, gamma, theta).
        theorem: name, id or value; its assumptions must hold too.
        rate: what `identify` must find: a power of t, a linear or a superlinear rate.
        exponent: p of gap = C / t^p, up to `within`.
        factor: rho of gap = C rho^t; log rho up to the relative error `within`.

    Raises:
        AssertionError: the bound is violated, an assumption fails, or the rate is another one; the text is the rating.
        InvalidArgument: neither a theorem nor a rate is asked for, an unknown rate or option, or a number of another kind of rate or out of range.
        PgtheoryError: as `rate`.
    """
    __tracebackhide__ = True
    if theorem is None and rate is None:
        raise InvalidArgument('assert_rate needs theorem="natural" or rate="power", exponent=1: without one of them nothing is asserted.')
    if rate is not None and rate not in RATES:
        raise InvalidArgument(f"rate is {rate!r}. It is one of {', '.join(RATES)}.{did_you_mean(rate, RATES)}")
    known = [name for name, p in signature(rated).parameters.items() if p.kind is p.KEYWORD_ONLY and name != "theorem"]
    for name in options:
        if name not in known:
            raise InvalidArgument(f"assert_rate has no option {name!r}.{did_you_mean(name, known)} Options are: {', '.join(known)}.")
    require_between("within", within, 0, 1)
    if (exponent is not None and rate != "power") or (factor is not None and rate != "linear"):
        raise InvalidArgument(f"rate is {rate!r}; exponent belongs to rate='power' and factor to rate='linear'.")
    if factor is not None and not 0 < factor < 1:
        raise InvalidArgument(f"factor is {factor}; rho of gap = C rho^t lies between 0 and 1.")
    found = rated(update, theorem=theorem, **options)
    shown, reason = found.rate, ""
    if rate is not None and shown.kind != rate:
        reason = f"the rate is not {rate}: it is {shown.kind}"
    elif exponent is not None and not abs(shown.exponent[0] - exponent) <= within:
        reason = f"the exponent is {shown.exponent[0]:.4g}, not {exponent:g} up to {within:g}"
    elif factor is not None and not abs(np.log(shown.factor[0]) / np.log(factor) - 1) <= within:
        reason = f"the factor is {shown.factor[0]:.6g}, not {factor:g}; log factor up to {within:g}"
    _conclude("assert_rate", found, passed=found.exit_code == 0 and not reason, reason=reason)


def _conclude(assertion: str, found: Verdict | Comparison | Rating, *, passed: bool, reason: str = "") -> None:
    """Record what was found, and raise unless it passed."""
    __tracebackhide__ = True
    if not passed:
        _refuse(assertion, found, reason)
    RECORDED.append(Record(assertion=assertion, passed=True, found=found))


def _refuse(assertion: str, found: Verdict | Comparison | Rating, reason: str) -> NoReturn:
    """Record what was found and raise."""
    __tracebackhide__ = True
    record = Record(assertion=assertion, passed=False, found=found)
    RECORDED.append(record)
    text = f"{record.headline}  {found.text}" if isinstance(found, Comparison) else str(found)
    raise AssertionError("\n".join(filter(None, (reason, text))))
