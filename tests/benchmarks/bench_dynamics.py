"""Long runs on one small problem, and many small problems at once against one by one."""

import time

import numpy as np

from pgtheory.tabular.dynamics.oracles import SoftmaxOracle
from pgtheory.tabular.dynamics.running import run
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.dynamics.steps import Constant
from pgtheory.tabular.dynamics.updates import Gradient

PART = "dynamics"
UPDATE, THETA = Gradient(Constant(0.5)), np.zeros((10, 4))


def problems(N: int) -> Stack:
    rng = np.random.default_rng(0)
    return Stack(P=rng.dirichlet(np.ones(10), size=(N, 10, 4)), r=rng.random((N, 10, 4)), mu=np.full((N, 10), 0.1), gamma=np.full(N, 0.9))


def seconds(oracle: SoftmaxOracle, steps: int, **rest: object) -> float:
    assert oracle.best is not None  # found once a stack, and not a part of the run
    start = time.perf_counter()
    run(UPDATE, oracle, THETA, steps, **rest)
    return time.perf_counter() - start


def test_hundred_thousand_steps(record):
    oracle = SoftmaxOracle(problems(1))
    for how, limit in (("log", 10), ("all", None)):
        took = min(seconds(oracle, 100_000, record=how) for _ in range(2))
        record(
            f"10^5 exact softmax steps, S = 10, A = 4, record {how}", f"{took:.1f} s", f"{limit} s" if limit else "", took < limit if limit else None
        )


def test_thousand_problems_at_once(record):
    """Twenty problems stand for the thousand that run one by one."""
    stack, steps = problems(1000), 300
    together, single = SoftmaxOracle(stack), [SoftmaxOracle(Stack.of([model])) for model in stack.models[:20]]
    ratios = []
    for _ in range(3):
        one = 50 * sum(seconds(oracle, steps, record="log") for oracle in single)
        ratios.append(one / seconds(together, steps, record="log"))
    record("1000 problems at once against one by one, S = 10, A = 4", f"{np.median(ratios):.0f} times", "20 times", bool(np.median(ratios) >= 20))
