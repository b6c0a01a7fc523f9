"""Objectives as programs: closed forms, and the score-function identities of their derivatives."""

import sys
from fractions import Fraction
from itertools import product
from math import comb

import pytest

from pgtheory.tabular.exact.arithmetic import exact_policy
from pgtheory.tabular.exact.programs import (
    derivatives,
    expected_return,
    forward_kl,
    inverse_length,
    length,
    log_success,
    max_of,
    occupancy,
    pass_at,
    path_mean,
    per_prompt,
    return_per_length,
    truncated_log_likelihood,
)
from pgtheory.tabular.exact.rational import RationalMDP, evaluate_exactly
from pgtheory.tabular.exact.trajectories import trajectories
from pgtheory.tabular.models.token_tree import TokenTree

F = Fraction
TREE = TokenTree(vocabulary=3, limit=2, reward=lambda prompt, tokens: float(tokens[0] == prompt), prompts=2, mu=[0.25, 0.75])
MULTI = TokenTree(vocabulary=3, limit=2, reward=lambda prompt, tokens: float(sum(tokens) - 2 * prompt), prompts=2)


@pytest.fixture
def tree():
    return RationalMDP.of(TREE)


@pytest.fixture
def pi(policy):
    return policy(41, 6, 3)


def score(path, pi):
    """sum_t grad log pi(a_t|s_t) in logits, (S*A,)."""
    found = [F(0)] * (len(pi) * len(pi[0]))
    for s, a, _ in path.steps:
        for b, p in enumerate(pi[s]):
            found[s * len(pi[0]) + b] += (a == b) - p
    return found


def bend(path, pi):
    """sum_t second derivative of log pi(a_t|s_t): -(diag pi - pi pi') for every visit of s."""
    A = len(pi[0])
    H = [[F(0)] * (len(pi) * A) for _ in range(len(pi) * A)]
    for s, _, _ in path.steps:
        for b, c in product(range(A), repeat=2):
            H[s * A + b][s * A + c] -= pi[s][b] * ((b == c) - pi[s][c])
    return H


@pytest.mark.parametrize(
    "f", [lambda path: path.total(), lambda path: path.total() / len(path.steps), lambda path: len(path.steps)], ids=["R", "R/L", "L"]
)
def test_a_mean_over_paths_has_the_derivatives_of_the_score_function(f, pi):
    """grad E[f] = E[f S], Hessian E[f] = E[f (S S' + H)]: sums over trajectories written out."""
    mdp = RationalMDP.of(MULTI)
    jet = derivatives(path_mean(f), mdp, pi)
    paths = [(mdp.mu[path.start] * path.probability(pi) * f(path), score(path, pi), bend(path, pi)) for path in trajectories(mdp)]
    D = range(18)

    assert jet.value == sum(p for p, _, _ in paths)
    assert jet.gradient == tuple(sum(p * S[i] for p, S, _ in paths) for i in D)
    assert jet.hessian == [[sum(p * (S[i] * S[j] + H[i][j]) for p, S, H in paths) for j in D] for i in D]


def test_the_return_by_elimination_is_the_mean_over_paths(pi):
    mdp = RationalMDP.of(MULTI)
    by_elimination, by_paths = (derivatives(f, mdp, pi) for f in (expected_return, path_mean(lambda path: path.total())))

    assert by_elimination.value == by_paths.value
    assert by_elimination.gradient == by_paths.gradient
    assert by_elimination.lower == by_paths.lower


def test_named_functionals_are_their_definitions(tree, pi):
    paths = [(tree.mu[path.start] * path.probability(pi), path) for path in trajectories(tree)]
    mean = lambda f: sum(p * f(path) for p, path in paths)

    assert derivatives(length, tree, pi).value == mean(lambda path: len(path.steps))
    assert derivatives(inverse_length, tree, pi).value == mean(lambda path: F(1, len(path.steps)))
    assert derivatives(return_per_length, tree, pi).value == mean(lambda path: path.total() / len(path.steps))


def success(tree, pi, start):
    """p_x and its derivatives: the first token decides."""
    return derivatives(path_mean(lambda path: int(path.total() == 1), start=start), tree, pi)


def test_success_of_the_first_token_is_its_probability(tree, pi):
    assert success(tree, pi, 0).value == pi[0][0]
    assert success(tree, pi, 3).value == pi[3][1]


@pytest.mark.parametrize("k", [1, 2, 5])
def test_pass_at_k_counts_tuples_of_completions(tree, pi, k):
    """Value: 1 - the chance that k independent completions all fail, as a binomial sum; gradient: k (1-p)^(k-1) grad p for each prompt."""
    jet = derivatives(pass_at(k), tree, pi)
    parts = [(F(1, 4), success(tree, pi, 0)), (F(3, 4), success(tree, pi, 3))]

    assert jet.value == sum(m * sum(comb(k, j) * p.value**j * (1 - p.value) ** (k - j) for j in range(1, k + 1)) for m, p in parts)
    assert jet.gradient == tuple(sum(m * k * (1 - p.value) ** (k - 1) * p.gradient[i] for m, p in parts) for i in range(18))


