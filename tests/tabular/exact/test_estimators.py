"""Estimators by definition: closed forms of their laws for coins, groups and trees, in fractions."""

from fractions import Fraction
from math import comb

import pytest

from pgtheory.tabular.errors import InvalidArgument
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
from pgtheory.tabular.exact.programs import (
    derivatives,
    expected_return,
    inverse_length,
    max_of,
    return_per_length,
    truncated_log_likelihood,
)
from pgtheory.tabular.exact.rational import RationalMDP, evaluate_exactly, policy_gradient
from pgtheory.tabular.models.bandit import Bandit
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.models.token_tree import TokenTree

F = Fraction


def coin(T: int) -> RationalMDP:
    """T flips of one coin, reward = the side that shows; action 1 is heads."""
    return RationalMDP.of(MDP(P=[[[1.0], [1.0]]], r=[[0.0, 1.0]], mu=[1.0], horizon=T))


FAIR = [[F(1, 2), F(1, 2)]]


@pytest.mark.parametrize("T", [1, 2, 5])
def test_variances_of_the_fair_coin(T):
    """T43: per logit of heads the mean is T/4, the variance T(T-1)/32 with the value as baseline and T(T^2+3T-1)/48 with reward-to-go alone."""
    mdp = coin(T)
    with_value = exact_law(reward_to_go(baseline=lambda t, s: F(T - t, 2)), episodes(mdp, FAIR), FAIR)
    alone = exact_law(reward_to_go(), episodes(mdp, FAIR), FAIR)

    assert with_value.mean == alone.mean == [-F(T, 4), F(T, 4)]
    assert with_value.covariance[1][1] == F(T * (T - 1), 32)
    assert alone.covariance[1][1] == F(T * (T * T + 3 * T - 1), 48)
    assert alone.variance == 2 * alone.covariance[1][1]
    assert alone.count == 2**T


@pytest.mark.parametrize(("kind", "S"), [("horizon", 2), ("forward", 3)])
@pytest.mark.parametrize("reward", ["pair", "move", "outcomes"])
def test_returns_are_unbiased_for_the_discounted_return(model, policy, kind, S, reward):
    mdp, pi = RationalMDP.of(model(51, S=S, kind=kind, reward=reward)), policy(52, S, 2)
    gradient = [x for row in policy_gradient(mdp, pi) for x in row]
    baseline = lambda t, s: F(t - 2 * s, 3)
    discounted_steps = reward_to_go(gamma=mdp.gamma, baseline=baseline)

    for estimator in (whole_return(gamma=mdp.gamma, baseline=F(2, 7)), discounted_steps):
        assert exact_law(estimator, episodes(mdp, pi), pi).mean == gradient
    undiscounted_steps = lambda rows: [[w / mdp.gamma**t for t, w in enumerate(row)] for row in discounted_steps(rows)]
    assert exact_law(undiscounted_steps, episodes(mdp, pi), pi).mean != gradient  # the missing gamma^t


def test_advantages_of_a_wrong_critic_are_unbiased_at_lambda_one_alone(model, policy):
    mdp, pi = RationalMDP.of(model(55, S=3, kind="forward")), policy(56, 3, 2)
    gradient = [x for row in policy_gradient(mdp, pi) for x in row]
    V = evaluate_exactly(mdp, pi).V
    wrong = [v + F(s + 1, 5) for s, v in enumerate(V)]
    mean = lambda lambda_, critic: exact_law(gae(gamma=mdp.gamma, lambda_=lambda_, critic=critic), episodes(mdp, pi), pi).mean

    assert mean(F(1), wrong) == gradient
    assert mean(F(1, 3), V) == gradient
    assert mean(F(1, 3), wrong) != gradient


