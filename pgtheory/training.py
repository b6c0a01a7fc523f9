"""A user's loss and a torch optimiser as an update: what `pgtheory rate LOSS --optimiser adam` runs."""

from typing import Any

from pgtheory.judging.subject import subject_of
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.errors import InvalidArgument, MissingExtra
from pgtheory.tabular.fields.field import Field
from pgtheory.tabular.models.mdp import as_mdp
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.episodes import OnPolicy
from pgtheory.tabular.sampling.groups import Groups
from pgtheory.tabular.scene import Scene


def training_step(loss: object, model: object, *, optimiser: Any = "sgd", learning_rate: float = 0.1, group: int = 4, **options: Any) -> Any:
    """The update that trains softmax logits of `model` on a loss with exact expected gradients.

    Args:
        loss: as for `check`: a built-in name, "file.py:function", or a function.
        model: the problem; token trees and bandits are sampled in groups of `group` completions a prompt, decision processes one episode at a time.
        optimiser: "sgd", "adam", "adamw", "rmsprop", or a function parameters -> torch optimiser.
        learning_rate: for an optimiser by name.
        options: as for `check`: kind, settings, convention, advantage, time_limit.

    Raises:
        MissingExtra: torch is not installed.
        InvalidArgument: unknown optimiser or options.
        BindingError, UserFunctionError: as `check`.
    """
    try:
        from pgtheory.deep.optimiser import OptimiserUpdate, optimiser_named
    except ModuleNotFoundError:
        raise MissingExtra("an optimiser step needs torch: pip install 'pgtheory[deep]'.") from None
    known = {"kind": None, "settings": None, "convention": None, "advantage": None, "time_limit": 10.0}
    if strange := set(options) - set(known):
        raise InvalidArgument(f"unknown options {', '.join(sorted(strange))}; known are {', '.join(known)}.")
    subject = subject_of(loss, name=None, **{**known, **options})
    mdp = as_mdp(model)
    (theta,) = Stack.of([mdp]).r * 0.0
    sampling = Groups(group) if subject.setting == "tokens" else OnPolicy(1)
    field = Field(subject.estimator, sampling, Scene.of(model, Softmax(theta), ref=Softmax(theta)), ordered=True)
    return OptimiserUpdate(field, optimiser_named(optimiser, learning_rate) if isinstance(optimiser, str) else optimiser)
