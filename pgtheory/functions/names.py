"""What the parameters of a user's function may be called."""

from difflib import get_close_matches

ALIASES: dict[str, tuple[str, ...]] = {
    "logprobs": ("log_prob", "log_probs", "logprob", "logp", "logps", "per_token_logps", "token_logprobs", "action_log_probs", "new_logprobs", "new_log_probs", "log_pi"),
    "old_logprobs": (
        "old_log_prob", "old_log_probs", "old_logprob", "old_logp", "old_logps", "old_per_token_logps", "old_action_log_probs",

    ),
    "sampler_logprobs": ("rollout_log_probs", "rollout_logprobs", "sampling_logprobs", "behavior_logprobs", "behaviour_logprobs", "inference_logprobs"),
    "ref_logprobs": ("ref_log_prob", "ref_log_probs", "ref_logprob", "ref_logp", "ref_logps", "ref_per_token_logps", "reference_logprobs", "reference_log_probs", "base_action_log_probs"),
    "logits": ("action_logits",),
    "probs": ("probabilities", "action_probs", "pi"),
    "entropy": ("entropies", "token_entropy", "per_token_entropy"),
    "mask": ("response_mask", "completion_mask", "action_mask", "loss_mask", "masks", "attention_mask"),
    "rewards": ("reward", "scores_per_sequence", "outcome_rewards", "sequence_rewards", "r"),
    "token_level_rewards": ("token_rewards", "token_level_scores", "per_token_rewards", "step_rewards"),
    "advantages": ("advantage", "adv", "advs", "A"),
    "returns": ("return_", "returns_to_go", "rewards_to_go", "reward_to_go", "rtg"),
    "values": ("value", "baseline", "baselines", "critic_values", "v"),
    "next_values": ("next_value", "values_next", "v_next"),
    "last_values": ("last_value", "bootstrap_value", "bootstrap_values", "final_values", "final_value"),
    "group": ("groups", "group_ids", "group_id", "index", "uid", "uids", "group_index"),
    "prompt": ("prompts", "prompt_ids", "prompt_id", "prompt_index"),
    "states": ("state", "observations", "obs", "s"),
    "actions": ("action", "completion_ids", "tokens", "a"),
    "terminated": ("terminal", "terminals", "terminations"),
    "truncated": ("truncations", "timeouts", "time_limit_reached"),
    "dones": ("done",),
    "lengths": ("length", "completion_lengths", "response_lengths", "seq_lens"),
    "gamma": ("discount", "discount_factor"),
    "lam": ("lambda_", "lmbda", "gae_lambda"),
    "group_size": ("num_generations", "n_samples_per_prompt", "samples_per_prompt", "G", "num_samples"),
    "num_prompts": ("n_prompts",),
    "max_length": ("max_completion_length", "max_tokens", "max_response_length", "T"),
    "scores": ("score", "grad_logprobs", "score_functions", "grad_log_probs"),
    "theta": ("params", "parameters", "logit_table"),
}  # fmt: skip
"""Canonical name -> other names for the same thing, as the well-known LLM-RL libraries and textbooks have them."""

CANONICAL: dict[str, str] = {name: name for name in ALIASES} | {alias: name for name, aliases in ALIASES.items() for alias in aliases}

LEAVES = ("logprobs", "probs", "logits", "entropy")
"""What a loss is differentiated with respect to."""

EPISODIC = frozenset(
    {"states", "gamma", "lam", "values", "next_values", "last_values", "terminated", "truncated", "dones", "returns", "scores", "theta"}
)
"""A function that asks for one of these is examined on trajectories of a decision process, others on groups of completions."""

MEANINGS: dict[str, str] = {
    "logprobs": "log-probabilities of the taken tokens under the current policy (B, T), the leaf",
    "old_logprobs": "the same under the old policy, the one that sampled unless sampler_logprobs are asked for too (B, T)",
    "sampler_logprobs": "the same under the policy that sampled (B, T)",
    "ref_logprobs": "the same under the reference policy (B, T)",
    "logits": "log-probabilities of all tokens (B, T, A), a leaf",
    "probs": "probabilities of all tokens (B, T, A), a leaf",
    "entropy": "entropy of the policy at each token (B, T), a leaf",
    "mask": "1 at real tokens, 0 at padding (B, T)",
    "rewards": "outcome (B,) or per-token rewards (B, T)",
    "token_level_rewards": "rewards of each token, the outcome on the last valid one (B, T)",
    "advantages": "leave-one-out advantages (B,) or (B, T)",
    "returns": "discounted rewards to go (B, T)",
    "values": "values of the states (B, T), zero at padding",
    "next_values": "value of the following state, 0 after a termination (B, T)",
    "last_values": "value of the state after the last step, 0 after a termination (B,)",
    "group": "number of the group of each row (B,)",
    "prompt": "number of the prompt of each row (B,)",
    "states": "states (B, T)",
    "actions": "actions or tokens (B, T)",
    "terminated": "whether the episode ended (B,) or at which step (B, T)",
    "truncated": "whether the episode was cut (B,) or at which step (B, T)",
    "dones": "1 at the step that ends the episode, a cut is no end (B, T)",
    "lengths": "number of steps of each row (B,)",
    "gamma": "discount of the problem",
    "lam": "lambda of GAE; 1 unless it has a default or is set",
    "group_size": "completions a prompt",
    "num_prompts": "prompts in the batch",
    "max_length": "padded length T",
    "scores": "gradients of the log-probabilities (B, T, D)",
    "theta": "the parameters of the policy",
}


def canonical(name: str) -> str | None:
    """The canonical name behind a parameter's name, or None."""
    return CANONICAL.get(name)


def unknown_text(names: list[str], function: str) -> str:
    """Error text for parameters that cannot be bound: close matches, everything there is, and the cures."""
    hints = [f"{n!r} (did you mean {m[0]!r}?)" if (m := get_close_matches(n, CANONICAL, n=1, cutoff=0.75)) else repr(n) for n in names]
    table = "\n".join(f"  {name:<20}{meaning}" for name, meaning in MEANINGS.items())
    return (
        f"{function} has parameters that cannot be bound: {', '.join(hints)}. Parameters are bound by name. Rename them, give them a default, "
        f"or set them (--set NAME=VALUE). What can be bound, with many aliases:\n{table}"
    )
