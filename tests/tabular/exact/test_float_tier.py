"""The float64 tier against tier 1: every quantity to 1e-12. `pytest -s` prints the table of largest relative errors."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse as sp

from pgtheory.tabular.estimators.baselines import ExactValue
from pgtheory.tabular.estimators.policy_gradient import PolicyGradient
from pgtheory.tabular.estimators.registry import BUILTIN
from pgtheory.tabular.estimators.reinforce import WholeReturn
from pgtheory.tabular.exact.balls import (
    arcsine_success,
    ball,
    ball_derivatives,
    ball_law,
    entropy,
    forward_kl,
    log_success,
    precision,
    reverse_kl,
    standardised,
    state_entropy,
    state_reverse_kl,
    to_float,
)
from pgtheory.tabular.exact.estimators import (
    gae,
    group_mean,
    group_weight,
    grouped,
    importance,
    leave_one_out,
    max_at,
    maximum_likelihood,
    per_sequence,
    reward_to_go,
    whole_return,
)
from pgtheory.tabular.exact.jets import Jet
from pgtheory.tabular.exact.laws import episodes, exact_law, groups
from pgtheory.tabular.exact.programs import (
    derivatives,
    expected_return,
    inverse_length,
    length,
    max_of,
    pass_at,
    return_per_length,
    truncated_log_likelihood,
)
from pgtheory.tabular.exact.rational import RationalMDP, evaluate_exactly
from pgtheory.tabular.exact.trajectories import trajectories
from pgtheory.tabular.fields.group_weight import group_weight as float_group_weight
from pgtheory.tabular.laws.law import law
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.models.token_tree import TokenTree
from pgtheory.tabular.objectives.catalogue import catalogue
from pgtheory.tabular.objectives.regularisers import ForwardKL
from pgtheory.tabular.objectives.returns import Return
from pgtheory.tabular.policies.direct import Direct
from pgtheory.tabular.policies.log_linear import LogLinear
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.episodes import OffPolicy
from pgtheory.tabular.sampling.groups import Groups
from pgtheory.tabular.scene import Scene
from pgtheory.tabular.solve.evaluation import evaluate

pytest.importorskip("flint")
F = Fraction

TOLERANCE = 1e-12
"""What the float tier promises: 4500 units of roundoff, relative to the largest entry of the exact array (to 1 where that is zero)."""

KINDS = ["discounted", "horizon", "episodic", "forward"]
REWARDS = ["pair", "move", "outcomes"]


# The comparison


@dataclass
class Ledger:
    """Largest relative error of each quantity, over all comparisons of this file."""

    errors: dict[str, float] = field(default_factory=dict)

    def compare(self, quantity: str, found: object, exact: object) -> None:
        """Refuse an array that differs from nested exact numbers by more than TOLERANCE; differences are taken before anything is rounded."""
        expected = list(flat(exact))
        values = np.asarray(found, dtype=float).ravel().tolist()
        assert len(values) == len(expected), f"{quantity}: {len(values)} numbers against {len(expected)}"
        scale = max((abs(rounded(x)) for x in expected), default=0.0) or 1.0
        error = max((abs(rounded(difference(v, x))) for v, x in zip(values, expected, strict=True)), default=0.0) / scale
        self.errors[quantity] = max(error, self.errors.get(quantity, 0.0))
        assert error <= TOLERANCE, f"{quantity} is off by {error:.1e} of its size"

    def __str__(self) -> str:
        width = max(map(len, self.errors), default=0)
        return "\n".join(f"{name:<{width}}  {error:.1e}" for name, error in sorted(self.errors.items()))


def flat(nested: object) -> Iterable:
    """The numbers of nested lists, in order."""
    if isinstance(nested, list | tuple):
        for part in nested:
            yield from flat(part)
    else:
        yield nested


def difference(value: float, exact):
    if hasattr(exact, "mid"):
        with precision():
            return ball(value) - exact
    return F(value) - exact


def rounded(x) -> float:
    return to_float(x) if hasattr(x, "mid") else float(x)


@pytest.fixture(scope="module")
def ledger():
    book = Ledger()
    yield book
    print(f"\nlargest relative error of float64 against tier 1, tolerance {TOLERANCE:.0e}\n{book}")


def test_an_error_of_1e_11_is_caught_and_rounding_is_not():
    book, third = Ledger(), [[F(1, 3), F(1)]]

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
        assert max(abs(F(v) - x) for v, x in zip(found.V.ravel().tolist(), flat(exact.V), strict=True)) <= found.bound


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("reward", REWARDS)
def test_return_and_its_derivatives(model, policy, ledger, kind, reward):
    floats, pi = model(83, S=3, A=3, kind=kind, reward=reward), policy(84, 3, 3)
    jet = derivatives(expected_return, RationalMDP.of(floats), pi)

    for form in (floats, sparse(floats)):
        scene = Scene.of(form, policy_of(pi))
        compare_objective(ledger, Return(), scene, jet)


def compare_objective(ledger: Ledger, objective, scene: Scene, jet: Jet, *, value: bool = True) -> None:
    if value:
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
def test_direct_parameters_along_the_simplex(model, policy, ledger, kind):
    """Both sides projected on the directions that keep every row a distribution: the gradient minus its row means, the Hessian on both sides."""
    floats, pi = model(86, S=3, A=3, kind=kind), policy(87, 3, 3)
    jet = derivatives(expected_return, RationalMDP.of(floats), pi, coordinates="direct")
    project = [[F(i == j) - F(1 if i // 3 == j // 3 else 0, 3) for j in range(9)] for i in range(9)]
    times = lambda A, B: [[sum(x * B[k][j] for k, x in enumerate(row)) for j in range(len(B[0]))] for row in A]
    tangent = np.array(project, dtype=float)
    scene = Scene.of(floats, Direct(np.array([[float(x) for x in row] for row in pi])))

    ledger.compare("J, direct: gradient", tangent @ Return().gradient(scene), times(project, [[g] for g in jet.gradient]))
    ledger.compare("J, direct: Hessian", tangent @ Return().hessian(scene) @ tangent, times(times(project, jet.hessian), project))


# Objectives

BINARY = TokenTree(vocabulary=3, limit=2, reward=lambda prompt, tokens: float(tokens[0] == prompt or sum(tokens) == 3), prompts=2, mu=[0.25, 0.75])
VALUED = TokenTree(vocabulary=3, limit=2, reward=lambda prompt, tokens: sum(tokens) / 2 - prompt, prompts=2, token_reward=lambda prompt, prefix: 0.25)


def visits_of(mdp: RationalMDP, pi) -> tuple[Fraction, ...]:
    """Undiscounted occupancy, all steps together."""
    free = RationalMDP(moves=mdp.moves, mu=mdp.mu, gamma=F(1), horizon=mdp.horizon)
    found = evaluate_exactly(free, pi).occupancy
    return tuple(found) if mdp.horizon is None else tuple(sum(column) for column in zip(*found, strict=True))


def reference(name: str, mdp: RationalMDP, pi, ref) -> Jet:
    """The objective with this name in tier 1: a rational program, or one on balls."""
    if name.startswith("pass@"):
        return derivatives(pass_at(int(name[5:])), mdp, pi)
    if name.startswith("truncated log-likelihood of order "):
        return derivatives(truncated_log_likelihood(int(name.split()[-1])), mdp, pi)
    if name.startswith("E[max of "):
        return derivatives(max_of(int(name[9:-1])), mdp, pi)
    rational = {"J": expected_return, "E[R/L]": return_per_length, "E[L]": length, "E[1/L]": inverse_length}
    if name in rational:
        return derivatives(rational[name], mdp, pi)
    if name == "undiscounted return":
        return derivatives(lambda m, p: expected_return(m, p, gamma=m.gamma / m.gamma), mdp, pi)
    weights = (F(1),) * mdp.S if ref is None else visits_of(mdp, ref)
    certified = {"log p": log_success, "2 arcsin sqrt p": arcsine_success, "entropy": entropy, "state entropy": state_entropy(weights)}
    if ref is not None:
        certified |= {"reverse KL": reverse_kl(ref), "state reverse KL": state_reverse_kl(ref, weights), "forward KL": forward_kl(ref)}
    return ball_derivatives(certified[name], mdp, pi)


@pytest.mark.parametrize("with_reference", [True, False], ids=["ref", "no-ref"])
@pytest.mark.parametrize("name", ["binary", "valued", "forward"])
def test_every_objective_of_the_catalogue(model, policy, ledger, name, with_reference):
    problem = {"binary": BINARY, "valued": VALUED}.get(name) or model(91, S=3, A=2, kind="forward", reward="move")
    mdp = RationalMDP.of(problem)
    pi, ref = policy(92, mdp.S, mdp.A), policy(93, mdp.S, mdp.A) if with_reference else None
    scene = Scene.of(problem, policy_of(pi), ref=policy_of(ref) if ref else None)

    objectives = catalogue(scene, group=3)

    assert len(objectives) >= 6
    for objective in objectives:
        compare_objective(ledger, objective, scene, reference(objective.name, mdp, pi, ref))


@pytest.mark.parametrize("kind", ["horizon", "episodic"])
def test_divergences_of_models_with_cycles(model, policy, ledger, kind):
    """No trajectory list here: tier 1 solves for the return of the reward log pi - log ref; the forward KL has its own occupancy."""
    floats, pi, ref = model(94, S=3, kind=kind), policy(95, 3, 2), policy(96, 3, 2)
    mdp = RationalMDP.of(floats)
    scene = Scene.of(floats, policy_of(pi), ref=policy_of(ref))
    weights = visits_of(mdp, ref)

    for objective in [o for o in (*kl_objectives(),)]:
        if objective.name == "forward KL":
            program = lambda m, p: forward_of(weights, ref, p)
            compare_objective(ledger, objective, scene, ball_derivatives(program, mdp, pi))
        else:
            compare_objective(ledger, objective, scene, reference(objective.name, mdp, pi, ref))


def kl_objectives():
    from pgtheory.tabular.objectives.regularisers import Entropy, ReverseKL

    return Entropy(), Entropy(level="state"), ReverseKL(), ReverseKL(level="state"), ForwardKL()


def forward_of(weights, ref, pi):
    """sum_s d(s) sum_a ref (log ref - log pi), with d given."""
    from pgtheory.tabular.exact.balls import log

    pairs = [(ball(d * q), ball(q), p) for d, row, other in zip(weights, ref, pi, strict=True) for q, p in zip(row, other, strict=True)]
    return sum(w * (q.log() - log(p)) for w, q, p in pairs)


# Laws of estimators


@dataclass(frozen=True, kw_only=True)
class World:
    """A problem with its policies, as fractions."""

    mdp: RationalMDP
    pi: list
    old: list
    ref: list
    size: int = 2
    critic: list | None = None
    horizon: int | None = None


def row_mean(f) -> object:
    """weights[b][t] = f(path, t) / B."""
    return lambda rows: [[f(path, t) / len(rows) for t in range(len(path.steps))] for path in rows]


def per_batch_token(weights):
    """Weights that were divided by the rows, divided by all tokens of the batch instead."""
    return lambda rows: [[w * len(rows) / sum(len(path.steps) for path in rows) for w in row] for row in weights(rows)]


def scaled(weights, factor):
    return lambda rows: [[w * factor for w in row] for row in weights(rows)]


def clipped(weights, w, *, geometric=False):
    """PPO: zero where the ratio is beyond 1.2 and the advantage positive, or below 0.8 and it is negative; else ratio times advantage."""

    def change(ratio, sign):
        return 0 * ratio if (sign > 0 and ratio > F(6, 5)) or (sign < 0 and ratio < F(4, 5)) else ratio

    def change_ball(ratio, sign):
        return 0 * ratio if (sign > 0 and ratio > ball(F(6, 5))) or (sign < 0 and ratio < ball(F(4, 5))) else ratio

    ones = lambda rows: [[F(1)] * len(path.steps) for path in rows]

    def weights_of(rows):
        ratios = geometric_ratio(ones, w)(rows) if geometric else importance(ones, w.pi, w.old)(rows)
        cut = change_ball if geometric else change
        number = ball if geometric else lambda x: x
        return [[number(x) * cut(q, x) if not hasattr(x, "mid") else x * ball(cut(q, x)) for x, q in zip(row, ratio, strict=True)] for row, ratio in zip(weights(rows), ratios, strict=True)]

    return weights_of


def geometric_ratio(weights, w):
    """Times the L-th root of the ratio of the sequence."""

    def root(path):
        total = sum((ball(w.pi[s][a]) / ball(w.old[s][a])).log() for s, a, _ in path.steps)
        return (total / len(path.steps)).exp()

    return lambda rows: [[ball(x) * root(path) for x in row] for row, path in zip(weights(rows), rows, strict=True)]


def prefix_surrogate(terms, w):
    """At step t the sum over k >= t of (ratio of the prefix up to k) times the term of step k."""
    weighted = lambda rows: importance(terms, w.pi, w.old, level="prefix")(rows)
    return lambda rows: [[sum(row[t:]) for t in range(len(row))] for row in weighted(rows)]


def batch_standardised(size):
    """(r - group mean) / (std of the batch + 1e-4), ddof 1, zero if all rewards of the batch agree."""

    def weights(rows):
        rewards = [path.total() for path in rows]
        centre = sum(rewards) / F(len(rewards))
        squares = sum((r - centre) ** 2 for r in rewards)
        scale = 1 / (ball(squares / (len(rows) - 1)).sqrt() + ball(F(1, 10**4))) if squares else ball(0)
        return [[ball(x) * scale for x in row] for row in grouped(group_mean, size)(rows)]

    return weights


def divergence(kind, where, w):
    """KL terms: l_t = log pi/ref of the token; k1 = l, k2 = l^2/2, k3 = exp(-l) - 1 + l and their slopes."""
    value = {"k1": lambda l: l, "k2": lambda l: l * l / 2, "k3": lambda l: (-l).exp() - 1 + l}[kind]
    slope = {"k1": lambda l: ball(1), "k2": lambda l: l, "k3": lambda l: 1 - (-l).exp()}[kind]

    def f(path, t):
        l = [(ball(w.pi[s][a]) / ball(w.ref[s][a])).log() for s, a, _ in path.steps]
        terms = {
            "reward": lambda: sum(map(value, l)),
            "reward-to-go": lambda: sum(map(value, l[t:])),
            "loss-token": lambda: slope(l[t]),
            "loss-sequence": lambda: slope(sum(l)),
        }
        return -terms[where]()

    return row_mean(f)


def optimal_constant(w):
    """E[|S|^2 R] / E[|S|^2] over trajectories of the current policy."""
    top = bottom = F(0)
    for path in trajectories(w.mdp):
        S = [[F(0)] * w.mdp.A for _ in range(w.mdp.S)]
        for s, a, _ in path.steps:
            for b, p in enumerate(w.pi[s]):
                S[s][b] += (a == b) - p
        square = sum(x * x for row in S for x in row) * path.probability(w.pi) * w.mdp.mu[path.start]
        top, bottom = top + square * path.total(w.mdp.gamma), bottom + square
    return top / bottom


def optimal_state(w):
    """E[|score|^2 Q] / E[|score|^2] in each state."""
    Q = evaluate_exactly(w.mdp, w.pi).Q
    found = []
    for row, q in zip(w.pi, Q, strict=True):
        squares = [p * (1 - 2 * p + sum(x * x for x in row)) for p in row]
        found.append(sum(x * y for x, y in zip(squares, q, strict=True)) / sum(squares))
    return found


def n_step(n, w, critic):
    """gamma^t sum_{l<n} gamma^l delta_{t+l}: the difference of two lambda = 1 sums."""
    g = w.mdp.gamma

    def delta(path, t):
        after = path.steps[t + 1].state if t + 1 < len(path.steps) else path.last
        return path.steps[t].reward + (g * critic[after] if after >= 0 else 0) - critic[path.steps[t].state]

    return row_mean(lambda path, t: g**t * sum(g**l * delta(path, t + l) for l in range(min(n, len(path.steps) - t))))


def undiscounted(weights, gamma):
    """The weights with gamma^t taken out."""
    return lambda rows: [[x / gamma**t for t, x in enumerate(row)] for row in weights(rows)]


def references(w: World) -> dict:
    """Name of a built-in estimator -> the same in tier 1, as weights of a data set."""
    g, n, V = w.mdp.gamma, w.size, evaluate_exactly(w.mdp, w.pi).V
    critic = V if w.critic is None else w.critic
    constant, state = optimal_constant(w), optimal_state(w)
    loo, mean, raw = grouped(leave_one_out, n), grouped(group_mean, n), grouped(lambda r: r, n)
    std = grouped(standardised(epsilon=F(1, 10**4), ddof=1), n)
    togo = lambda values: reward_to_go(gamma=g, baseline=lambda t, s: values[s])
    advantage = lambda lambda_, values: gae(gamma=g, lambda_=lambda_, critic=values)
    less = lambda values: row_mean(lambda path, t: path.total(g) - values[path.steps[t].state])
    half = [F(1, 2)] * w.mdp.S
    ratio = lambda weights, level="token", change=lambda x: x: importance(weights, w.pi, w.old, level=level, change=change)
    cap, mask = (lambda x: min(x, F(3, 2))), (lambda x: x if F(1, 2) <= x <= 2 else F(0))
    subset = lambda r: [x - y for x, y in zip(max_at(2)(r), without(r), strict=True)]
    sample = lambda r: [x - (2 * rest(r[:i] + r[i + 1 :])) for i, x in enumerate(max_at(2)(r))]
    places = [f"{where}" for where in ("loss-token", "loss-sequence", "reward", "reward-to-go")]
    return {
        "reinforce": whole_return(gamma=g),
        "reinforce/constant-baseline": whole_return(gamma=g, baseline=F(1, 2)),
        "reinforce/value-baseline": less(V),
        "reinforce/optimal-baseline": whole_return(gamma=g, baseline=constant),
        "reward-to-go": togo([F(0)] * w.mdp.S),
        "reward-to-go/constant-baseline": togo(half),
        "reward-to-go/value-baseline": togo(V),
        "reward-to-go/optimal-baseline": togo(state),
        "reward-to-go/no-step-discount": undiscounted(togo([F(0)] * w.mdp.S), g),
        "gae/0": advantage(F(0), critic),
        "gae/0.95": advantage(F(19, 20), critic),
        "gae/1": advantage(F(1), critic),
        "gae/0.95/exact-critic": advantage(F(19, 20), V),
        "gae/0.95/no-step-discount": undiscounted(advantage(F(19, 20), critic), g),
        "n-step/2": n_step(2, w, critic),
        "n-step/2/exact-critic": n_step(2, w, V),
        "per-decision": prefix_surrogate(row_mean(lambda path, t: g**t * path.steps[t].reward), w),
        "reinforce/importance": ratio(whole_return(gamma=g), "sequence"),
        "ppo-clip/gae": clipped(advantage(F(19, 20), critic), w),
        "group-reward": raw,
        "leave-one-out": loo,
        "leave-one-out/per-sequence": per_sequence(loo),
        "leave-one-out/per-batch-token": per_batch_token(loo),
        "leave-one-out/per-constant": scaled(loo, F(1, 4)),
        "group-mean": mean,
        "group-mean/per-sequence": per_sequence(mean),
        "group-mean/per-batch-token": per_batch_token(mean),
        "group-mean/per-constant": scaled(mean, F(1, 4)),
        "group-std": std,
        "group-std/batch": batch_standardised(n),
        "group-std/per-sequence": per_sequence(std),
        "group-std/per-batch-token": per_batch_token(std),
        "ppo-clip": clipped(loo, w),
        "ppo-clip/group-std": clipped(std, w),
        "ppo-clip/sequence": clipped(per_sequence(loo), w, geometric=True),
        "ratio/token": ratio(loo),
        "ratio/prefix": ratio(loo, "prefix"),
        "ratio/prefix-surrogate": prefix_surrogate(loo, w),
        "ratio/sequence": ratio(loo, "sequence"),
        "ratio/sequence-mean": geometric_ratio(per_sequence(loo), w),
        "ratio/token/truncated": ratio(loo, change=cap),
        "ratio/token/masked": ratio(loo, change=mask),
        "ratio/sequence/truncated": ratio(loo, "sequence", cap),
        "ratio/sequence/masked": ratio(loo, "sequence", mask),
        **{f"kl/{kind}-{where}": divergence(kind, where, w) for kind in ("k1", "k2", "k3") for where in places},
        "max-of-2": grouped(max_at(2), n),
        "max-of-2/subset": grouped(subset, n),
        "max-of-2/sample": grouped(sample, n),
        "pass-at-2": grouped(max_at(2), n),
        "pass-at-2/subset": grouped(subset, n),
        "maximum-likelihood": grouped(maximum_likelihood("plain"), n),
        "maximum-likelihood/control": grouped(maximum_likelihood("control"), n),
        "maximum-likelihood/centred": grouped(maximum_likelihood("centred"), n),
        "natural": loo,
    }


def without(rewards):
    """n/C(n,2) times the sum over pairs with i of the reward of the other: the subset baseline of max@2."""
    n = len(rewards)
    return [F(2, n - 1) * (sum(rewards) - r) for r in rewards]


def rest(rewards):
    """Mean of the largest of two, over all pairs."""
    pairs = [max(x, y) for i, x in enumerate(rewards) for y in rewards[:i]]
    return sum(pairs) / F(len(pairs))


def test_every_built_in_estimator_has_a_reference_here(token_world):
    world, _ = token_world(binary=True, on_policy=True)

    assert set(BUILTIN) <= set(references(world)), "a new built-in estimator needs its weights by definition in `references`"


@pytest.fixture
def token_world(policy):
    """Two prompts, groups of three completions of one or two tokens: 729 data sets; four different policies, or sampler = current."""

    def make(*, binary, on_policy):
        reward = (lambda prompt, tokens: float(sum(tokens) > prompt)) if binary else (lambda prompt, tokens: sum(tokens) / 4 + prompt * tokens[0])
        tree = TokenTree(vocabulary=2, limit=2, reward=reward, prompts=2)
        pi, old, ref = policy(101, 4, 2), policy(102, 4, 2), policy(103, 4, 2)
        roles = {} if on_policy else {"sampler": policy_of(old)}
        scene = Scene.of(tree, policy_of(pi), ref=policy_of(ref), **roles)
        return World(mdp=RationalMDP.of(tree), pi=pi, old=pi if on_policy else old, ref=ref, size=3), scene

    return make


@pytest.fixture
def step_world(model, policy):
    """Three states, gamma = 7/10, cut after two steps; an arbitrary critic."""

    def make(*, on_policy):
        floats = model(104, S=3, A=2, kind="forward", reward="move")
        pi, old = policy(105, 3, 2), policy(106, 3, 2)
        critic = [F(1, 2), F(-3, 4), F(2)]
        roles = {} if on_policy else {"sampler": policy_of(old)}
        scene = Scene.of(floats, policy_of(pi), critic=np.array([float(x) for x in critic]), **roles)
        return World(mdp=RationalMDP.of(floats), pi=pi, old=pi if on_policy else old, ref=pi, critic=critic, horizon=2), scene

    return make


NEEDS_BALLS = ("group-std", "ppo-clip/group-std", "ppo-clip/sequence", "ratio/sequence-mean", "kl/")


def exact_law_of(name: str, world: World, datasets):
    """Mean and covariance in tier 1; the natural gradient by the pseudo-inverse of each state's block, P diag(1/pi) P / d with P = I - 11'/A."""
    weights = references(world)[name]
    certified = name.startswith(NEEDS_BALLS)
    with precision():
        found = (ball_law if certified else exact_law)(weights, datasets, world.pi)
        mean, covariance = found.mean, found.covariance
    if name != "natural":
        return mean, covariance
    A, d = world.mdp.A, evaluate_exactly(world.mdp, world.pi).occupancy
    centre = [[F(i == j) - F(1, A) for j in range(A)] for i in range(A)]
    D = range(len(mean))
    block = lambda s, i, j: sum(centre[i][k] * centre[k][j] / world.pi[s][k] for k in range(A)) / d[s]
    M = [[block(i // A, i % A, j % A) if i // A == j // A else F(0) for j in D] for i in D]
    half = [[sum(M[i][k] * covariance[k][j] for k in D) for j in D] for i in D]
    return [sum(M[i][k] * mean[k] for k in D) for i in D], [[sum(half[i][k] * M[j][k] for k in D) for j in D] for i in D]


@pytest.mark.parametrize("on_policy", [True, False], ids=["on", "off"])
@pytest.mark.parametrize("name", BUILTIN)
def test_law_of_every_built_in_estimator(ledger, token_world, step_world, name, on_policy):
    estimator = BUILTIN[name]
    if estimator.declared.setting == "tokens":
        world, scene = token_world(binary=estimator.declared.binary, on_policy=on_policy)
        sampling, datasets = Groups(3), groups(world.mdp, world.old, size=3)
    else:
        world, scene = step_world(on_policy=on_policy)
        sampling, datasets = OffPolicy(2, horizon=2), episodes(world.mdp, world.old, count=2, horizon=2)

    found = law(estimator, sampling, scene, method="enumeration")

    mean, covariance = exact_law_of(name, world, datasets)
    ledger.compare(f"law of {name}: mean", found.mean, mean)
    ledger.compare(f"law of {name}: covariance", found.covariance, covariance)


def test_prompts_drawn_from_mu(ledger, policy):
    tree = TokenTree(vocabulary=2, limit=2, reward=lambda prompt, tokens: sum(tokens) + prompt / 2, prompts=2, mu=[0.2, 0.8])
    mdp, pi = RationalMDP.of(tree), policy(107, 4, 2)

    found = law(BUILTIN["leave-one-out"], Groups(2, prompts=2), Scene.of(tree, policy_of(pi)))

    exact = exact_law(grouped(leave_one_out, 2), groups(mdp, pi, size=2, prompts=2), pi)
    ledger.compare("law, drawn prompts: mean", found.mean, exact.mean)
    ledger.compare("law, drawn prompts: covariance", found.covariance, exact.covariance)


def test_independent_parts_give_the_same_law(ledger, token_world):
    world, scene = token_world(binary=True, on_policy=False)

    found = law(BUILTIN["leave-one-out"], Groups(3), scene, method="independent parts")

    exact = exact_law(grouped(leave_one_out, 3), groups(world.mdp, world.old, size=3), world.pi)
    ledger.compare("law by independent parts: mean", found.mean, exact.mean)
    ledger.compare("law by independent parts: covariance", found.covariance, exact.covariance)


def test_the_rounding_bound_of_the_mean_holds(step_world):
    """The bound is proven for the floats as they are; the policy's own rounding (theta = log pi) is a unit of roundoff more."""
    world, scene = step_world(on_policy=True)
    found = law(PolicyGradient(advantage=WholeReturn(baseline=ExactValue())), OffPolicy(2, horizon=2), scene)
    mean, _ = exact_law_of("reinforce/value-baseline", world, episodes(world.mdp, world.pi, count=2, horizon=2))

    assert all(abs(F(x) - y) <= F(bound) for x, y, bound in zip(found.mean.tolist(), mean, found.rounding.tolist(), strict=True))
    assert (found.rounding < 1e-12).all()


@pytest.mark.parametrize("name", ["group-mean", "group-std", "maximum-likelihood", "maximum-likelihood/centred", "pass-at-2"])
def test_weight_functions_of_groups(ledger, name):
    size, advantages = 4, {
        "group-mean": group_mean,
        "group-std": standardised(epsilon=F(1, 10**4), ddof=1),
        "maximum-likelihood": maximum_likelihood("plain"),
        "maximum-likelihood/centred": maximum_likelihood("centred"),
        "pass-at-2": max_at(2),
    }  # fmt: skip
    found = float_group_weight(BUILTIN[name], size)
    for p in (F(1, 50), F(2, 5), F(9, 10)):
        with precision():
            exact = group_weight(advantages[name], ball(p) if name == "group-std" else p, size)
        ledger.compare(f"w_G of {name}", found(float(p)), exact)
