"""Many problems at once: values in fractions over all deterministic policies, one by one with `optimal`, ties that must not cycle, and long ways to go."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from pgtheory.tabular.dynamics.policy_iteration import policy_iteration
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.errors import InvalidModel
from pgtheory.tabular.models.classic import chain, lock
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.solve.optimal import optimal


def exact(stack: Stack, n: int) -> list[Fraction]:
    """V* of two states by Cramer's rule for each of the policies, in the fractions that the floats are."""
    number = lambda x: Fraction(float(x))
    gamma, found = number(stack.gamma[n]), []
    for a, b in product(range(stack.A), repeat=2):
        (p, q), (u, v) = ([gamma * number(x) for x in stack.P[n, s, act]] for s, act in ((0, a), (1, b)))
        r, t = number(stack.r[n, 0, a]), number(stack.r[n, 1, b])
        det = (1 - p) * (1 - v) - q * u
        found.append([((1 - v) * r + q * t) / det, (u * r + (1 - p) * t) / det])
    return [max(values) for values in zip(*found, strict=True)]


def dyadic(N: int, seed: int = 0) -> Stack:
    """Two states, three actions; probabilities in sixteenths, rewards of all sizes, every discount up to 0.999, and 1 where each action may end."""
    rng = np.random.default_rng(seed)
    P = rng.multinomial(16, [0.4, 0.4, 0.2], size=(N, 2, 3))[..., :2] / 16
    r = rng.integers(-8, 9, size=(N, 2, 3)) * 2.0 ** rng.integers(-10, 11, size=(N, 1, 1))
    gamma = np.where((P.sum(axis=3) < 1).all(axis=(1, 2)), 1.0, rng.choice([0.0, 0.25, 0.5, 0.9, 0.999], size=N))
    return Stack(P=P, r=r, mu=np.full((N, 2), 0.5), gamma=gamma)


def test_values_are_right_within_their_bounds():
    stack = dyadic(200)
    V, bound = policy_iteration(stack)
    assert 50 < (stack.gamma == 1).sum() < 190

    for n in range(stack.N):
        error = max(abs(Fraction(float(x)) - y) for x, y in zip(V[n], exact(stack, n), strict=True))
        assert error <= Fraction(float(bound[n]))
    assert (bound <= 1e-9 * (1 + abs(V).max(axis=1))).all()


def test_together_is_one_by_one(stacks):
    stack = stacks(N=60, S=6, A=4, gammas=(0.9, 0.5, 0.0, 0.999))
    V, bound = policy_iteration(stack)

    for n, model in enumerate(stack.models):
        alone = optimal(model)
        assert abs(V[n] - alone.V).max() <= bound[n] + alone.bound
        assert bound[n] <= 4 * alone.bound  # no worse a proof


@pytest.mark.parametrize("model", [chain(30), lock(9), MDP(P=np.full((5, 3, 5), 0.2), r=np.ones((5, 3)) / 3, mu=np.eye(5)[0], gamma=0.99)])
def test_long_ways_and_ties_come_to_an_end(model):
    """A goal that is seen step by step, and actions that are all alike, beside a problem that is done at once."""
    discounted = MDP(P=model.P, r=model.r, mu=model.mu, gamma=0.97)
    easy = MDP(P=np.zeros_like(model.P), r=model.r, mu=model.mu, gamma=0.5)
    V, bound = policy_iteration(Stack.of([easy, discounted, easy]))

    assert abs(V[1] - optimal(discounted).V).max() <= bound[1] + optimal(discounted).bound
    assert (V[0] == easy.mean_reward.max(axis=1)).all() and (V[2] == V[0]).all()


def test_rewards_of_all_sizes_keep_their_digits():
    """The same problem in other units has the same value in these units: margins are relative to the rewards."""
    stack = dyadic(20, seed=1)
    scaled = Stack(P=stack.P, r=stack.r * 2.0**-60, mu=stack.mu, gamma=stack.gamma)

    assert (policy_iteration(scaled)[0] * 2.0**60 == policy_iteration(stack)[0]).all()


def test_no_problem_is_no_work():
    V, bound = policy_iteration(dyadic(2).taken(np.array([], dtype=int)))
    assert V.shape == (0, 2) and bound.shape == (0,)


def test_values_that_overflow_are_refused_and_not_iterated_for_ever():
    """Rewards of 1e307 for a hundred steps: every gain is NaN, which no comparison ends. One by one as well."""
    rng = np.random.default_rng(0)
    model = MDP(P=rng.dirichlet(np.ones(3), (3, 2)), r=1e307 * rng.uniform(0.5, 1, (3, 2)), mu=np.ones(3) / 3, gamma=0.99)
    for solved in (lambda: policy_iteration(Stack.of([model])), lambda: optimal(model, method="policy-iteration")):
        with np.errstate(all="ignore"), pytest.raises(InvalidModel, match=r"as large as \d\.\d+e\+30[67], and values overflow float64"):
            solved()
