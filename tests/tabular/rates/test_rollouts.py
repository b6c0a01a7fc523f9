"""The bound on stochastic dynamic policy gradient: written out for a lock, its lemmas, general problems, and slips in it that a long run along all paths catches."""

from dataclasses import replace

import numpy as np
import pytest

from pgtheory.tabular.dynamics.rollouts import Rollouts
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.dynamics.steps import Constant
from pgtheory.tabular.dynamics.updates import Gradient
from pgtheory.tabular.models.augmentation import with_time
from pgtheory.tabular.models.bandit import Bandit
from pgtheory.tabular.models.classic import lock
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.rates.backward import stages
from pgtheory.tabular.rates.certificate import against
from pgtheory.tabular.rates.rollouts import largest_return, rollouts, step
from pgtheory.tabular.rates.theorem import hold


def staged(n, S, A=2, H=2, seed=3):
    """Anything in [0, 1] is paid, any state may follow."""
    rng = np.random.default_rng(seed)
    made = lambda: MDP(P=rng.dirichlet(np.ones(S), size=(S, A)), r=rng.random((S, A)), mu=rng.dirichlet(np.ones(S)), horizon=H)
    return Stack.of([with_time(made()).model for _ in range(n)])


def uncertain_locks(n=5):
    """Two stages; the right action of the first goes on with a chance of at least 0.7, that of the last pays at least 0.3: only one outcome of a step moves theta, so that long runs are cheap."""
    rng = np.random.default_rng(0)
    P, r = np.zeros((n, 2, 2, 2)), np.zeros((n, 2, 2))
    P[:, 0, 0, 1], r[:, 1, 0] = rng.uniform(0.7, 1, size=n), rng.uniform(0.3, 1, size=n)
    return Stack(P=P, r=r, mu=np.tile([1.0, 0.0], (n, 1)), gamma=np.ones(n))


def test_lock_written_out():
    """Two stages, three steps each with alpha = 1/8: after m successes theta is a number, and how many there are is a chain. The expected gap, C and x_h, step by step."""
    n, alpha = 3, 1 / 8
    p = [0.5]
    logit = 0.0
    for _ in range(n):
        logit += 2 * alpha * (1 - p[-1])  # the score is (1 - p, -(1 - p))
        p.append(1 / (1 + np.exp(-logit)))
    second, first = np.zeros((2 * n + 1, n + 1)), np.zeros((2 * n + 1, n + 1, n + 1))
    second[0, 0] = 1
    for t in range(n):
        for m in range(n):
            second[t + 1, m] += second[t, m] * (1 - p[m])
            second[t + 1, m + 1] += second[t, m] * p[m]
    first[n, :, 0] = second[n]
    for t in range(n, 2 * n):
        for m in range(n + 1):
            for j in range(t - n + 1):
                opens = p[j] * p[m]
                first[t + 1, m, j] += first[t, m, j] * (1 - opens)
                first[t + 1, m, min(j + 1, n)] += first[t, m, j] * opens
    gap = [1 - sum(second[t, m] * p[m] / 2 for m in range(n + 1)) for t in range(n)]
    gap += [1 - sum(first[t, m, j] * p[m] * p[j] for m in range(n + 1) for j in range(n + 1)) for t in range(n, 2 * n + 1)]
    x, sums = [0.5, 0.5], [1.0]
    for t in range(2 * n):
        h = 1 if t < n else 0
        law = second[t] if h else first[t].sum(axis=0)
        C = sum(law[m] / p[m] ** 2 for m in range(n + 1))
        x[h] += alpha**2 / 8 - 2 * alpha * x[h] ** 2 / C
        sums.append(sum(x))

    found = hold(rollouts(n), Stack.of([lock(2)]), 2 * n)

    np.testing.assert_allclose(found.quantity[:, 0], gap, rtol=1e-12)
    np.testing.assert_allclose(found.bound[:, 0], sums, rtol=1e-12)


def test_recursion_written_out_for_three_actions_and_two_states_a_stage():
    """S, A, M, B and the largest C each come in once, and as the statement says: M by the last stage's rewards and one backup, B by the luckiest way on."""
    H, S, A, until = 2, 2, 3, 2
    stack = staged(4, S, A=A)
    found = hold(rollouts(until), stack, H * until)
    C = found.run.watched["C"].reshape(-1, 4, H, S)
    for i in range(4):
        now, later = stack.r[i, :S], stack.r[i, S:]
        onward = stack.P[i, :S, :, S:]
        M = [(now + onward @ later.max(axis=1)).max(), later.max()]
        B = [max(now[s, a] + later[x].max() for s in range(S) for a in range(A) for x in range(S)), later.max()]
        x = [M[h] * (1 - 1 / A) for h in range(H)]
        sums = [sum(x)]
        for t in range(H * until):
            h = 1 if t < until else 0
            x[h] = min(x[h] - A * x[h] ** 2 / (4 * H * (A - 1) * max(C[t, i, h])) + S * (1 - 1 / A) * B[h] * M[h] ** 2 / (64 * H**2), M[h])
            sums.append(sum(x))

        assert B[0] > 1.01 * M[0] and abs(M[0] - 1) > 0.01
        np.testing.assert_allclose(found.bound[:, i], sums, rtol=1e-12)
    assert (C.max(axis=3) > C.min(axis=3) * (1 + 1e-6))[:-1].any(axis=(0, 1)).all()


