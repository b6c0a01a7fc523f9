"""Laws by dynamic programming: growth in S, A and T against the stated cost, and the textbook recursion beside them in the same run."""

import gc
import math
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from pgtheory.tabular.estimators.gae import GAE
from pgtheory.tabular.estimators.groups import LeaveOneOut
from pgtheory.tabular.estimators.policy_gradient import PolicyGradient
from pgtheory.tabular.estimators.reinforce import WholeReturn
from pgtheory.tabular.laws.law import law
from pgtheory.tabular.models.large import sparse_garnet
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.episodes import OnPolicy
from pgtheory.tabular.sampling.groups import Groups
from pgtheory.tabular.scene import Scene
from tests.benchmarks import results
from tests.benchmarks.recursion import Recursion

PART = "laws"
LAMBDA, BRANCHES = 0.95, 5
GAE_STEP, WHOLE, LEFT_OUT = (PolicyGradient(advantage=x) for x in (GAE(lambda_=LAMBDA), WholeReturn(), LeaveOneOut()))


def scene_of(S, A=4, *, horizon=None, stopping=False, undiscounted=False):
    """A garnet, a random policy and a random critic. `horizon` is the model's own."""
    model = sparse_garnet(S, A, BRANCHES)
    if stopping:
        from pgtheory.tabular.models.stopping import with_stopping

        model = with_stopping(model).model
    if horizon is not None:
        model = replace(model, horizon=horizon)
    if undiscounted:
        model = replace(model, gamma=1.0)
    rng = np.random.default_rng(2)
    return Scene.of(model, Softmax(rng.normal(size=(S, A))), critic=rng.normal(size=S))


def dynamic(estimator, sampling, scene):
    return law(estimator, sampling, scene, method="dynamic-programming")


def direction(scene):
    return np.random.default_rng(3).normal(size=(1, scene.mdp.S * scene.mdp.A))


def along(S, A, T):
    """T = 0: no horizon."""
    from pgtheory.tabular.variance.along import variance_along

    scene = scene_of(S, A)
    return lambda: variance_along(GAE_STEP, OnPolicy(1, horizon=T or None), scene, direction(scene))


def parameters(S, A, T):
    from pgtheory.tabular.variance.along import total_variance

    scene = scene_of(S, A)
    return lambda: total_variance(GAE_STEP, OnPolicy(1, horizon=T), scene)


def probes(S, A, T):
    from pgtheory.tabular.variance.along import probed_variance

    scene = scene_of(S, A)
    return lambda: probed_variance(GAE_STEP, OnPolicy(1, horizon=T), scene, probes=16, rng=np.random.default_rng(4))


def finite(estimator):
    def prepare(S, A, T):
        scene = scene_of(S, A)
        return lambda: dynamic(estimator, OnPolicy(1, horizon=T), scene)

    return prepare


def stationary(S, A, T):
    scene = scene_of(S, A)
    return lambda: dynamic(GAE_STEP, OnPolicy(1), scene)


def until_the_end(S, A, T):
    scene = scene_of(S, A, stopping=True)
    return lambda: dynamic(WHOLE, OnPolicy(1), scene)


def groups(S, A, T):
    """Four prompts. T = 0: until the end."""
    scene = scene_of(S, A, horizon=T or None, stopping=not T, undiscounted=True)
    scene = replace(scene, model=replace(scene.mdp, mu=np.repeat([0.25, 0.0], [4, S - 4])))
    return lambda: dynamic(LEFT_OUT, Groups(4, prompts=1), scene)


@dataclass(frozen=True)
class Subject:
    """A law: `prepare(S, A, T)` gives the call that is timed; axis -> (values, least and largest stated exponent), the other axes stay at `base`."""

    name: str
    prepare: object
    axes: dict
    base: tuple[int, int, int]


FULL = {"S": ((200, 400, 800), (2, 2)), "A": ((4, 8, 16), (2, 2)), "T": ((100, 200, 400), (1, 1))}
NO_END = {"S": ((200, 400, 800), (2, 3)), "A": ((4, 8, 16), (1, 2))}
ONE = {"S": ((10_000, 30_000, 100_000), (1, 1)), "A": ((4, 8, 16), (1, 1)), "T": ((100, 200, 400), (1, 1))}
"""Sizes at which the same code runs: smaller ones are left to scipy, since loading compiled code takes longer than they do."""

