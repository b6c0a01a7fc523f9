"""The objectives that make sense on a scene, and objectives by name."""

import re
from fractions import Fraction

import numpy as np

from pgtheory.tabular.arrays import require_count
from pgtheory.tabular.errors import InvalidArgument, PgtheoryError
from pgtheory.tabular.objectives.average import AverageReward
from pgtheory.tabular.objectives.combine import Combination
from pgtheory.tabular.objectives.functionals import InverseLength, ReturnPerLength, paths_of
from pgtheory.tabular.objectives.maximum import MaxOfK
from pgtheory.tabular.objectives.objective import Objective
from pgtheory.tabular.objectives.regularisers import Entropy, ForwardKL, ReverseKL
from pgtheory.tabular.objectives.returns import Length, Return, ReturnAt
from pgtheory.tabular.objectives.success import ArcsinSqrt, LogLikelihood, PassAtK, TruncatedLogLikelihood
from pgtheory.tabular.scene import Scene
from pgtheory.tabular.spelling import did_you_mean

LARGEST_K = 4
"""k of pass@k and of the best of k goes so far where no group size bounds it."""

COEFFICIENT = r"\d+(?:/0*[1-9]\d*|(?:\.\d+)?(?:e[+-]?\d+)?)"
"""A number as `Combination.name` writes it, or a fraction: 2, 0.1, 1e-05, 1/3."""


def catalogue(scene: Scene, *, group: int | None = None) -> list[Objective]:
    """The objectives that are defined on the scene, the plainest first. `group` bounds k of pass@k and of the best of k, and the order of the
    truncated log-likelihood.

    Left out is what the library refuses there (no reference policy, rewards that are not 0 and 1, episodes that never end, too many trajectories) and what is
    constant because all trajectories have one length. Objectives that are equal on the problem, as pass@k and the best of k with rewards 0 and 1, both
    appear. Cost: one gradient of each.
    """
    largest = LARGEST_K if group is None else require_count("group", group)
    return [objective for objective in candidates(largest, scene.mdp.gamma) if _defined(objective, scene)]


def candidates(largest: int, gamma: float) -> list[Objective]:
    """Every built-in objective, whether it is defined on a problem or not."""
    return [
        Return(),
        *([ReturnAt(gamma=1.0)] if gamma < 1 else []),
        *(PassAtK(k) for k in range(2, largest + 1)),
        *(TruncatedLogLikelihood(n) for n in range(2, largest + 1)),
        LogLikelihood(),
        ArcsinSqrt(),
        *(MaxOfK(k) for k in range(2, largest + 1)),
        *(kind(level=level) for level in ("sequence", "state") for kind in (Entropy, ReverseKL, ForwardKL)),
        ReturnPerLength(),
        Length(),
        InverseLength(),
        AverageReward(),
    ]


def objective_named(name: str, scene: Scene) -> Objective:
    """The objective with this name, or a sum of objectives as verdicts print it: "J - 1/10 reverse KL + 0.3 entropy", "- reverse KL".

    Raises:
        InvalidArgument: a name is unknown; the text lists what there is on this scene.
    """
    pieces = re.split(r"(?:^|\s)([+-])\s", name.strip())
    signed = list(zip(["+", *pieces[1::2]], pieces[::2], strict=True))
    terms = [_term(sign, part.strip(), scene) for sign, part in (signed[1:] if len(signed) > 1 and not pieces[0].strip() else signed)]
    return terms[0][1] if len(terms) == 1 and terms[0][0] == 1 else Combination(tuple(terms))


def _term(sign: str, part: str, scene: Scene) -> tuple[float, Objective]:
    """A coefficient and an objective; "2 arcsin sqrt p" is a name, "3 2 arcsin sqrt p" three times it."""
    scaled = None if part.casefold() == ArcsinSqrt().name else re.fullmatch(rf"({COEFFICIENT}) (.+)", part)
    factor = float(Fraction(scaled[1])) if scaled else 1.0
    return factor if sign == "+" else -factor, single_objective(scaled[2] if scaled else part, scene)


def single_objective(name: str, scene: Scene) -> Objective:
    """The objective with this name: J, pass@4, E[max of 3], log p, entropy, reverse KL, E[R/L], "return at gamma = 0.5", ...

    Whether it is defined on the scene shows when it is used: the error then names the reason.

    Raises:
        InvalidArgument: there is none; the text lists what there is on this scene.
    """
    key = name.strip().casefold()
    start, number = key.rstrip("0123456789])."), "".join(c for c in key if c.isdigit())
    for starts, kind in (
        (("pass@",), PassAtK),
        (("e[max of ", "max@", "max-of-"), MaxOfK),
        (("truncated log-likelihood of order ",), TruncatedLogLikelihood),
    ):
        if number and start in starts:
            return kind(int(number))
    if key.startswith("return at gamma"):
        try:
            return ReturnAt(gamma=float(key.partition("=")[2]))
        except ValueError:
            raise InvalidArgument(f'{name!r} names no discount. Write, for example, "return at gamma = 0.5".') from None
    known = {o.name.casefold(): o for o in (*candidates(LARGEST_K, scene.mdp.gamma), ReturnAt(gamma=1.0))}
    if key not in known:
        hint = did_you_mean(key, [o.name for o in known.values()])
        raise InvalidArgument(f"no objective is called {name!r}.{hint} On this problem there are: {', '.join(o.name for o in catalogue(scene))}.")
    return known[key]


def _defined(objective: Objective, scene: Scene) -> bool:
    try:
        if isinstance(objective, Length | InverseLength | ReturnPerLength) and np.ptp(paths_of(scene.mdp).length) == 0:
            return False
        return bool(np.isfinite(objective.gradient(scene)).all())
    except PgtheoryError:
        return False
