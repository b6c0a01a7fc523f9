"""The built-in estimators by name. Names are stable; what each declares is checked by the tests and by `pgtheory check` without a target."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.estimators.baselines import Constant, ExactValue, OptimalConstant, OptimalState, Values
from pgtheory.tabular.estimators.estimator import Declared, Estimator, Setting, VerdictClass, Weight
from pgtheory.tabular.estimators.gae import GAE, NStep
from pgtheory.tabular.estimators.groups import GroupMean, GroupStd, LeaveOneOut, Reward
from pgtheory.tabular.estimators.kl import KLLoss, KLReward
from pgtheory.tabular.estimators.lengths import EveryToken, Length, PerBatchToken, PerConstant, PerSequence
from pgtheory.tabular.estimators.natural import NaturalGradient
from pgtheory.tabular.estimators.policy_gradient import PolicyGradient
from pgtheory.tabular.estimators.ratios import Masked, PrefixRatio, SequenceRatio, TokenRatio, Truncated
from pgtheory.tabular.estimators.reinforce import RewardToGo, StepReward, WholeReturn
from pgtheory.tabular.estimators.success import MaxAtK, MaximumLikelihood, PassAtK
from pgtheory.tabular.estimators.surrogates import PPOClip, PrefixSurrogate
from pgtheory.tabular.spelling import did_you_mean

OLD = ("old_logprobs",)
CUT = ("gamma", "values", "last_values", "truncated")


def _tokens(
    advantage: Weight, verdict: VerdictClass, estimates: str | None = None, *, length: Length | None = None, constant: str = "1", binary: bool = False,
    uses: tuple[str, ...] = (), source: str = "",
) -> PolicyGradient:  # fmt: skip
    declared = Declared(setting="tokens", estimates=estimates, verdict=verdict, constant=constant, binary=binary, uses=uses, source=source)
    return PolicyGradient(advantage=advantage, length=length or EveryToken(), declared=declared)


def _steps(advantage: Weight, verdict: VerdictClass = "unbiased", *, uses: tuple[str, ...] = ("gamma",), source: str = "") -> PolicyGradient:
    estimates = "J" if verdict == "unbiased" else None
    return PolicyGradient(advantage=advantage, declared=Declared(setting="episodes", estimates=estimates, verdict=verdict, uses=uses, source=source))


def _weighted(ratio: Weight, verdict: VerdictClass, *, length: Length | None = None) -> PolicyGradient:
    declared = Declared(setting="tokens", estimates="J" if verdict == "unbiased" else None, verdict=verdict, uses=OLD)
    return PolicyGradient(advantage=LeaveOneOut(), ratio=ratio, length=length or EveryToken(), declared=declared)


def _clipped(
    advantage: Weight, verdict: VerdictClass = "biased", *, setting: Setting = "tokens", uses: tuple[str, ...] = OLD, **parts: Any
) -> PPOClip:  # fmt: skip
    declared = Declared(setting=setting, verdict=verdict, uses=uses, source="Schulman et al. (2017)")
    return PPOClip(advantage=advantage, declared=declared, **parts)


def _divergence(term: Weight, verdict: VerdictClass, estimates: str | None = None) -> PolicyGradient:
    return _tokens(term, verdict, estimates, constant="-1", uses=("ref_logprobs",), source="Tang and Munos (2025)")


def _returns() -> dict[str, Estimator]:
    half, value = Constant(0.5), ExactValue()
    baselines: dict[str, tuple[Values, Values]] = {
        "": (Constant(), Constant()),
        "/constant-baseline": (half, half),
        "/value-baseline": (value, value),
        "/optimal-baseline": (OptimalConstant(), OptimalState()),
    }
    found: dict[str, Estimator] = {f"reinforce{name}": _steps(WholeReturn(baseline=whole)) for name, (whole, _) in baselines.items()}
    found |= {f"reward-to-go{name}": _steps(RewardToGo(baseline=state)) for name, (_, state) in baselines.items()}
    per_decision = Declared(setting="episodes", estimates="J", verdict="unbiased", uses=("gamma", *OLD), source="Precup, Sutton and Singh (2000)")
    return found | {
        "reward-to-go/no-step-discount": _steps(RewardToGo(step_discount=False), "preconditioned", source="Nota and Thomas (2020)"),
        "gae/0": _steps(GAE(lambda_=0), "biased", uses=CUT),
        "gae/0.95": _steps(GAE(lambda_=0.95), "preconditioned", uses=CUT, source="Schulman et al. (2016)"),
        "gae/1": _steps(GAE(lambda_=1), uses=CUT),
        "gae/0.95/exact-critic": _steps(GAE(lambda_=0.95, critic=value), uses=CUT),
        "gae/0.95/no-step-discount": _steps(GAE(lambda_=0.95, step_discount=False), "preconditioned", uses=CUT),
        "n-step/2": _steps(NStep(n=2), "preconditioned", uses=CUT),
        "n-step/2/exact-critic": _steps(NStep(n=2, critic=value), uses=CUT),
        "per-decision": PrefixSurrogate(advantage=StepReward(), declared=per_decision),
        "reinforce/importance": PolicyGradient(advantage=WholeReturn(), ratio=SequenceRatio(), declared=per_decision),
        "ppo-clip/gae": _clipped(GAE(lambda_=0.95), setting="episodes", uses=(*CUT, *OLD)),
    }


def _groups() -> dict[str, Estimator]:
    own = "Liu et al. (2025)"
    return {
        "group-reward": _tokens(Reward(), "unbiased", "J", source="Williams (1992)"),
        "leave-one-out": _tokens(LeaveOneOut(), "unbiased", "J", source="Kool, van Hoof and Welling (2019)"),
        "leave-one-out/per-sequence": _tokens(LeaveOneOut(), "biased", length=PerSequence(), source=own),
        "leave-one-out/per-batch-token": _tokens(LeaveOneOut(), "preconditioned", length=PerBatchToken()),
        "leave-one-out/per-constant": _tokens(LeaveOneOut(), "scaled", "J", length=PerConstant(4), constant="1/4", source=own),
        "group-mean": _tokens(GroupMean(), "scaled", "J", constant="(G-1)/G", source=own),
        "group-mean/per-sequence": _tokens(GroupMean(), "biased", length=PerSequence(), source=own),
        "group-mean/per-batch-token": _tokens(GroupMean(), "preconditioned", length=PerBatchToken(), source="Chu et al. (2026), GPG"),
        "group-mean/per-constant": _tokens(GroupMean(), "scaled", "J", length=PerConstant(4), constant="(G-1)/(4 G)", source=own),
        "group-std": _tokens(GroupStd(), "objective", "sum over prompts of Phi_G(p)", binary=True, source="Shao et al. (2024)"),
        "group-std/batch": _tokens(GroupStd(over="batch"), "preconditioned", source="Hu et al. (2025)"),
        "group-std/per-sequence": _tokens(GroupStd(), "biased", length=PerSequence(), source="Shao et al. (2024), GRPO"),
        "group-std/per-batch-token": _tokens(GroupStd(), "preconditioned", length=PerBatchToken(), source="Yu et al. (2025), DAPO"),
    }


def _ratios() -> dict[str, Estimator]:
    prefix = Declared(setting="tokens", verdict="preconditioned", uses=OLD)
    return {
        "ppo-clip": _clipped(LeaveOneOut()),
        "ppo-clip/group-std": _clipped(GroupStd()),
        "ppo-clip/sequence": _clipped(LeaveOneOut(), ratio=SequenceRatio(geometric=True), length=PerSequence()),
        "ratio/token": _weighted(TokenRatio(), "preconditioned"),
        "ratio/prefix": _weighted(PrefixRatio(), "preconditioned"),
        "ratio/prefix-surrogate": PrefixSurrogate(advantage=LeaveOneOut(), declared=prefix),
        "ratio/sequence": _weighted(SequenceRatio(), "unbiased"),
        "ratio/sequence-mean": _weighted(SequenceRatio(geometric=True), "biased", length=PerSequence()),
        "ratio/token/truncated": _weighted(Truncated(cap=1.5), "preconditioned"),
        "ratio/token/masked": _weighted(Masked(low=0.5, high=2.0), "preconditioned"),
        "ratio/sequence/truncated": _weighted(Truncated(cap=1.5, ratio=SequenceRatio()), "biased"),
        "ratio/sequence/masked": _weighted(Masked(low=0.5, high=2.0, ratio=SequenceRatio()), "biased"),
    }


def _divergences() -> dict[str, Estimator]:
    return {
        "kl/k1-loss-token": _divergence(KLLoss("k1"), "vacuous"),
        "kl/k1-loss-sequence": _divergence(KLLoss("k1", "sequence"), "vacuous"),
        "kl/k1-reward": _divergence(KLReward("k1"), "objective", "reverse KL"),
        "kl/k1-reward-to-go": _divergence(KLReward("k1", to_go=True), "objective", "reverse KL"),
        "kl/k2-loss-token": _divergence(KLLoss("k2"), "biased"),
        "kl/k2-loss-sequence": _divergence(KLLoss("k2", "sequence"), "objective", "reverse KL"),
        "kl/k3-loss-token": _divergence(KLLoss("k3"), "biased"),
        "kl/k3-loss-sequence": _divergence(KLLoss("k3", "sequence"), "objective", "forward KL"),
        "kl/k2-reward": _divergence(KLReward("k2"), "biased"),
        "kl/k2-reward-to-go": _divergence(KLReward("k2", to_go=True), "biased"),
        "kl/k3-reward": _divergence(KLReward("k3"), "biased"),
        "kl/k3-reward-to-go": _divergence(KLReward("k3", to_go=True), "biased"),
    }


def _successes() -> dict[str, Estimator]:
    walder, zanette = "Walder and Karkhanis (2025)", "Zanette et al. (2026)"
    order = lambda n: f"truncated log-likelihood of order {n}"
    return {
        "max-of-2": _tokens(MaxAtK(k=2), "objective", "E[max of 2]", source=walder),
        "max-of-2/subset": _tokens(MaxAtK(k=2, baseline="subset"), "objective", "E[max of 2]", source=walder),
        "max-of-2/sample": _tokens(MaxAtK(k=2, baseline="sample"), "objective", "E[max of 2]", source=walder),
        "pass-at-2": _tokens(PassAtK(k=2), "objective", "pass@2", binary=True, source=walder),
        "pass-at-2/subset": _tokens(PassAtK(k=2, baseline="subset"), "objective", "pass@2", binary=True, source=walder),
        "maximum-likelihood": _tokens(MaximumLikelihood(), "objective", order("G"), binary=True, source=zanette),
        "maximum-likelihood/control": _tokens(MaximumLikelihood(variant="control"), "objective", order("G"), binary=True, source=zanette),
        "maximum-likelihood/centred": _tokens(MaximumLikelihood(variant="centred"), "objective", order("G-1"), binary=True, source=zanette),
        "natural": NaturalGradient(
            gradient=PolicyGradient(advantage=LeaveOneOut()),
            declared=Declared(setting="tokens", estimates="J", verdict="preconditioned", source="Kakade (2001)"),
        ),
    }


BUILTIN: Mapping[str, Estimator] = MappingProxyType(_returns() | _groups() | _ratios() | _divergences() | _successes())
"""Stable name -> estimator."""


def builtin(name: str) -> Estimator:
    """The built-in estimator with this name.

    Raises:
        InvalidArgument: there is none; the text names those that look like it.
    """
    if name not in BUILTIN:
        hint = did_you_mean(name, BUILTIN) or f" There are: {', '.join(BUILTIN)}."
        raise InvalidArgument(f"no built-in estimator is called {name!r}.{hint}")
    return BUILTIN[name]
