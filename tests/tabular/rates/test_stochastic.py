"""Rates of sampled gradients: the four lemmas at random points, the error of d along all paths against its bound, rules and schedules that are others, and the exponents."""

from types import SimpleNamespace

import numpy as np
import pytest

from pgtheory.tabular.dynamics.backward import Backward
from pgtheory.tabular.dynamics.expected import EveryOutcome
from pgtheory.tabular.dynamics.oracles import SoftmaxOracle
from pgtheory.tabular.dynamics.running import run
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.dynamics.steps import Constant, Power
from pgtheory.tabular.dynamics.stochastic import OneSample, paths
from pgtheory.tabular.dynamics.tracking import Averaged, Recursive, Transported
from pgtheory.tabular.dynamics.updates import Gradient
from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.models.augmentation import with_time
from pgtheory.tabular.models.bandit import Bandit
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.rates.registry import THEOREMS
from pgtheory.tabular.rates.stochastic import ALPHA, L_2, L, errors, unlucky, weight
from pgtheory.tabular.rates.theorem import hold


def bandits(K=2, n=20, seed=0):
    rng = np.random.default_rng(seed)
    return Stack.of([Bandit(r=rng.random(K)) for _ in range(n)])


# The lemmas, by sums over the arms


def drawn(K, n=4000, seed=0):
    """Policies from flat to nearly sure, rewards 0 or 1, which are the extreme ones, and directions of length one."""
    rng = np.random.default_rng(seed)
    theta, u = rng.normal(size=(n, K)) * rng.choice([0.5, 2, 5], size=(n, 1)), rng.normal(size=(n, K))
    return soft(theta), rng.integers(0, 2, size=(n, K)), u / np.linalg.norm(u, axis=1, keepdims=True), theta


def soft(theta):
    raised = np.exp(theta - theta.max(axis=-1, keepdims=True))
    return raised / raised.sum(axis=-1, keepdims=True)


def along_a_line(theta, u, r, order):
    """The derivative of E r along u by a complex contour of radius 1/4: exact up to rounding."""
    z = np.exp(2j * np.pi * np.arange(32) / 32) / 4
    values = np.stack([(np.exp(theta + x * u) * r).sum(axis=1) / np.exp(theta + x * u).sum(axis=1) for x in z])
    return np.real((values / z[:, None] ** order).mean(axis=0)) * [1, 1, 2, 6][order]


@pytest.mark.parametrize("K", [2, 3, 5])
def test_second_and_third_derivatives_are_within_their_bounds(K):
    _, r, u, theta = drawn(K)
    second, third = (abs(along_a_line(theta, u, r, order)) for order in (2, 3))

    assert 0.13 < second.max() <= L
    assert 0.1 < third.max() <= L_2


@pytest.mark.parametrize("K", [2, 3, 5])
def test_second_moment_of_a_sample_is_at_most_one_minus_one_over_K(K):
    pi, r, _, _ = drawn(K)
    square = lambda pi, r: (pi * r**2 * ((np.eye(K) - pi[:, None]) ** 2).sum(axis=2)).sum(axis=1)

    assert square(pi, r).max() <= 1 - 1 / K
    assert square(np.full((1, K), 1 / K), np.ones((1, K)))[0] == pytest.approx(1 - 1 / K)


@pytest.mark.parametrize("length", [0.05, 0.25, 1.0])
def test_difference_by_one_sample_is_as_small_as_the_step(length):
    """E|r(a) (score(a) - w score_last(a))|^2 <= exp(sqrt 2 |u|) |u|^2; it comes within a factor of ten."""
    ratios = []
    for K in (2, 3, 5):
        _, r, u, theta = drawn(K)
        pi, last = soft(theta), soft(theta - length * u)
        X = np.eye(K) - pi[:, None] - (last / pi)[:, :, None] * (np.eye(K) - last[:, None])
        ratios.append((pi * r**2 * (X**2).sum(axis=2)).sum(axis=1) / (np.exp(np.sqrt(2) * length) * length**2))

    assert 0.1 < max(ratio.max() for ratio in ratios) <= 1


# The error of d, along all paths


def mean_squares(update, stack, steps):
    """E|d_t - grad J(theta_t)|^2, from the memories of a run along all paths."""
    found = []

    class Watched(type(update)):
        def step(self, state):
            after = super().step(state)
            found.append(((after.memory.d - state.outlook.exact.gradient) ** 2).sum(axis=(1, 2)))
            return after

    watched = Watched(update.step_size, update.eta, update.sampler, update.rng)
    weights = [found.weight for found in paths(watched, SoftmaxOracle(stack), OneSample(), np.zeros(stack.r.shape), steps)][1:]
    return np.stack([(w * x.reshape(w.shape)).sum(axis=1) for w, x in zip(weights, found, strict=True)])


