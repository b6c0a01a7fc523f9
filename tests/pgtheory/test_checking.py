"""Verdicts: one estimator for each class, Monte Carlo, batches of every kind, what the verdict says in Python, JSON and HTML."""

import json

import numpy as np
import pytest
import torch

from pgtheory.checking import check
from pgtheory.comparing import compare
from pgtheory.judging.classes import HEADLINES, Kind
from pgtheory.tabular.errors import InvalidArgument
from pgtheory.verdict import Verdict

LARGE = {"problem": "tokens/V=4,T=3", "group": 8}
"""Forty completions in groups of eight: 314457495 data sets."""


def advantages_of(rewards):
    n = len(rewards)
    return n / (n - 1) * (rewards - rewards.mean())


def exact(logprobs, rewards, mask):
    return -((logprobs * mask).sum(1) * advantages_of(rewards)).mean()


def single(logprobs, rewards, mask):
    r = rewards.numpy().astype(np.float32)
    weights = torch.from_numpy(((r - r.mean(dtype=np.float32)) / np.float32(3)).astype(np.float32)).double()
    return -((logprobs * mask).sum(1) * weights * 3 * len(r) / (len(r) - 1)).mean()


@pytest.mark.parametrize(
    "target, options, kind, code",
    [
        (single, {}, Kind.UNDECIDED, 3),
        ("kl/k1-loss-token", {}, Kind.VACUOUS, 1),
        (exact, {}, Kind.UNBIASED, 0),
        ("group-mean", {}, Kind.SCALED, 1),
        ("max-of-2", {}, Kind.OBJECTIVE, 1),
        ("natural", {}, Kind.PRECONDITIONED, 1),
        ("leave-one-out/per-sequence", {}, Kind.BIASED, 1),
    ],
)
def test_each_class_has_an_estimator(target, options, kind, code):
    """Class, exit code, headline first."""
    found = check(target, **options)
    assert found.kind is kind
    assert found.exit_code == code
    assert str(found).startswith(HEADLINES[kind])
    assert found.unbiased is {0: True, 1: False, 3: None}[code]


def test_monte_carlo_never_acquits():
    """An exact estimator on a problem too large to enumerate: undecided, exit code 3, with the largest bias that was not seen."""
    found = check("leave-one-out", **LARGE)
    assert found.kind is Kind.UNDECIDED
    assert not found.exact
    assert any("no difference was seen" in note for note in found.notes)


def test_monte_carlo_refutes():
    """k1 in the reward against J: far outside the confidence region."""
    found = check("kl/k1-reward", **LARGE)
    assert found.exit_code == 1
    assert not found.exact


def test_micro_batches_are_examined_as_they_are_run():
    """A loss exact on the batch stays exact in micro-batches of two or more rows of its own; the own mean of a micro-batch has another constant."""

    def plain(logprobs, rewards, mask):
        return -((logprobs * mask).sum(1) * rewards).mean()

    def own_mean(logprobs, rewards, mask):
        return -((logprobs * mask).sum(1) * (rewards - rewards.mean())).mean()

    tiny = {"problem": "world:tokens/V=2,T=1,P=1,G=4/binary"}
    assert check(plain, micro_batch=2, **tiny).unbiased
    assert check(own_mean, **tiny).scale["text"] == "(G-1)/G"
    assert check(own_mean, micro_batch=2, **tiny).scale["value"] == pytest.approx(1 / 2)
    assert any("micro-batches of 2" in line for line in check(plain, micro_batch=2, **tiny).bindings)


def test_prompts_may_be_drawn():
    """Exact all the same; a normaliser of the batch is another estimator then."""
    assert check("leave-one-out", drawn=2).unbiased
    fixed, drawn = check("group-std/batch"), check("group-std/batch", drawn=2)
    assert fixed.worlds[3]["id"] != drawn.worlds[3]["id"]


def test_a_bias_of_degenerate_groups_alone_is_named():
    """Leave-one-out, but groups of equal rewards get a weight of their own."""

    def loss(logprobs, rewards, mask):
        weights = torch.where(rewards.max() == rewards.min(), rewards * 0 + 0.3 * rewards, advantages_of(rewards))
        return -((logprobs * mask).sum(1) * weights).mean()

    found = check(loss, problem=None)
    assert any("equal rewards" in cause["text"] for cause in found.causes)


def test_the_same_answer_in_every_form():
    """Text, JSON and HTML hold the same lines; the covariance is symmetric."""
    found = check("group-mean")
    content = json.loads(found.to_json())
    assert content["headline"] == found.headline == "UNBIASED UP TO A CONSTANT"
    page = found._repr_html_()
    assert page.startswith("<table>")
    assert "(G-1)/G" in page
    assert isinstance(found, Verdict)
    np.testing.assert_allclose(found.covariance, found.covariance.T)
    assert found.bias == 0


def test_names_are_escaped_in_html():
    """A function's name may hold anything."""
    found = check("group-mean", name="<script>")
    assert "<script>" not in found._repr_html_()


@pytest.mark.parametrize("objective", ["pass@2", "truncated log-likelihood of order 2", "- reverse KL", "J - 1/10 reverse KL"])
def test_other_objectives_can_be_wanted(objective):
    """By the names that verdicts print; functions of the success probability leave graded worlds out."""
    target = {"pass@2": "pass-at-2", "truncated log-likelihood of order 2": None, "- reverse KL": "kl/k1-reward", "J - 1/10 reverse KL": None}[
        objective
    ]

    def penalised(logprobs, ref_logprobs, rewards, mask):
        kl = ((logprobs - ref_logprobs) * mask).sum(1).detach()
        return -((logprobs * mask).sum(1) * (rewards - 0.1 * kl)).mean()

    if objective.startswith("truncated"):
        assert check("maximum-likelihood/centred", objective=objective, problem="world:tokens/V=3,T=2,P=1,G=3/binary").unbiased
    else:
        assert check(target or penalised, objective=objective).unbiased
    assert not check("leave-one-out", objective=objective).unbiased


def test_an_objective_that_exists_nowhere_says_why():
    """pass@2 on graded rewards."""
    with pytest.raises(InvalidArgument, match="0 or 1|0 and 1"):
        check("max-of-2", objective="pass@2", problem="world:tokens/V=3,T=1,P=1,G=2/graded")


def test_comparison_of_twins():
    """A vectorised twin is the same on every data set; an independent sign of the noise has the same distribution; another baseline only the same mean."""

    def loop(logprobs, rewards, mask):
        total = 0.0
        for i in range(len(rewards)):
            others = [rewards[j] for j in range(len(rewards)) if j != i]
            total = total - (logprobs[i] * mask[i]).sum() * (rewards[i] - sum(others) / len(others))
        return total / len(rewards)

    same = compare(exact, loop, problem="world:tokens/V=2,T=2,P=1,G=3/binary")
    assert same.same is True
    assert same.worlds[0]["equal"] == "gradient"
    different = compare("leave-one-out", "group-reward")
    assert different.same is False
    assert "same mean" in different.text


def test_rows_in_another_order_have_the_same_distribution():
    """Row i baselined with row i+1, or with row i-1: other gradients on a data set, the same distribution."""

    def with_neighbour(step):
        def loss(logprobs, rewards, mask):
            return -((logprobs * mask).sum(1) * (rewards - torch.roll(rewards, step))).mean()

        return loss

    found = compare(with_neighbour(1), with_neighbour(-1), problem="world:tokens/V=2,T=2,P=1,G=3/binary")
    assert found.same is True
    assert found.worlds[0]["equal"] == "distribution"
