"""The classes of a verdict, in their order of precedence."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from pgtheory.judging.examination import Examination
from pgtheory.judging.scale import Scale, scale_of


class Kind(StrEnum):
    """What an estimator turned out to be."""

    UNDECIDED = "undecided"
    VACUOUS = "vacuous"
    UNBIASED = "unbiased"
    SCALED = "scaled"
    OBJECTIVE = "objective"
    PRECONDITIONED = "preconditioned"
    BIASED = "biased"


HEADLINES = {
    Kind.UNDECIDED: "UNDECIDED",
    Kind.VACUOUS: "VACUOUS",
    Kind.UNBIASED: "UNBIASED",
    Kind.SCALED: "UNBIASED UP TO A CONSTANT",
    Kind.OBJECTIVE: "GRADIENT OF ANOTHER OBJECTIVE",
    Kind.PRECONDITIONED: "PRECONDITIONED GRADIENT",
    Kind.BIASED: "BIASED",
}


@dataclass(frozen=True, kw_only=True)
class Class:
    """First class of a set of examinations: everything that needs no catalogue.

    Attributes:
        kind: the class; BIASED stands for `none of the earlier ones`.
        scale: the constant, where E[g] is proportional to the target on every world.
        failing: the examinations that are not proportional.
    """

    kind: Kind
    scale: Scale | None
    failing: tuple[Examination, ...]


def classify(examinations: Sequence[Examination]) -> Class:
    """Undecided, vacuous, unbiased, unbiased up to a constant, or not proportional to the target.

    Without exact laws a difference above the confidence region refutes; no difference leaves the question undecided. The same holds for float32.
    """
    informative = [e for e in examinations if e.informative]
    failing = tuple(e for e in informative if not e.proportional) + tuple(e for e in examinations if not e.informative and not e.zero)
    undefined = any(e.undefined > 0 for e in examinations)
    if undefined and all(e.zero for e in examinations):
        return Class(kind=Kind.BIASED, scale=None, failing=tuple(examinations))
    if not informative and not failing:
        return Class(kind=Kind.UNDECIDED, scale=None, failing=())
    if all(e.zero for e in examinations) and all(e.exact for e in examinations) and not undefined:
        return Class(kind=Kind.VACUOUS, scale=None, failing=tuple(informative))
    if failing or not informative:
        return Class(kind=Kind.BIASED, scale=None, failing=failing)
    if not all(e.exact and not e.single for e in examinations):
        return Class(kind=Kind.UNDECIDED, scale=None, failing=())
    scale = scale_of(informative)
    if min(scale.values) <= 0 or undefined:
        return Class(kind=Kind.BIASED, scale=scale, failing=tuple(informative))
    return Class(kind=Kind.UNBIASED if scale.convention else Kind.SCALED, scale=scale, failing=())


def positive(examinations: Sequence[Examination]) -> bool:
    """Whether <E g, grad J> > 0 at every point tried where both differ from zero."""
    found = np.concatenate([e.cosines for e in examinations])
    found = found[np.isfinite(found)]
    return bool(len(found)) and bool((found > 1e-9).all())


def rescaled_states(examinations: Sequence[Examination], failing: Sequence[Examination]) -> bool:
    """Whether E[g] = M grad J with M diagonal, one positive number a state (tables only): the states are reweighted, each decision is right.

    With two actions a state has one effective coordinate and any two gradients are proportional there: among the worlds on which E[g] is not the target
    one with three actions is asked for.
    """
    if all(e.world.scene().mdp.A < 3 for e in failing):
        return False
    for e in examinations:
        for found, target, scene in zip(e.means, e.targets, e.world.scenes, strict=True):
            S, A = scene.policy().probabilities.shape
            if found.size != S * A:
                return False
            m, t = found.reshape(S, A), target.reshape(S, A)
            size = (t * t).sum(axis=1)
            c = np.where(size > e.tolerance**2, (m * t).sum(axis=1) / np.where(size > 0, size, 1), 0)
            if (abs(m - c[:, None] * t) > 10 * e.tolerance * (1 + abs(c[:, None]))).any() or (c[size > 1e4 * e.tolerance**2] <= 0).any():
                return False
    return True


def natural(examinations: Sequence[Examination]) -> bool:
    """Whether E[g] = c F^+ grad J with F the Fisher information of the current policy under its own occupancy (Kakade 2001)."""
    from pgtheory.tabular.policies.policy import fisher
    from pgtheory.tabular.solve.evaluation import evaluate

    if max(np.linalg.matrix_rank(e.targets) for e in examinations) < 2:
        return False  # in one dimension, or at one point, every positive multiple fits
    for e in examinations:
        for found, target, scene in zip(e.means, e.targets, e.world.scenes, strict=True):
            d = evaluate(scene.mdp, scene.policy()).occupancy
            F = fisher(scene.policy(), d.sum(axis=0) if d.ndim == 2 else d)
            step = np.linalg.pinv(F, rcond=1e-10, hermitian=True) @ target
            size = step @ step
            if size == 0:
                continue
            c = found @ step / size
            if c <= 0 or abs(found - c * step).max() > 1e-8 * abs(found).max():  # the pseudo-inverse loses the condition of F, up to 1e6 here
                return False
    return True