@pytest.mark.parametrize(("rule", "p", "q"), [(Recursive, 2 / 3, 2 / 3), (Transported, 4 / 7, 5 / 7)])
def test_error_is_within_its_bound_and_near_it_at_first(rule, p, q):
    stack = Stack.of([Bandit(r=[1.0, 1.0]), Bandit(r=[1.0, 0.0]), Bandit(r=[0.9, 0.6])])
    update = rule(Power(ALPHA * 2**q, q, 2.0), weight(p), EveryOutcome(stack), np.random.default_rng(0))
    exact, bound = mean_squares(update, stack, 9), errors(rule, p, q, np.full(3, np.sqrt(0.5)), 8) ** 2

    assert (exact <= bound * (1 + 1e-12)).all()
    np.testing.assert_allclose(exact[0, 0], bound[0, 0], rtol=1e-12)  # equal rewards: the gradient is 0, and a sample is all error
    assert (exact[:, 0] > 0.2 * bound[:, 0]).all()


@pytest.mark.parametrize(("name", "exponent"), [("recursive-momentum", -1 / 3), ("implicit-transport", -2 / 7)])
def test_bound_falls_with_the_exponent_of_the_statement(name, exponent):
    """The bound over log t, between 10^4 and 2 * 10^4 steps: what is left beside the power is of order 1/log t."""
    t = np.arange(20_001)
    bound = THEOREMS[name].bound(SimpleNamespace(t=t), {"gap_0": np.array([0.3]), "G^2": np.array([0.5])})[:, 0]

    assert np.log2(bound[20_000] / bound[10_000] * np.log(10_000) / np.log(20_000)) == pytest.approx(exponent, abs=0.06)


# Long runs: all paths where they meet, else seeds


@pytest.mark.parametrize(("name", "least"), [("reinforce", 0.05), ("signal-to-noise", 0.02)])
def test_bound_holds_for_a_hundred_steps_where_one_arm_pays(name, least):
    """Arms that pay nothing leave theta where it is: after t steps there are t + 1 points, and the expectations of long runs are exact."""
    stack = Stack.of([Bandit(r=paid * np.eye(3)[0]) for paid in np.linspace(0.05, 1, 5)])
    found = hold(THEOREMS[name], stack, 100)

    assert found.run.final.theta.shape == (5 * 101, 1, 3)
    assert found.applies.all()
    assert found.certificate.holds.all()
    assert found.certificate.tightness.max() > least


class OneArm:
    """A drawn arm a row, and the same arm for the difference; by sums over the arms written out."""

    def __init__(self, r):
        self.r = np.array(r)

    def draw(self, theta, rng):
        pi = soft(theta)
        a = (np.cumsum(pi, axis=2) <= rng.random(len(theta))[:, None, None]).sum(axis=2, keepdims=True).clip(0, len(self.r) - 1)
        return a, pi

    def gradient(self, theta, rng):
        a, pi = self.draw(theta, rng)
        return self.r[a] * ((np.arange(len(self.r)) == a) - pi)

    def with_difference(self, theta, last, rng):
        a, pi = self.draw(theta, rng)
        before, one = soft(last), np.arange(len(self.r)) == a
        weight = np.take_along_axis(before / pi, a, axis=2)
        return self.r[a] * (one - pi), self.r[a] * ((one - pi) - weight * (one - before))


@pytest.mark.parametrize(
    ("name", "rule", "p", "q"), [("recursive-momentum", Recursive, 2 / 3, 2 / 3), ("implicit-transport", Transported, 4 / 7, 5 / 7)]
)
@pytest.mark.parametrize("r", [[1.0, 0.0], [1.0, 0.9, 0.2, 0.0]])
def test_bound_holds_for_hundreds_of_steps_on_average_over_seeds(name, rule, p, q, r):
    """1000 runs of 200 steps; the mean is below the bound by five standard errors of it at every step, and at the first steps it is the exact one, within five."""
    bandit = Stack.of([Bandit(r=r)])
    update = rule(Power(ALPHA * 2**q, q, 2.0), weight(p), OneArm(r), np.random.default_rng(1))
    norms = run(update, SoftmaxOracle(bandit.repeated(1000)), np.zeros((1000, 1, len(r))), 200).gradient_norm
    alpha = ALPHA * weight(q)(np.arange(200))[:, None]
    mean = np.cumsum(alpha * norms[:-1], axis=0) / np.cumsum(alpha, axis=0)  # of the steps before 1, ..., 200
    middle, error = mean.mean(axis=1), mean.std(axis=1) / np.sqrt(1000)
    first = hold(THEOREMS[name], bandit, 5)
    constants = {"gap_0": np.array([max(r) - np.mean(r)]), "G^2": np.array([1 - 1 / len(r)])}
    bound = THEOREMS[name].bound(SimpleNamespace(t=np.arange(201)), constants)[1:, 0]

    assert (middle + 5 * error <= bound).all()
    assert middle[-1] > 0.02 * bound[-1]
    assert (abs(middle[:5] - first.quantity[:, 0]) <= 5 * error[:5] + 1e-15).all()


