"""Certified numbers: they contain the truth, they are narrow, and they agree with fractions where those exist."""

import sys
from fractions import Fraction
from math import comb

import numpy as np
import pytest

from pgtheory.tabular.errors import InvalidArgument, MissingExtra
from pgtheory.tabular.exact import balls
from pgtheory.tabular.exact.balls import (
    arcsine_success,
    ball,
    ball_derivatives,
    ball_law,
    entropy,
    floats,
    forward_kl,
    log_success,
    precision,
    reverse_kl,
    softmax_balls,
    standardised,
    state_entropy,
    state_reverse_kl,
    to_float,
)
from pgtheory.tabular.exact.estimators import group_weight, grouped, leave_one_out
from pgtheory.tabular.exact.jets import Jet
from pgtheory.tabular.exact.laws import exact_law, groups
from pgtheory.tabular.exact.programs import derivatives, expected_return, path_mean
from pgtheory.tabular.exact.programs import forward_kl as forward_kl_derivatives
from pgtheory.tabular.exact.programs import log_success as log_success_derivatives
from pgtheory.tabular.exact.rational import RationalMDP, policy_gradient
from pgtheory.tabular.exact.trajectories import trajectories
from pgtheory.tabular.models.bandit import Bandit
from pgtheory.tabular.models.token_tree import TokenTree

pytest.importorskip("flint")
F = Fraction
TREE = TokenTree(vocabulary=3, limit=2, reward=lambda prompt, tokens: float(tokens[0] == prompt), prompts=2)


@pytest.fixture
def tree():
    return RationalMDP.of(TREE)


@pytest.fixture
def pi(policy):
    return policy(71, 6, 3)


@pytest.fixture
def ref(policy):
    return policy(72, 6, 3)


def holds(x, fraction):
    """Whether a ball contains a fraction."""
    with precision():
        return bool(x.overlaps(ball(fraction)))


def same(certified: Jet, exact: Jet) -> bool:
    """Whether gradient and Hessian of a jet of balls contain the fractions, and are narrow."""
    pairs = list(zip(certified.gradient, exact.gradient, strict=True))
    pairs += [(x, y) for row, other in zip(certified.lower, exact.lower, strict=True) for x, y in zip(row, other, strict=True)]
    return all(holds(x, y) and float(x.rad()) < 1e-30 for x, y in pairs)


# What exists as a fraction


@pytest.mark.parametrize("kind", ["discounted", "horizon", "episodic"])
def test_the_return_on_balls_contains_the_return_in_fractions(model, policy, kind):
    mdp, pi = RationalMDP.of(model(73, S=3, kind=kind, reward="move")), policy(74, 3, 2)
    certified, exact = ball_derivatives(expected_return, mdp, pi), derivatives(expected_return, mdp, pi)

    assert same(certified, exact)
    assert to_float(certified.value) == pytest.approx(float(exact.value), rel=1e-15)


def test_derivatives_of_logarithms_contain_their_fractions(tree, pi, ref):
    assert same(ball_derivatives(log_success, tree, pi), derivatives(log_success_derivatives, tree, pi))
    assert same(ball_derivatives(forward_kl(ref), tree, pi), derivatives(forward_kl_derivatives(ref), tree, pi))


def test_a_gradient_off_by_1e_20_is_caught(tree, pi):
    """The planted bug is far below float64 and still outside the ball."""
    certified, exact = ball_derivatives(log_success, tree, pi), derivatives(log_success_derivatives, tree, pi)
    off = Jet(exact.value, (exact.gradient[0] + F(1, 10**20), *exact.gradient[1:]), exact.lower)

    assert same(certified, exact)
    assert not same(certified, off)


# Definitions


def test_softmax_of_real_logits():
    """exp(log 2) / (exp(log 2) + 1): the float nearest to log 2 is not log 2, and the ball knows: it is narrow around a number next to 2/3."""
    (row,) = softmax_balls([[float(np.log(2)), 0.0]])

    assert float(row[0].rad()) < 1e-30
    assert to_float(row[0]) == pytest.approx(2 / 3, rel=1e-15)
    assert not holds(row[0], F(2, 3))
    with precision():
        assert holds(row[0] + row[1], F(1))


