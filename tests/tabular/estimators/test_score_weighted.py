"""The score-weighted baseline against its formula row by row, and what it is unbiased for."""

import numpy as np
import pytest

from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.estimators.policy_gradient import PolicyGradient
from pgtheory.tabular.estimators.score_weighted import ScoreWeighted
from pgtheory.tabular.laws.law import law
from pgtheory.tabular.models.bandit import Bandit
from pgtheory.tabular.models.token_tree import TokenTree
from pgtheory.tabular.objectives.returns import Return
from pgtheory.tabular.policies.direct import Direct
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.groups import Groups
from pgtheory.tabular.scene import Scene

TREE = TokenTree(vocabulary=2, limit=2, prompts=2, reward=lambda prompt, tokens: float(len(tokens)) + 0.5 * prompt + 0.3 * sum(tokens))


def scene() -> Scene:
    mdp = TREE.mdp
    return Scene.of(TREE, Softmax(np.random.default_rng(0).normal(size=(mdp.S, mdp.A))))


@pytest.mark.parametrize("leave_one_out", [True, False])
def test_row_by_row(leave_one_out):
    """Scores of a softmax table written out: (1{a} - pi(.|s)) in the block of each visited state."""
    here = scene()
    pi = here.policy().probabilities
    data = next(iter(Groups(3).batches(here)))[1].take(slice(0, 50))
    found = ScoreWeighted(leave_one_out=leave_one_out)(data, here)
    for n in range(len(data)):
        w = []
        for b in range(data.shape[1]):
            S = np.zeros(pi.shape)
            for t in range(int(data.length[n, b])):
                s, a = data.state[n, b, t], data.action[n, b, t]
                S[s] -= pi[s]
                S[s, a] += 1
            w.append((S**2).sum())
        for b in range(data.shape[1]):
            others = [c for c in range(data.shape[1]) if data.index["group"][n, c] == data.index["group"][n, b] and (c != b or not leave_one_out)]
            baseline = sum(w[c] * data.total[n, c] for c in others) / sum(w[c] for c in others)
            assert abs(found[n, b, 0] - (data.total[n, b] - baseline)) <= 1e-13


def test_leaving_out_the_own_reward_is_unbiased_and_keeping_it_is_not_along_the_gradient():
    here, exact = scene(), Return().gradient(scene())
    means = [law(PolicyGradient(advantage=ScoreWeighted(leave_one_out=out)), Groups(3), here).mean for out in (True, False)]
    np.testing.assert_allclose(means[0], exact, atol=1e-14)
    cosine = means[1] @ exact / np.linalg.norm(means[1]) / np.linalg.norm(exact)
    assert cosine < 1 - 1e-4


def test_scores_that_vanish_leave_the_plain_mean():
    """One action a state: every score is zero, and rewards that differ by the prompt's noise are centred all the same."""
    one = Scene.of(Bandit(r=[[0.3]], bernoulli=True), Softmax(np.zeros((1, 1))))
    data = next(iter(Groups(3).batches(one)))[1]
    for out in (True, False):
        found = ScoreWeighted(leave_one_out=out)(data, one)[..., 0]
        centred = data.total - data.total.mean(axis=1, keepdims=True)
        np.testing.assert_allclose(found, centred * (1.5 if out else 1.0), atol=1e-15)


def test_weights_depend_on_the_parametrisation():
    """The same probabilities, other scores: other baselines."""
    pi = np.array([[0.6, 0.3, 0.1]])
    model = Bandit(r=[1.0, 0.2, 0.5])
    one, other = (law(PolicyGradient(advantage=ScoreWeighted()), Groups(3), Scene.of(model, policy)) for policy in (Softmax.of(pi), Direct(pi)))
    softmax_scores = np.eye(3) - pi
    # Direct scores are e_a / pi(a): the centred ones of softmax are diag(pi) - pi pi' times them.
    assert abs(one.variance - np.trace(softmax_scores.T @ np.diag(pi[0]) @ other.covariance @ np.diag(pi[0]) @ softmax_scores)) > 1e-3


def test_a_group_of_one_has_no_others():
    with pytest.raises(InvalidArgument, match="a baseline of the other rewards needs groups of at least 2"):
        law(PolicyGradient(advantage=ScoreWeighted()), Groups(1), scene())
    assert abs(law(PolicyGradient(advantage=ScoreWeighted(leave_one_out=False)), Groups(1), scene()).mean).max() == 0