# From gradients to gaps


@pytest.mark.parametrize("K", [2, 3, 5])
def test_gap_is_at_most_kappa_times_the_gradient_and_kappa_at_most_what_fisher_gives(K):
    """F^+ (e_* - pi) = (e_* - 1/K)/pi(*) by the pseudo-inverse; |e_* - pi|/mu_F is never less, and the same for two arms."""
    rng = np.random.default_rng(K)
    for pi, r in zip(rng.dirichlet(np.ones(K), size=300), rng.random((300, K)), strict=True):
        best = np.eye(K)[r.argmax()]
        F = np.diag(pi) - np.outer(pi, pi)
        kappa, mu_F = np.sqrt(1 - 1 / K) / (pi @ best), np.linalg.eigvalsh(F)[1]

        np.testing.assert_allclose(np.linalg.pinv(F, rcond=1e-12) @ (best - pi), (best - 1 / K) / (pi @ best), rtol=1e-6, atol=1e-6)
        assert r.max() - r @ pi <= kappa * np.linalg.norm(F @ r) * (1 + 1e-9)
        assert kappa <= np.linalg.norm(best - pi) / mu_F * (1 + 1e-9)
        if K == 2:
            assert kappa == pytest.approx(np.linalg.norm(best - pi) / mu_F)


@pytest.mark.parametrize(("rule", "p", "q", "limit"), [(Recursive, 2 / 3, 2 / 3, 0.0033), (Transported, 4 / 7, 5 / 7, 0.0036)])
def test_worse_arm_at_every_step_goes_straight_and_keeps_a_chance(rule, p, q, limit):
    """The path on which theta is as far towards the worse arm as steps allow, found among all paths, has the chance and the gap of the bound; in the end 0.0033 and 0.0036 are left."""
    stack = Stack.of([Bandit(r=[0.9, 0.2])])
    update = rule(Power(ALPHA * 2**q, q, 2.0), weight(p), EveryOutcome(stack), np.random.default_rng(0))
    chance, gap = unlucky(rule, p, q, 100_000)
    for found in paths(update, SoftmaxOracle(stack), OneSample(), np.zeros((1, 1, 2)), 7):
        far = found.outlook.theta[:, 0, 1]
        straight = np.isclose(far, ALPHA * weight(q)(np.arange(found.t)).sum() / np.sqrt(2), rtol=1e-12)
        assert found.weight[0][straight].sum() == pytest.approx(chance[found.t], rel=1e-12)
        np.testing.assert_allclose(found.outlook.gap[straight], 0.7 * gap[found.t], rtol=1e-12)

    product = chance * gap
    assert product.min() >= limit
    assert product[-1] <= 1.05 * limit
    # the rest of the product: A_t >= 0.8 t^(2/7) from here on, and the sum of exp(-sqrt 2 A_t) is less than 1e-3
    rest = np.arange(100_000, 10_000_000, 1000)
    assert 1000 * np.exp(-np.sqrt(2) * 0.8 * rest ** (2 / 7)).sum() < 1e-3
    assert ALPHA * weight(q)(np.arange(100_000)).sum() >= 0.8 * 100_000 ** (2 / 7)


@pytest.mark.parametrize(
    ("r", "theta", "failing"),
    [([1.0, 0.0], None, "two arms that pay"), ([1.0, 0.5, 0.2], None, "two arms that pay"), ([1.0, 0.5], [[[1.0, 0.0]]], "theta = 0")],
)
def test_arms_that_pay_nothing_or_are_three_and_other_starts_are_named(r, theta, failing):
    found = hold(THEOREMS["implicit-transport-commits"], Stack.of([Bandit(r=r)]), 3, theta=None if theta is None else np.array(theta))

    assert [what for what, so in found.assumptions.items() if not so.all()] == [failing]


def test_mean_gradient_vanishes_where_the_mean_gap_does_not():
    """The two bounds at 10^9 steps, by their orders: t^(-1/3) log t against a constant, so that no factor of the gradient bounds the gap for all time."""
    t = np.array([10**4, 10**9])
    assert (t[1] ** (-1 / 3) * np.log(t[1])) / (t[0] ** (-1 / 3) * np.log(t[0])) < 0.05
    chance, gap = unlucky(Recursive, 2 / 3, 2 / 3, 20_000)
    assert (chance * gap)[20_000] > 0.999 * (chance * gap)[10_000]


# Rules, steps and schedules that the theorem is not about


def other(rule, p=2 / 3, q=2 / 3, alpha=ALPHA):
    return lambda stack: rule(Power(alpha * 2**q, q, 2.0), weight(p), EveryOutcome(stack), np.random.default_rng(0))