def log_likelihood_ratio(path, top, bottom):
    return sum(ball(top[s][a]).log() - (ball(bottom[s][a]).log() if bottom else 0) for s, a, _ in path.steps)


def test_divergences_of_sequences_are_sums_over_sequences(tree, pi, ref):
    """Entropy -sum p log p and KL sum p log p/q over all completions of all prompts, against the recursions over states."""
    with precision():
        mean = lambda law, f: sum(ball(tree.mu[path.start] * path.probability(law)) * f(path) for path in trajectories(tree))
        expected = {
            "entropy": -mean(pi, lambda path: log_likelihood_ratio(path, pi, None)),
            "reverse": mean(pi, lambda path: log_likelihood_ratio(path, pi, ref)),
            "forward": mean(ref, lambda path: log_likelihood_ratio(path, ref, pi)),
        }
        programs = {"entropy": entropy, "reverse": reverse_kl(ref), "forward": forward_kl(ref)}

        for name, program in programs.items():
            found = ball_derivatives(program, tree, pi).value
            assert found.overlaps(expected[name])
            assert float(found.rad()) < 1e-30


def test_gradients_of_divergences_are_those_of_the_score_function(tree, pi, ref):
    """grad E[c] = E[c S] for c = log p/q of the sequence: the explicit part E[grad c] = E[S] vanishes (entropy: c = -log p)."""

    def score(path):
        found = [F(0)] * 18
        for s, a, _ in path.steps:
            for b in range(3):
                found[3 * s + b] += (a == b) - pi[s][b]
        return found

    with precision():
        for program, sign, bottom in ((entropy, -1, None), (reverse_kl(ref), 1, ref)):
            parts = [(ball(path.probability(pi) / 2) * sign * log_likelihood_ratio(path, pi, bottom), score(path)) for path in trajectories(tree)]
            gradient = ball_derivatives(program, tree, pi).gradient
            for i in range(18):
                assert gradient[i].overlaps(sum(c * ball(S[i]) for c, S in parts))


def test_kl_is_least_at_the_reference(tree, ref):
    """Value and gradient vanish, the Hessian is the Fisher information: the same for both directions."""
    reverse, forward = ball_derivatives(reverse_kl(ref), tree, ref), ball_derivatives(forward_kl(ref), tree, ref)

    for jet in (reverse, forward):
        assert to_float(jet.value) == pytest.approx(0, abs=1e-30)
        assert max(abs(to_float(x)) for x in jet.gradient) < 1e-30
    assert all(x.overlaps(y) for row, other in zip(reverse.lower, forward.lower, strict=True) for x, y in zip(row, other, strict=True))


def test_state_level_is_the_sequence_level_where_there_is_one_step(policy):
    bandit, pi, ref = RationalMDP.of(Bandit(r=[[0.0, 1.0, 2.0]] * 2)), policy(75, 2, 3), policy(76, 2, 3)
    weights = (F(1, 2), F(1, 2))

    for sequence, state in ((entropy, state_entropy(weights)), (reverse_kl(ref), state_reverse_kl(ref, weights))):
        a, b = ball_derivatives(sequence, bandit, pi), ball_derivatives(state, bandit, pi)
        assert a.value.overlaps(b.value)
        assert all(x.overlaps(y) for x, y in zip((*a.gradient, *sum(a.lower, ())), (*b.gradient, *sum(b.lower, ())), strict=True))


