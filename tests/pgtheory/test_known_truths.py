"""Known truths come out of `check` without a hint: of files in the argument names of well-known libraries, of numpy functions, of built-in estimators."""

from pathlib import Path

import numpy as np
import pytest

from pgtheory.checking import check
from pgtheory.judging.classes import Kind

LOSSES = Path(__file__).parents[1] / "fixtures" / "losses"


def verdict(target, **options):
    return check(str(LOSSES / target), **options)


@pytest.mark.parametrize(
    "target, kind, scale",
    [
        ("verl_like.py:reinforce_loss", Kind.UNBIASED, "1"),
        ("verl_like.py:rloo_outcome_advantage", Kind.UNBIASED, "1"),
        ("trl_like.py:dr_grpo_loss", Kind.SCALED, "1/T"),
        ("trajectories.py:reward_to_go_weights", Kind.UNBIASED, "1"),
        ("trajectories.py:policy_gradient", Kind.UNBIASED, "1"),
        ("trajectories.py:gae", Kind.UNBIASED, "1"),
        ("trajectories.py:leave_one_out", Kind.UNBIASED, "1"),
        ("verl_like.py:gae_advantage", Kind.UNBIASED, "1"),
    ],
)
def test_exact_functions_in_the_names_of_known_libraries_are_acquitted(target, kind, scale):
    """With their constant."""
    found = verdict(target)
    assert found.kind is kind
    assert found.scale["text"] == scale
    assert found.exact


def test_grpo_in_the_names_of_trl_is_biased_by_its_length_normalisation():
    """Closed form, clip profile, cause and counterexample, all from the file alone."""
    found = verdict("trl_like.py:grpo_loss")
    assert found.kind is Kind.BIASED
    assert found.exit_code == 1
    assert found.identity == "E[g] = grad E[R/L] - J grad E[1/L]"
    assert found.conservative is False
    assert found.profile["method"] == "PPO clip (0.8, 1.2)"
    assert any("equally long" in cause["text"] for cause in found.causes)
    assert found.counterexample["datasets"] <= 10
    assert "epsilon_low = 0.2, its default" in found.bindings


def test_std_normalised_outcomes_in_the_names_of_verl_ascend_phi():
    """0/1 rewards: the exact gradient of another function of p, with its weights; switching the std off gives (G-1)/G, also through --set."""
    found = verdict("verl_like.py:outcome_advantage")
    assert found.kind is Kind.OBJECTIVE
    assert set(found.weight["names"]) == {3, 4, 5}
    sizes = [np.sqrt(K * (4 - K) / 12) for K in range(5)]  # std of a group of four with K successes, ddof 1
    expected = [(1 - (k + 1) / 4) / max(sizes[k + 1], 1e-6) + (k / 4) / max(sizes[k], 1e-6) for k in range(4)]
    np.testing.assert_allclose(found.weight["coefficients"][4], expected, rtol=1e-5)  # epsilon 1e-6 over a std of at least 1/2
    centred = verdict("verl_like.py:outcome_advantage", settings={"norm_adv_by_std": False})
    assert centred.kind is Kind.SCALED
    assert centred.scale["text"] == "(G-1)/G"
    assert [cure["text"] for cure in centred.cures] == ["multiply by G/(G-1)"]


def test_ppo_on_the_tokens_of_the_batch():
    """verl's token-mean couples prompts and lengths; the sequence sum is exact on-policy and biased off-policy, by the clip."""
    token_mean = verdict("verl_like.py:policy_loss")
    assert not token_mean.unbiased
    summed = verdict("verl_like.py:policy_loss", settings={"loss_agg_mode": "seq-mean-token-sum"})
    assert summed.kind is Kind.BIASED
    assert [cause["switches"] for cause in summed.causes] == [("old = current (on-policy)",)]
    assert summed.profile["method"].startswith("PPO clip")


def test_an_advantage_function_is_composed_with_a_loss():
    """The loss alone is given leave-one-out advantages; with the group-normalised ones its objective changes."""
    path = str(LOSSES / "verl_like.py")
    options = {"settings": {"loss_agg_mode": "seq-mean-token-sum"}}
    found = check(f"{path}:policy_loss", advantage=f"{path}:outcome_advantage", **options)
    assert any("outcome_advantage" in line for line in found.bindings)
    assert found.weight is not None


def test_a_method_of_one_dict_works_through_a_preset():
    """compute_loss(self, model, inputs) with trl's convention."""
    found = verdict("trl_like.py:Trainer.compute_loss", convention="trl")
    assert found.kind is Kind.UNBIASED
    assert any(line.startswith("completion_mask") for line in found.bindings)


def test_jax_losses_go_the_same_way():
    """Exact and with the own mean."""
    pytest.importorskip("jax")
    assert verdict("jax_losses.py:leave_one_out_loss").kind is Kind.UNBIASED
    own = verdict("jax_losses.py:own_mean_loss")
    # all rows are one group here, whatever the prompts: the constant is that of the batch
    assert own.scale["text"] == "(B-1)/B"