@pytest.mark.parametrize(
    ("name", "update", "assumption"),
    [
        ("reinforce", lambda stack: Gradient(Constant(0.1)), "step 0.5"),
        ("signal-to-noise", lambda stack: Gradient(Constant(0.5)), "step 2 SNR/(1+SNR)"),
        ("recursive-momentum", other(Averaged), "weights (2/(t+2))^0.67 of the rule"),
        ("recursive-momentum", other(Recursive, p=0.5), "weights (2/(t+2))^0.67 of the rule"),
        ("recursive-momentum", other(Recursive, q=0.5), "steps 0.25 (2/(t+2))^0.67"),
        ("implicit-transport", other(Recursive, 4 / 7, 5 / 7), "weights (2/(t+2))^0.57 of the rule"),
        ("implicit-transport", other(Transported, 4 / 7, 5 / 7, alpha=1.0), "steps 0.25 (2/(t+2))^0.71"),
    ],
)
def test_another_rule_or_schedule_is_said_to_be_one(name, update, assumption):
    stack = bandits(n=3)
    found = hold(THEOREMS[name], stack, 4, update=update(stack))

    assert [what for what, so in found.assumptions.items() if not so.all()] == [assumption]


@pytest.mark.parametrize("name", ["reinforce", "signal-to-noise"])
def test_rewards_outside_the_unit_interval_break_the_bound(name):
    """J is less smooth and the samples are larger: the assumption says so, and the bound fails."""
    found = hold(THEOREMS[name], Stack.of([Bandit(r=[40.0, 0.0])]), 8)

    assert [what for what, so in found.assumptions.items() if not so.all()] == ["rewards in [0, 1]"]
    assert not found.certificate.holds.all()


def test_step_of_another_length_has_a_theorem_of_its_own():
    """gap_0/(eta t) + eta (1 - 1/K)/4 at eta = 2: the noise dominates."""
    found = hold(THEOREMS["reinforce"].rescaled(4.0), bandits(K=3, n=5), 5)

    assert found.applies.all()
    assert found.certificate.holds.all()
    np.testing.assert_allclose(found.bound, found.run.gap[0] / (2 * np.arange(1, 6)[:, None]) + 2 * (2 / 3) / 4, rtol=1e-12)


# Backwards in time


def staged(H=3):
    rng = np.random.default_rng(5)
    P, r = rng.dirichlet(np.ones(2), size=(2, 2)), rng.random((2, 2))
    return Stack.of([with_time(MDP(P=P, r=r, mu=[0.5, 0.5], horizon=H)).model])


def test_bound_of_the_stages_written_out():
    """Stage 2 is trained in steps 1..20, stage 1 in 21..40, stage 0 in 41..60; c_h from the logits of two actions, stage by stage."""
    found = hold(THEOREMS["backward"], staged(), 60)
    pi, Q = (found.run.watched[name][:, 0].reshape(61, 3, 2, 2) for name in ("pi", "Q"))
    for t in (0, 10, 20, 33, 60):
        expected = 0.0
        for h in range(3):
            begun = 20 * (2 - h)
            n = min(max(t - begun, 0), 20)
            right = [pi[u, h, s, Q[60, h, s].argmax()] for u in range(begun, begun + n + 1) for s in range(2)]
            expected += min(3 - h, 3 / (min(right) ** 2 * n)) if n else 3 - h
        assert found.bound[t, 0] == pytest.approx(expected, rel=1e-12)


def test_training_all_stages_at_once_is_not_stage_by_stage():
    stack = staged()
    found = hold(THEOREMS["backward"], stack, 60, update=Gradient(Constant(2 * 6 / 9)))

    assert [what for what, so in found.assumptions.items() if not so.all()] == ["one stage after the other", "uniform start in each stage"]
    assert not hold(THEOREMS["backward"], stack, 60, update=Backward(Gradient(Constant(0.1)), 3, 20)).assumptions["step 2 S/H"].any()


@pytest.mark.parametrize("start", [[0.9, 0.1], [[0.5, 0.5], [0.5, 0.5], [0.51, 0.49]]])
def test_start_of_a_stage_that_is_not_uniform_is_named(start):
    """The step of 2/H a state is then another in each state, though its size is reported as the same."""
    found = hold(THEOREMS["backward"], staged(), 60, update=Backward(Gradient(Constant(2 * 6 / 9)), 3, 20, start=np.array(start)))

    assert [what for what, so in found.assumptions.items() if not so.all()] == ["uniform start in each stage"]


def test_problem_without_stages_is_refused():
    with pytest.raises(InvalidArgument, match="a state can be visited twice"):
        hold(THEOREMS["backward"], Stack.of([MDP(P=[[[1.0]]], r=[[1.0]], mu=[1.0], gamma=0.5)]), 3)
