"""TokenTree: the completions by hand and by count, and the decision process against the sum over completions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgtheory.tabular.errors import InvalidArgument, InvalidModel, TooLarge
from pgtheory.tabular.models import token_tree
from pgtheory.tabular.models.problems import problem
from pgtheory.tabular.models.token_tree import TokenTree
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.solve.evaluation import evaluate

NOTHING = lambda prompt, tokens: 0.0


def test_three_tokens_two_steps():
    tree = problem("tokens/V=3,T=2")

    assert tree.completions == ((2,), (0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2))
    assert tree.prefixes == ((), (0,), (1,))


@pytest.mark.parametrize(("V", "T"), [(2, 1), (2, 4), (3, 3), (4, 2)])
def test_numbers_of_completions_and_prefixes(V, T):
    """With an end token: (V-1)^(T-1) full-length heads with V ends, and (V-1)^n heads of n < T-1 tokens that end. Without: V^T."""
    ending, fixed = TokenTree(vocabulary=V, limit=T, reward=NOTHING), TokenTree(vocabulary=V, limit=T, reward=NOTHING, end=False)

    assert len(ending.completions) == len(set(ending.completions)) == sum((V - 1) ** n for n in range(T - 1)) + V * (V - 1) ** (T - 1)
    assert len(ending.prefixes) == sum((V - 1) ** n for n in range(T))
    assert len(fixed.completions) == len(set(fixed.completions)) == V**T
    assert all(len(c) == T for c in fixed.completions)


@settings(max_examples=25)
@given(st.integers(2, 3), st.integers(1, 3), st.integers(1, 2), st.booleans(), st.integers(0, 10**6))
def test_value_is_the_sum_over_completions(V, T, prompts, end, seed):
    """E[R] by the solver against sum over completions of the product of their token probabilities, with rewards on both places."""
    rng = np.random.default_rng(seed)
    weight = rng.integers(-3, 4, size=(2, 3, 4)).astype(float)
    outcome = lambda prompt, tokens: weight[prompt, tokens[-1], len(tokens)]
    per_token = lambda prompt, tokens: weight[prompt, tokens[0], 0] * len(tokens)
    mu = rng.dirichlet(np.ones(prompts))
    tree = TokenTree(vocabulary=V, limit=T, reward=outcome, token_reward=per_token, prompts=prompts, mu=mu, end=end)
    policy = Softmax(rng.standard_normal((tree.mdp.S, V)))
    row = {(p, prefix): p * len(tree.prefixes) + i for p in range(prompts) for i, prefix in enumerate(tree.prefixes)}
    expected = total = 0.0
    for p in range(prompts):
        for c in tree.completions:
            chance = mu[p] * np.prod([policy.probabilities[row[p, c[:i]], c[i]] for i in range(len(c))])
            total += chance
            expected += chance * (outcome(p, c) + sum(per_token(p, c[: i + 1]) for i in range(len(c))))

    assert abs(total - 1) < 1e-12
    assert abs(evaluate(tree, policy).J - expected) < 1e-12 * (1 + abs(weight).max() * T**2)


def test_rewards_as_mappings():
    one = {(0,): 1.0, (1,): 2.0}
    two = ({(0,): 1.0, (1,): 2.0}, {(0,): 3.0, (1,): 4.0})

    assert TokenTree(vocabulary=2, limit=1, reward=one, prompts=2).mdp.r.tolist() == [[1.0, 2.0], [1.0, 2.0]]
    assert TokenTree(vocabulary=2, limit=1, reward=two, prompts=2).mdp.r.tolist() == [[1.0, 2.0], [3.0, 4.0]]


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"vocabulary": 1}, "vocabulary is 1, expected a whole number of at least 2"),
        ({"vocabulary": 2.0}, "vocabulary is 2.0"),
        ({"limit": 0}, "limit is 0"),
        ({"prompts": 0}, "prompts is 0"),
    ],
)
def test_invalid_number(fields, text):
    with pytest.raises(InvalidArgument, match=text):
        TokenTree(**{"vocabulary": 2, "limit": 1, "reward": NOTHING} | fields)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"prompts": 2, "mu": [1.0]}, r"mu has shape \(1,\), expected \(2,\) \(one probability a prompt\)"),
        ({"prompts": 2, "mu": [0.5, 0.6]}, "mu sums to 1.1"),
        ({"reward": {(0,): 1.0}}, r"reward has no entry for the completion \(1,\) of prompt 0"),
        ({"reward": ({(0,): 1.0, (1,): 0.0},), "prompts": 2}, "reward has 1 mappings for 2 prompts"),
        ({"reward": lambda prompt, tokens: float("nan")}, r"r\[0, 0\] is nan"),
    ],
)
def test_invalid_model(fields, text):
    with pytest.raises(InvalidModel, match=text):
        TokenTree(**{"vocabulary": 2, "limit": 1, "reward": NOTHING} | fields).mdp  # noqa: B018


def test_error_inside_the_reward_function_is_the_user_s_own():
    """A KeyError of the user's code is not taken for a missing completion."""
    with pytest.raises(KeyError, match="mine"):
        TokenTree(vocabulary=2, limit=1, reward=lambda prompt, tokens: {}["mine"]).mdp  # noqa: B018


@pytest.mark.parametrize(("V", "T", "P", "end"), [(50, 50, 1, True), (11, 8, 1, True), (10, 7, 2, False), (2, 10**6, 1, False)])
def test_a_tree_that_no_memory_holds_is_refused_before_it_is_listed(V, T, P, end):
    """11 * 10^7 completions, 2 * 10^7 of two prompts, and powers that no float holds; `completions` and `prefixes` alike."""
    tree = TokenTree(vocabulary=V, limit=T, reward=NOTHING, prompts=P, end=end)

    for listed in ("completions", "prefixes", "mdp"):
        with pytest.raises(TooLarge, match=f"up to {T} of {V} tokens for {P} prompts are more than 10,000,000"):
            getattr(tree, listed)


def test_the_largest_tree_that_is_listed(monkeypatch):
    """2 prompts, 3^2 heads of three tokens, 4 ends each: 72."""
    tree = lambda: TokenTree(vocabulary=4, limit=3, reward=NOTHING, prompts=2)
    monkeypatch.setattr(token_tree, "LARGEST", 72)
    assert len([c for c in tree().completions if len(c) == 3]) == 36

    monkeypatch.setattr(token_tree, "LARGEST", 71)
    with pytest.raises(TooLarge):
        len(tree().completions)