def test_a_truncated_episode_bootstraps(model, policy):
    """Cut after one step, lambda = 1: E[g] = sum_s mu(s) pi (Q_critic - ...) score with Q = r + gamma P V: with the exact critic the first step's part."""
    mdp, pi = RationalMDP.of(model(57, kind="discounted")), policy(58, 2, 2)
    found = evaluate_exactly(mdp, pi)

    law = exact_law(gae(gamma=mdp.gamma, lambda_=F(1), critic=found.V), episodes(mdp, pi, horizon=1), pi)

    assert law.mean == [mdp.mu[s] * pi[s][a] * found.advantage[s][a] for s in range(2) for a in range(2)]


# Groups

TREE = TokenTree(vocabulary=2, limit=2, reward=lambda prompt, tokens: float(sum(tokens) + prompt) / len(tokens), prompts=2)


@pytest.fixture
def tree():
    return RationalMDP.of(TREE)


@pytest.fixture
def pi(policy):
    return policy(61, 4, 2)


@pytest.mark.parametrize("G", [2, 3])
def test_the_own_reward_in_the_baseline_costs_one_gth(tree, pi, G):
    """T42: leave-one-out is exact, the mean of all has (G-1)/G of the gradient."""
    gradient = list(derivatives(expected_return, tree, pi).gradient)
    prompts = 1 if G == 3 else None
    mean = lambda advantage: exact_law(grouped(advantage, G), groups(tree, pi, size=G, prompts=prompts), pi).mean

    assert mean(leave_one_out) == gradient
    assert mean(group_mean) == [F(G - 1, G) * x for x in gradient]


def test_length_normalisation_is_biased_by_the_gradient_of_inverse_length(pi):
    """One prompt, own mean baseline: (G-1)/G (grad E[R/L] - J grad E[1/L])."""
    mdp = RationalMDP.of(TokenTree(vocabulary=3, limit=2, reward=lambda prompt, tokens: float(sum(tokens) == 2)))
    table, G = [[F(1, 2), F(1, 3), F(1, 6)], [F(1, 5), F(3, 5), F(1, 5)], [F(2, 7), F(4, 7), F(1, 7)]], 3
    J, per_length, inverse = (derivatives(f, mdp, table) for f in (expected_return, return_per_length, inverse_length))

    law = exact_law(per_sequence(grouped(group_mean, G)), groups(mdp, table, size=G), table)

    assert law.mean == [F(G - 1, G) * (a - J.value * b) for a, b in zip(per_length.gradient, inverse.gradient, strict=True)]


def test_numbers_of_the_two_step_tree():
    """P057 C5: first a ends with reward 1, b leads to c (reward 1) or d (0), all uniform: gradient (1, -1 | 1, -1)/8, per sequence (3, -3 | 2, -2)/64."""
    mdp = RationalMDP.of(MDP(P=[[[0.0, 0.0], [0.0, 1.0]], [[0.0, 0.0], [0.0, 0.0]]], r=[[1.0, 0.0], [1.0, 0.0]], mu=[1.0, 0.0]))
    half = [[F(1, 2)] * 2] * 2

    law = exact_law(per_sequence(grouped(group_mean, 2)), groups(mdp, half, size=2), half)

    assert policy_gradient(mdp, half) == [[F(1, 8), -F(1, 8)], [F(1, 8), -F(1, 8)]]
    assert law.mean == [F(3, 64), -F(3, 64), F(1, 32), -F(1, 32)]


@pytest.mark.parametrize("N", [1, 2, 4])
def test_maximum_likelihood_of_order_n_or_n_minus_one(N):
    """P039 C2, C3, C4: plain and control have mean grad J_N, the centred form that drops the control variate has grad J_{N-1}; the trace of plain."""
    bandit, pi = RationalMDP.of(Bandit(r=[1.0, 0.0, 1.0])), [[F(1, 5), F(1, 2), F(3, 10)]]
    law = lambda variant: exact_law(grouped(maximum_likelihood(variant), N), groups(bandit, pi, size=N), pi)
    gradient = lambda n: list(derivatives(truncated_log_likelihood(n), bandit, pi).gradient) if n else [0, 0, 0]

    assert law("plain").mean == law("control").mean == gradient(N)
    assert law("centred").mean == gradient(N - 1)

    p, scores = F(1, 2), {a: [F(a == b) - pi[0][b] for b in range(3)] for a in (0, 2)}
    centre = [sum(pi[0][a] * scores[a][b] for a in (0, 2)) / p for b in range(3)]
    spread = sum(pi[0][a] * sum((x - c) ** 2 for x, c in zip(scores[a], centre, strict=True)) for a in (0, 2)) / p
    inverse = sum(F(comb(N, k), k) * p**k * (1 - p) ** (N - k) for k in range(1, N + 1))
    missed = (1 - p) ** N
    assert law("plain").variance == spread * inverse + sum(c * c for c in centre) * missed * (1 - missed)


