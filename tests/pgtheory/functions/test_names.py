"""What parameters may be called."""

import pytest

from pgtheory.functions.names import ALIASES, CANONICAL, MEANINGS, canonical, unknown_text


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("per_token_logps", "logprobs"), ("log_prob", "logprobs"), ("log_probs", "logprobs"), ("action_log_probs", "logprobs"), ("new_actor_log_probs", "logprobs"),
        ("old_log_prob", "old_logprobs"), ("old_per_token_logps", "old_logprobs"), ("logp_old", "old_logprobs"), ("old_actor_log_probs", "old_logprobs"),
        ("ref_log_prob", "ref_logprobs"), ("ref_per_token_logps", "ref_logprobs"), ("base_action_log_probs", "ref_logprobs"), ("reference_logps", "ref_logprobs"),
        ("rollout_log_probs", "sampler_logprobs"), ("sampling_per_token_logps", "sampler_logprobs"), ("behavior_logprobs", "sampler_logprobs"),
        ("response_mask", "mask"), ("completion_mask", "mask"), ("action_mask", "mask"), ("loss_mask", "mask"), ("eos_mask", "mask"),
        ("uid", "group"), ("index", "group"), ("token_level_rewards", "token_level_rewards"), ("num_generations", "group_size"), ("lmbda", "lam"),
        ("completion_ids", "actions"), ("adv", "advantages"), ("frobnicate", None),
    ],
)  # fmt: skip
def test_names_of_well_known_libraries(name, meaning):
    assert canonical(name) == meaning


def test_no_alias_means_two_things():
    """Every alias belongs to one canonical name, and no alias hides a canonical name."""
    pairs = {(alias, name) for name, aliases in ALIASES.items() for alias in aliases}
    assert len({alias for alias, _ in pairs}) == len(pairs)
    assert all(CANONICAL[name] == name for name in ALIASES)


def test_every_name_has_a_meaning():
    assert set(MEANINGS) == set(ALIASES)


def test_unknown_names_get_a_close_match_and_the_whole_list():
    text = unknown_text(["rewars"], "loss")
    assert "did you mean 'rewards'?" in text
    assert all(name in text for name in MEANINGS)