def test_the_harmonic_sum_of_pass_at_k_is_the_truncated_likelihood(tree, pi):
    """P039 C1: grad J_N = sum_{k<=N} grad pass@k / k = sum_x mu w_N(p_x) grad p_x, w_N(p) = (1 - (1-p)^N)/p; Hessians likewise."""
    N = 4
    jet = derivatives(truncated_log_likelihood(N), tree, pi)
    each = [derivatives(pass_at(k), tree, pi) for k in range(1, N + 1)]
    parts = [(F(1, 4), success(tree, pi, 0)), (F(3, 4), success(tree, pi, 3))]

    assert jet.gradient == tuple(sum(x.gradient[i] / k for k, x in enumerate(each, 1)) for i in range(18))
    assert jet.gradient == tuple(sum(m * (1 - (1 - p.value) ** N) / p.value * p.gradient[i] for m, p in parts) for i in range(18))
    assert jet.hessian == [[sum(x.hessian[i][j] / k for k, x in enumerate(each, 1)) for j in range(18)] for i in range(18)]


def test_log_likelihood_has_the_gradient_of_the_conditional_score(tree, pi):
    """E[S | success] = grad log p, and the value is zero by the convention of `log_quotient`."""
    jet = derivatives(log_success, tree, pi)
    expected = [F(0)] * 18
    for start, mass in ((0, F(1, 4)), (3, F(3, 4))):
        won = [(path.probability(pi), score(path, pi)) for path in trajectories(tree) if path.start == start and path.total() == 1]
        p = sum(q for q, _ in won)
        expected = [x + mass * sum(q * S[i] for q, S in won) / p for i, x in enumerate(expected)]

    assert jet.value == 0
    assert list(jet.gradient) == expected


@pytest.mark.parametrize("k", [1, 2, 3])
def test_best_of_k_counts_tuples_of_completions(pi, k):
    """All tuples of k completions of each prompt, their largest reward, their probability."""
    mdp = RationalMDP.of(MULTI)
    total = F(0)
    for start in (0, 3):
        law = [(path.probability(pi), path.total()) for path in trajectories(mdp) if path.start == start]
        for rows in product(law, repeat=k):
            p = F(1, 2)
            for q, _ in rows:
                p *= q
            total += p * max(r for _, r in rows)

    assert derivatives(max_of(k), mdp, pi).value == total


def test_best_of_one_is_the_return(pi):
    mdp = RationalMDP.of(MULTI)
    one, J = derivatives(max_of(1), mdp, pi), derivatives(expected_return, mdp, pi)

    assert (one.value, one.gradient, one.lower) == (J.value, J.gradient, J.lower)


def test_forward_kl_pulls_towards_the_reference(tree, pi, policy):
    """Gradient in logits: -d(s) (ref(a|s) - pi(a|s)) with d the occupancy of ref; Hessian d(s) (diag pi - pi pi'); both vanish nowhere but at ref."""
    ref = policy(43, 6, 3)
    d = evaluate_exactly(tree, ref).occupancy
    jet = derivatives(forward_kl(ref), tree, pi)

    assert list(jet.gradient) == [-d[s] * (ref[s][a] - pi[s][a]) for s in range(6) for a in range(3)]
    assert jet.hessian[0][:3] == [d[0] * pi[0][0] * ((b == 0) - pi[0][b]) for b in range(3)]
    assert not any(derivatives(forward_kl(ref), tree, ref).gradient)
    assert derivatives(forward_kl(ref, weights=tuple(d)), tree, pi).gradient == jet.gradient


def test_visits_counted_on_paths_are_the_occupancy(tree, pi):
    assert occupancy(tree, exact_policy(pi)) == evaluate_exactly(tree, pi).occupancy


def test_a_function_of_each_prompt_is_averaged_over_prompts(tree, pi):
    """Phi(p) = p^2 is not the square of the mean: the planted confusion of the two gives another number."""
    p = [success(tree, pi, 0).value, success(tree, pi, 3).value]
    jet = derivatives(per_prompt(lambda x: x * x), tree, pi)

    assert jet.value == F(1, 4) * p[0] ** 2 + F(3, 4) * p[1] ** 2
    assert jet.value != (F(1, 4) * p[0] + F(3, 4) * p[1]) ** 2


@pytest.mark.parametrize("program", [truncated_log_likelihood(3), max_of(2), log_success, inverse_length, forward_kl([[F(1, 3)] * 3] * 6)])
def test_derivatives_do_not_depend_on_flint(tree, pi, program, monkeypatch):
    fast = derivatives(program, tree, pi)
    monkeypatch.setitem(sys.modules, "flint", None)
    slow = derivatives(program, tree, pi)

    assert (fast.value, fast.gradient, fast.lower) == (slow.value, slow.gradient, slow.lower)
    assert all(isinstance(x, Fraction) for x in (slow.value, *slow.gradient))
