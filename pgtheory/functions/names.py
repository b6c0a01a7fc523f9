"""What the parameters of a user's function may be called."""

from difflib import get_close_matches

TAKEN = (
    "logprobs", "logprob", "log_prob", "log_probs", "logp", "logps", "log_pi", "per_token_logps", "per_token_logprobs", "token_logps", "token_logprobs",
    "token_log_probs", "action_log_probs", "action_logprobs", "actor_log_probs", "completion_logprobs", "response_logprobs",
)  # fmt: skip
"""How a log-probability of a taken token is called; the role stands in front of it or behind it."""

ROLES: dict[str, tuple[str, ...]] = {
    "logprobs": ("new", "policy", "current", "curr", "cur", "pi", "actor", "model"),
    "old_logprobs": ("old", "prev"),
    "ref_logprobs": ("ref", "reference", "base", "sft"),
    "sampler_logprobs": ("sampler", "sampling", "rollout", "behavior", "behaviour", "vllm", "inference"),
}
"""Which policy a word in front of (old_logprobs) or behind (logp_old) the log-probability means."""


def _with_roles(canonical: str) -> tuple[str, ...]:
    words = [name for role in ROLES[canonical] for name in (*(f"{role}_{taken}" for taken in TAKEN), *(f"{taken}_{role}" for taken in TAKEN))]
    return tuple(name for name in dict.fromkeys([*(TAKEN if canonical == "logprobs" else ()), *words]) if name != canonical)


ALIASES: dict[str, tuple[str, ...]] = {
    **{role: _with_roles(role) for role in ROLES},
    "logits": ("action_logits", "policy_logits", "new_logits"),
    "probs": ("probabilities", "policy_probs", "action_probs", "pi"),
    "entropy": ("entropies", "token_entropy", "per_token_entropy", "token_entropies"),
    "mask": (
        "response_mask", "completion_mask", "action_mask", "loss_mask", "eos_mask", "token_mask", "valid_mask", "final_mask", "attention_mask", "masks", "action_masks",
        "response_masks", "completion_masks", "loss_masks",
    ),
    "rewards": ("reward", "scores_per_sequence", "outcome_rewards", "sequence_rewards", "episode_rewards", "r"),
    "token_level_rewards": ("token_rewards", "token_level_scores", "per_token_rewards", "step_rewards"),
    "advantages": ("advantage", "adv", "advs", "A"),
    "returns": ("return_", "returns_to_go", "rewards_to_go", "reward_to_go", "discounted_returns", "rtg"),
    "values": ("value", "old_values", "state_values", "baseline", "baselines", "critic_values", "v"),
    "next_values": ("next_value", "values_next", "v_next"),
    "last_values": ("last_value", "bootstrap_value", "bootstrap_values", "final_values", "final_value"),
    "group": ("groups", "group_ids", "group_id", "index", "uid", "uids", "group_index", "group_idx"),
    "prompt": ("prompts", "prompt_id", "prompt_index", "prompt_idx"),
    "prompt_ids": (),
    "prompt_mask": (),
    "states": ("state", "observations", "obs", "s"),
    "actions": ("action", "completion_ids", "response_ids", "responses", "labels", "tokens", "token_ids", "a"),
    "terminated": ("terminal", "terminals", "terminations"),
    "truncated": ("truncations", "timeouts", "time_limit_reached"),
    "dones": ("done",),
    "lengths": ("length", "completion_lengths", "response_lengths", "response_length", "seq_lens", "seq_lengths"),
    "gamma": ("discount", "discount_factor"),
    "lam": ("lambda_", "lmbda", "gae_lambda"),
    "group_size": ("num_generations", "n_samples_per_prompt", "samples_per_prompt", "rollouts_per_prompt", "G", "num_samples"),
    "num_prompts": ("n_prompts",),
    "batch_size": ("bsz",),
    "max_length": ("max_completion_length", "max_tokens", "max_response_length", "T"),
    "scores": ("score", "grad_logprobs", "score_functions", "grad_log_probs"),
    "theta": ("params", "parameters", "logit_table"),
}  # fmt: skip
"""Canonical name -> other names for the same thing, as the well-known LLM-RL libraries and textbooks have them."""

CANONICAL: dict[str, str] = {alias: name for name, aliases in ALIASES.items() for alias in aliases} | {name: name for name in ALIASES}

LEAVES = ("logprobs", "probs", "logits", "entropy")
"""What a loss is differentiated with respect to."""

EPISODIC = frozenset(
    {"states", "gamma", "lam", "values", "next_values", "last_values", "terminated", "truncated", "dones", "returns", "scores", "theta"}
)
"""A function that asks for one of these is examined on trajectories of a decision process, others on groups of completions."""

MEANINGS: dict[str, str] = {
    "logprobs": "log-probabilities of the taken tokens under the current policy (B, T), the leaf",
    "old_logprobs": "the same under the old policy, the one that sampled unless sampler_logprobs are asked for too (B, T)",
    "ref_logprobs": "the same under the reference policy (B, T)",
    "sampler_logprobs": "the same under the policy that sampled (B, T)",
    "logits": "log-probabilities of all tokens (B, T, A), a leaf",
    "probs": "probabilities of all tokens (B, T, A), a leaf",
    "entropy": "entropy of the policy at each token (B, T), a leaf",
    "mask": "1 at real tokens, 0 at padding (B, T)",
    "rewards": "outcome (B,) or per-token rewards (B, T)",
    "token_level_rewards": "rewards of each token, the outcome on the last valid one (B, T)",
    "advantages": "leave-one-out advantages (B,) or (B, T)",
    "returns": "discounted rewards to go (B, T), or of the whole row (B,)",
    "values": "values of the states (B, T), zero at padding",
    "next_values": "value of the following state, 0 after a termination (B, T)",
    "last_values": "value of the state after the last step, 0 after a termination (B,)",
    "group": "number of the group of each row (B,)",
    "prompt": "number of the prompt of each row (B,)",
    "prompt_ids": "the prompt as one token (B, 1)",
    "prompt_mask": "ones (B, 1)",
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
    "batch_size": "rows of the batch",
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
    return (
        f"{function} has parameters that cannot be bound: {', '.join(hints)}. Parameters are bound by name. Rename them, give them a default, "
        f"or set them (--set NAME=VALUE). {bindable()}"
    )


def bindable() -> str:
    """What can be bound, as a table."""
    return "What can be bound, with many aliases:\n" + "\n".join(f"  {name:<20}{meaning}" for name, meaning in MEANINGS.items())
