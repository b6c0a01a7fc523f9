"""The float64 tier against tier 1: evaluation and objectives to 1e-12. `pytest -s tests/tabular/exact` prints the table of largest relative errors."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse as sp

from pgtheory.tabular.exact.balls import (
    arcsine_success,
    ball_derivatives,
    entropy,
    forward_kl,
    log_success,
    reverse_kl,
    state_entropy,
    state_reverse_kl,
)
from pgtheory.tabular.exact.jets import Jet
from pgtheory.tabular.exact.programs import (
    Program,
    derivatives,
    expected_return,
    inverse_length,
    length,
    max_of,
    pass_at,
    per_prompt,
    return_per_length,
    truncated_log_likelihood,
)
from pgtheory.tabular.exact.rational import Move, RationalMDP, evaluate_exactly, optimal_value
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.models.token_tree import TokenTree
from pgtheory.tabular.objectives.catalogue import catalogue
from pgtheory.tabular.objectives.derivatives import probability_gradient
from pgtheory.tabular.objectives.regularisers import Entropy, ForwardKL, ReverseKL
from pgtheory.tabular.objectives.returns import Return, ReturnAt, return_gradient_with_bound
from pgtheory.tabular.objectives.success import PerPrompt
from pgtheory.tabular.policies.direct import Direct
from pgtheory.tabular.policies.log_linear import LogLinear
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.scene import Scene
from pgtheory.tabular.solve.evaluation import evaluate
from pgtheory.tabular.solve.optimal import METHODS, optimal

pytest.importorskip("flint")
F = Fraction

KINDS = ["discounted", "horizon", "episodic", "forward"]
REWARDS = ["pair", "move", "outcomes"]


def test_an_error_of_1e_11_is_caught_and_rounding_is_not(ledger):
    book, third = type(ledger)(), [[F(1, 3), F(1)]]

    book.compare("rounding", [1 / 3, 1.0], third)
    assert 0 < book.errors["rounding"] < 1e-16
    assert "rounding" in str(book)
    for bad in ([1 / 3 + 1e-11, 1.0], [float("nan"), 1.0]):
        with pytest.raises((AssertionError, ValueError)):
            book.compare("planted", bad, third)
    with pytest.raises(AssertionError, match="1 numbers against 2"):
        book.compare("shape", [1.0], third)


# Models and policies


def policy_of(table) -> Softmax:
    return Softmax.of(np.array([[float(x) for x in row] for row in table]))


def sparse(mdp: MDP) -> MDP:
    """The same model with sparse P (and r, where it stands on moves)."""
    shape = (mdp.S * mdp.A, mdp.S)
    r = mdp.r if mdp.r.ndim == 2 else sp.csr_array(mdp.r.reshape(shape))
    return replace(mdp, P=sp.csr_array(mdp.P.reshape(shape)), r=r, r2=None, outcomes=None)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("reward", REWARDS)
def test_evaluation(model, policy, ledger, kind, reward):
    floats, pi = model(81, S=4, A=3, kind=kind, reward=reward), policy(82, 4, 3)
    exact = evaluate_exactly(RationalMDP.of(floats), pi)

    for form in (floats, sparse(floats)):
        found = evaluate(form, policy_of(pi))
        for name in ("V", "Q", "advantage", "occupancy", "J"):
            ledger.compare(name, getattr(found, name), getattr(exact, name))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("reward", REWARDS)
def test_return_and_its_derivatives(model, policy, ledger, kind, reward):
    floats, pi = model(83, S=3, A=3, kind=kind, reward=reward), policy(84, 3, 3)
    jet = derivatives(expected_return, RationalMDP.of(floats), pi)

    for form in (floats, sparse(floats)):
        scene = Scene.of(form, policy_of(pi))
        compare_objective(ledger, Return(), scene, jet)


def compare_objective(ledger, objective, scene: Scene, jet: Jet) -> None:
    ledger.compare(f"{objective.name}: value", objective.value(scene), jet.value)
    ledger.compare(f"{objective.name}: gradient", objective.gradient(scene), jet.gradient)
    ledger.compare(f"{objective.name}: Hessian", objective.hessian(scene), jet.hessian)


@pytest.mark.parametrize("kind", ["discounted", "horizon"])
def test_shared_parameters(model, policy, ledger, kind):
    """theta -> logits is linear: gradient X' g and Hessian X' H X, X = (S*A, D) with small integers; probabilities rational since theta = 0 leaves uniform."""
    floats = model(85, S=3, A=2, kind=kind)
    X = np.random.default_rng(0).integers(-2, 3, size=(3, 2, 4))
    jet = derivatives(expected_return, RationalMDP.of(floats), [[F(1, 2)] * 2] * 3)
    rows = X.reshape(6, 4).tolist()
    gradient = [sum(rows[i][d] * jet.gradient[i] for i in range(6)) for d in range(4)]
    H = jet.hessian
    hessian = [[sum(rows[i][d] * H[i][j] * rows[j][e] for i in range(6) for j in range(6)) for e in range(4)] for d in range(4)]

    scene = Scene.of(floats, LogLinear(np.zeros(4), X.astype(float)))

    ledger.compare("J, shared theta: gradient", Return().gradient(scene), gradient)
    ledger.compare("J, shared theta: Hessian", Return().hessian(scene), hessian)


@pytest.mark.parametrize("kind", KINDS)
def test_direct_parameters(model, policy, ledger, kind):
    """Plain partial derivatives: each probability moves alone, off the simplex."""
    floats, pi = model(86, S=3, A=3, kind=kind), policy(87, 3, 3)
    jet = derivatives(expected_return, RationalMDP.of(floats), pi, coordinates="direct")

    compare_objective(ledger, Return(), Scene.of(floats, Direct(np.array(pi, dtype=float))), jet)


def binary(mdp: MDP) -> RationalMDP:
    """The model with the very numbers that its floats are; what a row misses of one goes to the end, with the same reward."""
    row = lambda s, a: [(F(p), t) for t, p in enumerate(mdp.P[s, a].tolist())]
    law = lambda s, a: tuple(Move(p, t, F(mdp.r[s, a].item())) for p, t in [*row(s, a), (1 - sum(p for p, _ in row(s, a)), -1)])
    moves = tuple(tuple(law(s, a) for a in range(mdp.A)) for s in range(mdp.S))
    return RationalMDP(moves=moves, mu=tuple(map(F, mdp.mu.tolist())), gamma=F(mdp.gamma), horizon=mdp.horizon)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_proven_bounds_hold_for_the_floats_as_they_are(model, kind, seed):
    """|V - exact| <= bound and |gradient - exact| <= bound, inequalities between fractions, and neither bound is above 1e-11."""
    floats = model(seed, S=4, A=2, kind=kind)
    theta = Softmax(np.random.default_rng(seed).normal(size=(4, 2)))
    exact = evaluate_exactly(binary(floats), [[F(x) for x in row] for row in theta.probabilities.tolist()])
    steps = [(exact.occupancy, exact.Q)] if floats.horizon is None else list(zip(exact.occupancy, exact.Q, strict=True))
    slopes = probability_gradient(theta).tolist()
    mean = lambda i: sum(d[s] * Q[s][a] * F(slopes[s][a][i]) for d, Q in steps for s in range(4) for a in range(2))

    found = evaluate(floats, theta)
    gradient, bound = return_gradient_with_bound(floats, theta)

    flat = exact.V if floats.horizon is None else [v for step in exact.V for v in step]
    assert max(abs(F(v) - x) for v, x in zip(found.V.ravel().tolist(), flat, strict=True)) <= F(found.bound) < 1e-11
    assert max(abs(F(g) - mean(i)) for i, g in enumerate(gradient.tolist())) <= F(bound) < 1e-11


# Optimum


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_optimal_value_by_policy_iteration(model, ledger, kind, seed):
    """V* of every step and the best actions; with a horizon both tiers go backwards in time."""
    floats = model(seed, S=4, A=3, kind=kind)
    V, actions = optimal_value(RationalMDP.of(floats))
    found = optimal(floats)

    ledger.compare("V*", found.V if floats.horizon is None else found.V[0], V)
    assert found.policy.tolist() == actions


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", METHODS)
def test_proven_bounds_of_the_optimum_hold_for_the_floats_as_they_are(model, kind, method):
    """|V - V*| <= bound, an inequality between fractions; the bound is ten digits of the largest value, or rounding."""
    floats = model(5, S=4, A=3, kind=kind)
    V, _ = optimal_value(binary(floats))
    found = optimal(floats, method=method)

    first = found.V if floats.horizon is None else found.V[0]
    assert max(abs(F(v) - x) for v, x in zip(first.tolist(), V, strict=True)) <= F(found.bound) <= max(map(abs, V)) / 10**10 + F(1, 10**11)


# Objectives

BINARY = TokenTree(vocabulary=3, limit=2, reward=lambda prompt, tokens: float(tokens[0] == prompt or sum(tokens) == 3), prompts=2, mu=[0.25, 0.75])
VALUED = TokenTree(vocabulary=3, limit=2, reward=lambda prompt, tokens: sum(tokens) / 2 - prompt, prompts=2, token_reward=lambda prompt, prefix: 0.25)


def visits_of(mdp: RationalMDP, pi) -> tuple[Fraction, ...]:
    """Undiscounted occupancy, all steps together."""
    free = RationalMDP(moves=mdp.moves, mu=mdp.mu, gamma=F(1), horizon=mdp.horizon)
    found = evaluate_exactly(free, pi).occupancy
    return tuple(found) if mdp.horizon is None else tuple(sum(column, F(0)) for column in zip(*found, strict=True))


def numbered(name: str) -> Program | None:
    """The rational program of an objective with a number in its name."""
    for start, program in (("pass@", pass_at), ("truncated log-likelihood of order ", truncated_log_likelihood), ("E[max of ", max_of)):
        if name.startswith(start):
            return program(int(name[len(start) :].rstrip("]")))
    return None


RATIONAL: dict[str, Program] = {
    "J": expected_return,
    "undiscounted return": lambda mdp, pi: expected_return(mdp, pi, gamma=mdp.gamma / mdp.gamma),
    "E[R/L]": return_per_length,
    "E[L]": length,
    "E[1/L]": inverse_length,
}


def reference(name: str, mdp: RationalMDP, pi, ref, weights) -> Jet:
    """The objective with this name in tier 1: a rational program, or one on balls. `weights` are those of the state level."""
    if rational := numbered(name) or RATIONAL.get(name):
        return derivatives(rational, mdp, pi)
    certified = {"log p": log_success, "2 arcsin sqrt p": arcsine_success, "entropy": entropy, "state entropy": state_entropy(weights)}
    if ref is not None:
        certified |= {"reverse KL": reverse_kl(ref), "forward KL": forward_kl(ref, weights=visits_of(mdp, ref))}
        certified |= {"state reverse KL": state_reverse_kl(ref, weights), "state forward KL": forward_kl(ref, weights=weights)}
    return ball_derivatives(certified[name], mdp, pi)


@pytest.mark.parametrize("fixed_sampler", [True, False], ids=["sampler", "no-sampler"])
@pytest.mark.parametrize("name", ["binary", "valued", "forward"])
def test_every_objective_of_the_catalogue(model, policy, ledger, name, fixed_sampler):
    """With a sampler of its own the state level has its visits for weights, else 1; here every state can be reached."""
    problem = {"binary": BINARY, "valued": VALUED}.get(name) or model(91, S=3, A=2, kind="forward", reward="move")
    mdp = RationalMDP.of(problem)
    pi, ref, old = (policy(seed, mdp.S, mdp.A) for seed in (92, 93, 94))
    scene = Scene.of(problem, policy_of(pi), ref=policy_of(ref), **({"sampler": policy_of(old)} if fixed_sampler else {}))

    objectives = catalogue(scene, group=3)

    assert len(objectives) >= 10
    for objective in objectives:
        weights = visits_of(mdp, old) if fixed_sampler else (F(1),) * mdp.S
        compare_objective(ledger, objective, scene, reference(objective.name, mdp, pi, ref, weights))


@pytest.mark.parametrize("kind", ["horizon", "episodic"])
@pytest.mark.parametrize("level", ["sequence", "state"])
def test_divergences_of_models_with_cycles(model, policy, ledger, kind, level):
    floats, pi, ref = model(95, S=3, kind=kind), policy(96, 3, 2), policy(97, 3, 2)
    mdp = RationalMDP.of(floats)
    scene = Scene.of(floats, policy_of(pi), ref=policy_of(ref))

    for objective in (Entropy(level=level), ReverseKL(level=level), ForwardKL(level=level)):
        compare_objective(ledger, objective, scene, reference(objective.name, mdp, pi, ref, (F(1),) * 3))


@pytest.mark.parametrize("kind", ["discounted", "horizon"])
def test_the_return_at_another_discount(model, policy, ledger, kind):
    floats, pi = model(98, S=3, kind=kind), policy(99, 3, 2)
    half = lambda mdp, pi: expected_return(mdp, pi, gamma=mdp.gamma / (2 * mdp.gamma))

    compare_objective(ledger, ReturnAt(gamma=0.5), Scene.of(floats, policy_of(pi)), derivatives(half, RationalMDP.of(floats), pi))


def test_a_function_of_the_success_probability_of_ones_own(policy, ledger):
    """Phi(p) = p^2 / (1 + p), Phi' = (p^2 + 2p)/(1+p)^2, Phi'' = 2/(1+p)^3: tier 1 gets only the first formula."""
    mdp = RationalMDP.of(BINARY)
    pi = policy(100, mdp.S, mdp.A)
    own = PerPrompt(lambda p: p**2 / (1 + p), lambda p: (p**2 + 2 * p) / (1 + p) ** 2, lambda p: 2 / (1 + p) ** 3, "p^2/(1+p)")

    compare_objective(ledger, own, Scene.of(BINARY, policy_of(pi)), derivatives(per_prompt(lambda p: p * p / (1 + p)), mdp, pi))
