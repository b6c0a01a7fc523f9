"""Stage by stage: gradients of a stage, the order of training, and the plateau that it avoids."""

import numpy as np
import pytest

from pgtheory.tabular.dynamics.backward import Backward
from pgtheory.tabular.dynamics.oracles import DirectOracle, SoftmaxOracle
from pgtheory.tabular.dynamics.running import run
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.dynamics.steps import Constant
from pgtheory.tabular.dynamics.updates import Gradient, Natural
from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.models.augmentation import with_time
from pgtheory.tabular.models.mdp import MDP


def staged(H: int = 3, S: int = 2, A: int = 2, seed: int = 0) -> tuple[MDP, SoftmaxOracle]:
    rng = np.random.default_rng(seed)
    model = MDP(P=rng.dirichlet(np.ones(S), size=(S, A)), r=rng.random((S, A)), mu=rng.dirichlet(np.ones(S)), horizon=H)
    return model, SoftmaxOracle(Stack.of([with_time(model).model]))


def values_after(model: MDP, pi: np.ndarray, h: int) -> np.ndarray:
    """Q_h by backward induction over the tables pi (H, S, A)."""
    V = np.zeros(model.S)
    for t in reversed(range(h + 1, len(pi))):
        V = (pi[t] * (model.r + model.P @ V)).sum(axis=1)
    return model.r + model.P @ V


def test_a_stage_step_is_the_bandit_gradient_with_the_tail_fixed(softmax):
    model, oracle = staged()
    start = np.array([[0.5, 0.5], [0.25, 0.75], [0.9, 0.1]])
    theta = np.random.default_rng(1).normal(size=(3, 2, 2))
    found = run(Backward(Gradient(Constant(0.7)), 3, 4, start), oracle, theta.reshape(6, 2), 12).theta.reshape(3, 2, 2)
    for h in (2, 1, 0):
        Q = values_after(model, softmax(theta), h)  # the later stages have been trained
        for _ in range(4):
            pi = softmax(theta[h])
            theta[h] += 0.7 * start[h][:, None] * pi * (Q - (pi * Q).sum(axis=1, keepdims=True))

    assert abs(found - theta).max() <= 1e-13


def test_stages_are_trained_last_first_and_then_nothing_moves():
    _, oracle = staged()
    found = run(Backward(Gradient(Constant(0.7)), 3, 2), oracle, np.zeros((6, 2)), 9, watch={"theta": lambda o: o.theta})
    moved = (np.diff(found.watched["theta"][:, 0].reshape(10, 3, 4), axis=0) != 0).any(axis=2)

    assert moved.tolist() == [[False, False, True]] * 2 + [[False, True, False]] * 2 + [[True, False, False]] * 2 + [[False] * 3] * 3


def test_a_temperature_holds_in_every_stage(softmax):
    """With tau the best policy of a stage is softmax(Q / tau), Q with the entropy of the later stages: natural steps of size 1 / tau reach it at once."""
    model, oracle = staged()
    tau = 0.3
    found = run(Backward(Natural(Constant(1 / tau)), 3, 1), SoftmaxOracle(oracle.stack, tau=tau), np.random.default_rng(0).normal(size=(6, 2)), 3)
    V = np.zeros(2)
    for h in (2, 1, 0):
        Q = model.r + model.P @ V
        assert abs(softmax(found.theta[0, 2 * h : 2 * h + 2]) - softmax(Q / tau)).max() <= 1e-13
        V = tau * np.log(np.exp(Q / tau).sum(axis=1))


def test_one_law_serves_every_stage():
    _, oracle = staged()
    law = np.array([0.2, 0.8])
    one, many = (run(Backward(Gradient(Constant(0.7)), 3, 2, start), oracle, np.zeros((6, 2)), 6) for start in (law, np.tile(law, (3, 1))))

    assert (one.theta == many.theta).all()


def test_until_may_ask_the_stage():
    """Each stage until the gap of its bandit, uniform over two states, is at most 0.005, so 0.01 in a state: the whole gap is at most 0.03."""
    _, oracle = staged()
    found = run(Backward(Natural(Constant(5.0)), 3, lambda state: state.outlook.gap.max() <= 0.005), oracle, np.zeros((6, 2)), 300)

    assert found.final.memory is None
    assert found.gap[-1] <= 0.03 and found.gap[0] > 0.1


def plateau(H: int) -> SoftmaxOracle:
    """The good action, every time, for reward 1 at the end; any other one ends with nothing."""
    P, r = np.zeros((H, 2, H)), np.zeros((H, 2))
    P[np.arange(H - 1), 0, np.arange(1, H)] = 1
    r[-1, 0] = 1
    return SoftmaxOracle(Stack.of([MDP(P=P, r=r, mu=np.eye(H)[0])]))


@pytest.mark.parametrize(("H", "together"), [(4, 232), (8, 1512)])
def test_simultaneous_training_meets_a_plateau_that_grows_with_the_horizon(H, together):
    """Updates of single stages until the gap is 0.05, steps of size 1 from the uniform policy. The figures are those of the specification of P053."""
    update = Gradient(Constant(1.0))
    state = update.init(plateau(H), np.zeros((H, 2)))
    while state.outlook.gap[0] > 0.05:
        state = update.step(state)

    assert state.t * H == together


@pytest.mark.parametrize(("H", "total"), [(5, 270), (8, 680), (12, 1515)])
def test_stage_by_stage_training_does_not(H, total):
    """Each stage until the good action misses at most 0.05 / H."""
    update = Backward(Gradient(Constant(1.0)), H, lambda state: state.outlook.pi[0, 0, 1] <= 0.05 / H)
    state = update.init(plateau(H), np.zeros((H, 2)))
    while state.memory is not None:
        state = update.step(state)

    assert state.t == total
    assert state.outlook.gap[0] <= 0.05


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: Backward(Gradient(Constant(1.0)), 0, 1), "stages is 0"),
        (lambda: Backward(Gradient(Constant(1.0)), 2, 0), "until is 0"),
        (lambda: Backward(Gradient(Constant(1.0)), 2, 1, np.array([0.0, 1.0])), "start has a probability 0"),
        (lambda: Backward(Gradient(Constant(1.0)), 2, 1, np.array([0.5, 0.6])), "start sums to 1.1"),
        (lambda: Backward(Gradient(Constant(1.0)), 4, 1).init(staged()[1], np.zeros((6, 2))), "has 6 states, no multiple of 4 stages"),
        (lambda: Backward(Gradient(Constant(1.0)), 3, 1).init(DirectOracle(staged()[1].stack), np.full((6, 2), 0.5)), "is no SoftmaxOracle"),
    ],
)
def test_bad_stages_are_refused(call, text):
    with pytest.raises(InvalidArgument) as error:
        call()

    assert text in str(error.value)