def test_arcsine_of_success(tree, pi):
    """grad = sum_x mu grad p / sqrt(p (1-p)); at p = 1/4 the value is pi/3 and the slope 4/sqrt 3, with the curvature (2p-1)/2 slope^3."""
    jet = ball_derivatives(arcsine_success, tree, pi)
    p = [derivatives(path_mean(lambda path: int(path.total() == 1), start=x), tree, pi) for x in (0, 3)]
    with precision() as flint:
        expected = [sum(ball(q.gradient[i] / 2) / ball(q.value * (1 - q.value)).sqrt() for q in p) for i in range(18)]
        assert all(x.overlaps(y) for x, y in zip(jet.gradient, expected, strict=True))
        quarter = balls.arcsine(Jet(ball(F(1, 4)), (ball(1),), ((ball(0),),)))
        assert quarter.value.overlaps(flint.arb.pi() / 3)
        assert quarter.gradient[0].overlaps(4 / ball(3).sqrt())
        assert quarter.lower[0][0].overlaps(-ball(F(1, 4)) * (4 / ball(3).sqrt()) ** 3)


@pytest.mark.parametrize("G", [2, 3, 6])
def test_the_weight_of_standardised_groups(G):
    """P057 C2: with the population std, w_G(p) = E[sqrt(K(G-K))] / (G p (1-p)), K ~ Binomial(G, p); at G = 2 it is 1."""
    p = F(3, 7)
    with precision():
        weight = group_weight(standardised(), ball(p), G)
        mean = sum(comb(G, k) * ball(p**k * (1 - p) ** (G - k)) * ball(k * (G - k)).sqrt() for k in range(G + 1))
        assert weight.overlaps(mean / ball(G * p * (1 - p)))
        assert to_float(weight) == pytest.approx(1.0 if G == 2 else to_float(mean) / float(G * p * (1 - p)), rel=1e-15)
        with_epsilon = group_weight(standardised(epsilon=F(1, 10), ddof=1), ball(p), G)
        assert to_float(with_epsilon) < to_float(weight)


def test_the_law_on_balls(policy):
    """Rational weights: the balls contain the fractions. Standardised weights: mean w_G grad p, in its own tree of two prompts."""
    mdp, pi = RationalMDP.of(Bandit(r=[[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]])), policy(77, 2, 3)
    exact = exact_law(grouped(leave_one_out, 2), groups(mdp, pi, size=2), pi)
    certified = ball_law(grouped(leave_one_out, 2), groups(mdp, pi, size=2), pi)
    law = ball_law(grouped(standardised(), 3), groups(mdp, pi, size=3, prompts=1), pi)

    with precision():
        assert all(holds(x, y) for x, y in zip(certified.mean, exact.mean, strict=True))
        assert all(holds(x, y) for row, other in zip(certified.covariance, exact.covariance, strict=True) for x, y in zip(row, other, strict=True))
        for s, p in enumerate((pi[0][0], pi[1][1] + pi[1][2])):
            weight, slope = group_weight(standardised(), ball(p), 3), policy_gradient(mdp, pi)[s]
            assert all(law.mean[3 * s + a].overlaps(weight * ball(slope[a])) for a in range(3))


# Certification


def test_numbers_come_out_as_floats(tree, pi):
    value, gradient, hessian = floats(ball_derivatives(entropy, tree, pi))

    assert isinstance(value, float)
    assert gradient.shape == (18,)
    assert np.array_equal(hessian, hessian.T)


def test_a_wide_ball_is_refused(tree, pi):
    with precision(64) as flint:
        with pytest.raises(InvalidArgument, match="Work with more bits"):
            to_float(ball(F(1, 3)))
        with pytest.raises(InvalidArgument, match="not certain"):
            to_float(flint.arb("inf"))
    with pytest.raises(InvalidArgument, match="Work with more bits"):
        floats(ball_derivatives(entropy, tree, pi, bits=80))


def test_the_precision_before_is_restored():
    with precision(64) as flint:
        with precision(256):
            assert flint.ctx.prec == 256
        assert flint.ctx.prec == 64


def test_without_flint_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "flint", None)
    with pytest.raises(MissingExtra, match=r"pgtheory\[exact\]"):
        softmax_balls([[0.0]])