@pytest.mark.parametrize(("n", "k"), [(2, 1), (3, 2), (3, 3)])
def test_max_at_k_ascends_the_best_of_k(tree, pi, n, k):
    law = exact_law(grouped(max_at(k), n), groups(tree, pi, size=n, prompts=1), pi)

    assert law.mean == list(derivatives(max_of(k), tree, pi).gradient)


@pytest.mark.parametrize("N", [2, 3, 5])
def test_the_group_weight_is_the_ratio_of_gradients(N):
    """E[g] = w_G(p) grad p by enumeration, w_G by the binomial sum; for maximum likelihood w_N = (1 - (1-p)^N)/p (P039 C5)."""
    bandit, pi = RationalMDP.of(Bandit(r=[1.0, 0.0])), [[F(2, 7), F(5, 7)]]
    p, slope = F(2, 7), F(2, 7) * F(5, 7)

    for advantage in (group_mean, leave_one_out, maximum_likelihood("plain"), maximum_likelihood("centred"), max_at(2)):
        law = exact_law(grouped(advantage, N), groups(bandit, pi, size=N), pi)
        assert law.mean[0] == group_weight(advantage, p, N) * slope
    assert group_weight(maximum_likelihood("plain"), p, N) == (1 - (1 - p) ** N) / p
    assert group_weight(maximum_likelihood("centred"), p, N) == (1 - (1 - p) ** (N - 1)) / p
    assert group_weight(group_mean, p, N) == F(N - 1, N)
    assert group_weight(max_at(2), p, N) == 2 * (1 - p)


# Off-policy


def test_the_ratio_of_the_sequence_repairs_another_sampler_and_that_of_the_token_does_not(tree, pi, policy):
    old = policy(62, 4, 2)
    gradient = list(derivatives(expected_return, tree, pi).gradient)
    mean = lambda level: exact_law(importance(whole_return(), pi, old, level=level), episodes(tree, old), pi).mean

    assert mean("sequence") == gradient
    assert mean("token") != gradient
    assert mean("prefix") != gradient  # whole return: the tokens after the prefix come from the sampler


def test_the_ratio_of_the_prefix_repairs_rewards_up_to_it(model, policy):
    """Per-decision importance sampling: prefix ratio up to the reward, in front of the score of every earlier step."""
    mdp, pi, old = RationalMDP.of(model(63, kind="horizon")), policy(64, 2, 2), policy(65, 2, 2)

    def weights(rows):
        ((path),) = rows
        ratio, terms = F(1), []
        for t, (s, a, r) in enumerate(path.steps):
            ratio *= pi[s][a] / old[s][a]
            terms.append(mdp.gamma**t * r * ratio)
        return [[sum(terms[t:]) for t in range(len(terms))]]

    assert exact_law(weights, episodes(mdp, old), pi).mean == [x for row in policy_gradient(mdp, pi) for x in row]


def test_settings_that_do_not_exist_are_refused(tree, pi):
    with pytest.raises(InvalidArgument, match="known are plain"):
        maximum_likelihood("raw")
    with pytest.raises(InvalidArgument, match="known are token"):
        importance(whole_return(), pi, pi, level="word")
    with pytest.raises(InvalidArgument, match="no whole number of groups"):
        exact_law(grouped(group_mean, 2), episodes(tree, pi, count=3), pi)