SUBJECTS = (
    Subject("covariance of GAE, T steps", finite(GAE_STEP), FULL, (200, 4, 100)),
    Subject("covariance of GAE, no horizon", stationary, NO_END, (200, 4, 0)),
    Subject("covariance of the whole return, T steps", finite(WHOLE), FULL, (200, 4, 100)),
    Subject("covariance of the whole return, until the end", until_the_end, NO_END, (200, 4, 0)),
    Subject("covariance of leave-one-out, T steps", groups, FULL, (200, 4, 100)),
    Subject("covariance of leave-one-out, until the end", groups, NO_END, (200, 4, 0)),
    Subject("variance of each parameter, T steps", parameters, FULL | {"S": ((100, 200, 400), (2, 2))}, (100, 4, 100)),
    Subject("variance along a direction, T steps", along, ONE, (10_000, 4, 100)),
    Subject("variance along a direction, no horizon", along, {axis: ONE[axis] for axis in "SA"}, (10_000, 4, 0)),
    Subject("total variance by 16 probes, T steps", probes, ONE | {"S": ((3_000, 10_000, 30_000), (1, 1))}, (3_000, 4, 40)),
)


def times(call, enough=1.0, most=6):
    """Seconds of call after call, until there are two and a second is over; the first, which loads and compiles, is not counted."""
    found, start = [], time.perf_counter()
    while len(found) < 3 or (len(found) <= most and time.perf_counter() - start < enough):
        gc.collect()
        begin = time.perf_counter()
        call()
        found.append(time.perf_counter() - begin)
    return found[1:]


def resident(field):
    """VmRSS (now) or VmHWM (the highest since it was reset) of this process in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(field))


def peak(call):
    """MB that a call had resident above what was there before."""
    gc.collect()
    before = resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")
    call()
    return resident("VmHWM") - before


@pytest.fixture(scope="module", autouse=True)
def machine():
    results.write_machine(PART)


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda s: s.name)
def test_growth(subject, deadline):
    """Slope of log seconds against log size by least squares, beside the exponent of the stated cost. The least of the times counts: other work only adds to it."""
    for axis, (values, stated) in subject.axes.items():
        if time.time() > deadline:
            pytest.skip("the time of this run is over")
        points = []
        for value in values:
            S, A, T = (value if name == axis else base for name, base in zip("SAT", subject.base, strict=True))
            points.append((value, min(times(subject.prepare(S, A, T)))))
        slope = np.polyfit(*np.log(np.array(points)).T, 1)[0]
        results.write(PART, f"{subject.name}, {axis}", kind="growth", name=subject.name, axis=axis, base=subject.base, points=points, slope=slope, stated=stated)  # fmt: skip


@pytest.mark.parametrize("case", ["S = 316, T = 100", "S = 1000, no horizon", "S = 1000, T = 100"])
def test_against_the_textbook_recursion(case, deadline):
    """Both in turns where that is quick; the two agree, so that a fast wrong law does not count."""
    if time.time() > deadline:
        pytest.skip("the time of this run is over")
    S, T = {"S = 316, T = 100": (316, 100), "S = 1000, no horizon": (1000, None), "S = 1000, T = 100": (1000, 100)}[case]
    scene = scene_of(S)
    mdp, pi = scene.mdp, scene.policy().probabilities
    ours = lambda: dynamic(GAE_STEP, OnPolicy(1, horizon=T), scene)
    textbook = Recursion(mdp.transition, mdp.mean_reward, mdp.mu, pi, mdp.gamma, LAMBDA, scene.point["critic"], mdp.gamma)
    theirs = textbook.stationary if T is None else lambda: textbook.finite(T)
    ours_seconds, theirs_seconds = [], []
    found = ours()
    while len(theirs_seconds) < 3 and sum(theirs_seconds) < 20:
        begin = time.perf_counter()
        found = ours()
        ours_seconds.append(time.perf_counter() - begin)
        begin = time.perf_counter()
        mean, covariance = theirs()
        theirs_seconds.append(time.perf_counter() - begin)
    distance = max(abs(found.mean - mean).max() / abs(mean).max(), abs(found.covariance - covariance).max() / abs(covariance).max())
    fast, slow = float(np.median(ours_seconds)), float(np.median(theirs_seconds))
    results.write(
        PART, f"GAE against the textbook, {case}", kind="against", case=case, S=S, T=T, ours=fast, theirs=slow, ratio=fast / slow, distance=distance
    )
    assert distance < 1e-10, "two roundings of sums of some thousand terms"


def test_along_a_direction_of_a_large_model(deadline):
    if time.time() > deadline:
        pytest.skip("the time of this run is over")
    S, T = 100_000, 100
    call = along(S, 4, T)
    seconds = float(np.median(times(call)))
    memory = peak(call)
    results.write(PART, "along a direction, S = 1e5, T = 100", kind="memory", S=S, T=T, seconds=seconds, memory=memory, vector=8 * S / 1e6)
    assert math.isfinite(seconds)
