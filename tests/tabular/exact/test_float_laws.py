"""The float64 tier against tier 1: the law of every built-in estimator to 1e-12, mean and covariance, on-policy and off-policy."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest

from pgtheory.tabular.estimators.baselines import ExactValue
from pgtheory.tabular.estimators.policy_gradient import PolicyGradient
from pgtheory.tabular.estimators.registry import BUILTIN
from pgtheory.tabular.estimators.reinforce import WholeReturn
from pgtheory.tabular.exact.balls import ball, ball_law, precision, standardised
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
from pgtheory.tabular.exact.laws import episodes, exact_law, groups
from pgtheory.tabular.exact.rational import RationalMDP, evaluate_exactly
from pgtheory.tabular.exact.trajectories import trajectories
from pgtheory.tabular.fields.group_weight import group_weight as float_group_weight
from pgtheory.tabular.laws.independent import IndependentParts
from pgtheory.tabular.laws.law import law
from pgtheory.tabular.models.token_tree import TokenTree
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.episodes import OffPolicy
from pgtheory.tabular.sampling.groups import Groups
from pgtheory.tabular.scene import Scene

pytest.importorskip("flint")
F = Fraction


def policy_of(table) -> Softmax:
    return Softmax.of(np.array([[float(x) for x in row] for row in table]))


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
        return [
            [number(x) * cut(q, x) if not hasattr(x, "mid") else x * ball(cut(q, x)) for x, q in zip(row, ratio, strict=True)]
            for row, ratio in zip(weights(rows), ratios, strict=True)
        ]

    return weights_of


def geometric_ratio(weights, w):
    """Times the L-th root of the ratio of the sequence."""

    def root(path):
        total = sum(((ball(w.pi[s][a]) / ball(w.old[s][a])).log() for s, a, _ in path.steps), ball(0))
        return (total / ball(len(path.steps))).exp()

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

    found = IndependentParts().run(BUILTIN["leave-one-out"], Groups(3), scene)

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


ADVANTAGES = {
    "group-mean": group_mean,
    "group-std": standardised(epsilon=F(1, 10**4), ddof=1),
    "maximum-likelihood": maximum_likelihood("plain"),
    "maximum-likelihood/centred": maximum_likelihood("centred"),
    "pass-at-2": max_at(2),
}


@pytest.mark.parametrize("name", ADVANTAGES)
def test_weight_functions_of_groups(ledger, name):
    found = float_group_weight(BUILTIN[name], 4)
    assert found is not None
    for p in (F(1, 50), F(2, 5), F(9, 10)):
        with precision():
            exact = group_weight(ADVANTAGES[name], ball(p) if name == "group-std" else p, 4)
        ledger.compare(f"w_G of {name}", found(float(p)), exact)