@pytest.mark.parametrize(("stack", "until"), [(staged(200, 1), 3), (staged(40, 2), 2), (staged(40, 1, A=3), 2), (staged(40, 1, H=3), 1)])
def test_bound_holds_where_anything_is_paid(stack, until):
    found = hold(rollouts(until), stack, until * stages(stack))

    assert found.applies.all()
    assert found.certificate.holds.all()
    assert found.certificate.closest.max() > 0.3


class Descent(Gradient):
    """A wrong sign."""

    def direction(self, outlook):
        return -outlook.gradient


def test_slips_are_caught_along_forty_steps_a_stage():
    """The bound holds; a wrong sign breaks it, and so does 1/pi(a*) for its square in C, a first gap of half the size, or a C that is forgotten."""
    stack, theorem = uncertain_locks(), rollouts(40)
    found = hold(theorem, stack, 80)
    with_C = lambda change: theorem.bound(replace(found.run, watched={"C": change(found.run.watched["C"])}), found.constants)
    halved = theorem.bound(found.run, {name: x / 2 if name[0] == "x" else x for name, x in found.constants.items()})
    refuted = lambda bound: not against(found.quantity, bound, found.t, side="upper", rounding=1e-13).holds.all()

    assert found.certificate.holds.all()
    assert found.certificate.closest.max() > 0.8
    assert not hold(theorem, stack, 80, update=Descent(Constant(step(stack)))).certificate.holds.all()
    assert refuted(with_C(np.sqrt))
    assert refuted(with_C(np.ones_like))
    assert refuted(halved)


@pytest.mark.parametrize("A", [2, 3])
def test_what_the_noise_adds_cannot_be_left_out(A):
    """One stage, one arm that pays: without the last term of the recursion the bound is below the gap within thirty steps."""
    theorem, stack = rollouts(30), Stack.of([Bandit(r=np.eye(A)[0])])
    found = hold(theorem, stack, 30)
    quiet = theorem.bound(found.run, {name: x * 0 if name[0] == "B" else x for name, x in found.constants.items()})

    assert found.certificate.holds.all()
    assert not against(found.quantity, quiet, found.t, side="upper", rounding=1e-13).holds.all()


def test_one_action_has_no_gap():
    found = hold(rollouts(2), Stack.of([MDP(P=[[[0.0]]], r=[[0.5]], mu=[1.0])]), 2)

    assert (found.bound == 0).all()
    assert found.certificate.holds.all()


def test_largest_return_is_that_of_the_best_episode():
    stack = staged(20, 2, H=3)
    for h in range(3):
        episodes = Rollouts(stack, 3, h).episodes
        assert largest_return(stack)[:, 2 * h : 2 * h + 2].max(axis=1) == pytest.approx(np.where(episodes.chance > 0, episodes.reward, 0).max(axis=1))


@pytest.mark.parametrize("A", [2, 3, 5])
def test_gradient_is_at_least_that_of_the_best_action_spread_over_the_others(A):
    """|pi (Q - V)|^2 >= A/(A-1) pi(a*)^2 gap^2; tight for two actions."""
    rng = np.random.default_rng(A)
    pi, Q = rng.dirichlet(np.ones(A), size=5000), rng.random((5000, A))
    square = ((pi * (Q - (pi * Q).sum(axis=1, keepdims=True))) ** 2).sum(axis=1)
    best = np.take_along_axis(pi, Q.argmax(axis=1)[:, None], axis=1)[:, 0]
    ratio = square / (A / (A - 1) * best**2 * (Q.max(axis=1) - (pi * Q).sum(axis=1)) ** 2)

    assert ratio.min() >= 1 - 1e-9
    assert ratio.min() < {2: 1 + 1e-9, 3: 1.01, 5: 1.5}[A]


@pytest.mark.parametrize("alpha", [1e-2, 0.25])
@pytest.mark.parametrize("C", [1.0, 4.0, 50.0])
def test_recursion_is_below_its_closed_form(alpha, C):
    """x_n <= (b/k)^(1/2) + 1/(k n) for two actions, M = B = S = 1, from the largest x; it comes within a factor of three."""
    k, b, x, n = 2 * alpha / C, alpha**2 / 8, 0.5, np.arange(1, 20_001)
    found = []
    for _ in n:
        x = min(x - k * x**2 + b, 1.0)
        found.append(x)
    ratio = np.array(found) / (np.sqrt(b / k) + 1 / (k * n))

    assert 1 / 3 < ratio.max() <= 1


@pytest.mark.parametrize(
    ("stack", "update", "assumption"),
    [
        (Stack.of([replace(lock(2), r=[[0.0, 0.0], [3.0, 0.0]])]), None, "rewards in [0, 1]"),
        (Stack.of([lock(2)]), Gradient(Constant(1.0)), "step S/(4H)"),
    ],
)
def test_what_is_not_assumed_is_named(stack, update, assumption):
    found = hold(rollouts(1), stack, 1, update=update)

    assert [what for what, so in found.assumptions.items() if not so.all()] == [assumption]