@pytest.mark.parametrize(
    "name, kind, objective",
    [
        ("kl/k1-loss-token", Kind.VACUOUS, None), ("kl/k1-loss-sequence", Kind.VACUOUS, None),
        ("kl/k1-reward", Kind.OBJECTIVE, "- reverse KL"), ("kl/k1-reward-to-go", Kind.OBJECTIVE, "- reverse KL"),
        ("kl/k2-loss-token", Kind.BIASED, None), ("kl/k2-loss-sequence", Kind.OBJECTIVE, "- reverse KL"),
        ("kl/k3-loss-token", Kind.BIASED, None), ("kl/k3-loss-sequence", Kind.OBJECTIVE, "- forward KL"),
        ("kl/k2-reward", Kind.BIASED, None), ("kl/k3-reward", Kind.BIASED, None),
    ],
)  # fmt: skip
def test_kl_placements_on_sequences(name, kind, objective):
    """The column `sequence` of the table, row by row: vacuous, exact or neither (then no gradient of anything either)."""
    found = check(name)
    assert found.kind is kind
    if objective is None:
        assert found.objective is None
        assert kind is Kind.VACUOUS or found.conservative is False
    else:
        assert found.objective["text"] == objective


@pytest.mark.parametrize(
    "name, objective",
    [
        ("kl/k1-loss-token", None), ("kl/k1-reward", "reverse KL"), ("kl/k2-loss-token", "reverse KL"), ("kl/k2-loss-sequence", "reverse KL"),
        ("kl/k3-loss-token", "forward KL"), ("kl/k3-loss-sequence", "forward KL"), ("kl/k2-reward", "neither"), ("kl/k3-reward", "neither"),
    ],
)  # fmt: skip
def test_kl_placements_on_one_token(name, objective):
    """The column `one token`: E[g] against minus the closed-form gradients of both divergences, on three outcomes at every point."""
    from pgtheory.judging.examination import examine
    from pgtheory.tabular.estimators.registry import builtin
    from pgtheory.tabular.objectives.regularisers import ForwardKL, ReverseKL
    from pgtheory.worlds.tokens import TokenWorld

    world = TokenWorld(vocabulary=3, limit=1, rule="graded").build()
    equal = {}
    for term in (ReverseKL(), ForwardKL()):
        exam = examine(builtin(name), world, objective=term)
        equal[term.name] = exam.proportional and exam.scale == pytest.approx(-1)
    if objective is None:
        assert exam.zero
    else:
        assert equal == {"reverse KL": objective == "reverse KL", "forward KL": objective == "forward KL"}


def test_missing_step_discounts():
    """No gradient of anything for a stationary policy; with one policy a step a known preconditioner: each step's block is gamma^-t too long."""
    stationary = check("reward-to-go/no-step-discount")
    assert stationary.conservative is False
    assert "gamma^t missing" in stationary.identity
    assert any("gamma = 1" in cause["text"] for cause in stationary.causes)
    from pgtheory.tabular.estimators.registry import builtin
    from pgtheory.tabular.laws.law import law
    from pgtheory.tabular.models.augmentation import with_time
    from pgtheory.tabular.objectives.returns import Return
    from pgtheory.tabular.policies.softmax import Softmax
    from pgtheory.tabular.sampling.episodes import OnPolicy
    from pgtheory.tabular.scene import Scene
    from pgtheory.worlds.episodes import FORK

    timed = with_time(FORK).model
    scene = Scene.of(timed, Softmax(np.random.default_rng(0).normal(size=(6, 3))))
    mean = law(builtin("reward-to-go/no-step-discount"), OnPolicy(1), scene).mean.reshape(3, -1)
    target = Return().gradient(scene).reshape(3, -1)
    np.testing.assert_allclose(mean, target / FORK.gamma ** np.arange(3)[:, None], atol=1e-12)


def test_natural_gradient_is_not_accused():
    """Its preconditioner is known."""
    found = check("natural")
    assert found.kind is Kind.PRECONDITIONED
    assert "Fisher" in found.preconditioner


@pytest.mark.parametrize(
    "name, text",
    [
        ("group-mean", "(G-1)/G"), ("leave-one-out", "1"), ("maximum-likelihood", "order G"), ("maximum-likelihood/centred", "order G-1"), ("max-of-2", "E[max of 2]"),
    ],
)  # fmt: skip
def test_constants_and_orders(name, text):
    """Own mean, leave-one-out, maximum likelihood of order N and N-1, the best of two."""
    found = check(name)
    shown = str(found)
    assert text in (found.scale["text"] if found.scale else shown)


def test_a_bias_of_one_in_a_million_is_found_and_rounding_is_not():
    """Planted on graded rewards."""

    def nearly(logprobs, rewards, mask):
        n = rewards.shape[0]
        advantages = n / (n - 1) * (rewards - rewards.mean()) + 1e-6 * (rewards > 1.2)
        return -((logprobs * mask).sum(1) * advantages).mean()

    found = check(nearly)
    assert not found.unbiased
    assert 1e-8 < found.bias < 1e-4
