"""The short forms of the Python face: a model and a policy instead of a scene."""

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.laws.law import law as law_of
from pgtheory.tabular.laws.types import Law
from pgtheory.tabular.objectives.catalogue import objective_named
from pgtheory.tabular.objectives.objective import Objective
from pgtheory.tabular.objectives.returns import Return, return_gradient_with_bound
from pgtheory.tabular.policies.policy import Policy
from pgtheory.tabular.sampling.episodes import OffPolicy, OnPolicy
from pgtheory.tabular.sampling.groups import Groups
from pgtheory.tabular.scene import Scene


def value(model: object, policy: Policy, *, objective: str | Objective = "J", ref: Policy | None = None) -> float:
    """Value of an objective at a policy; default the return J. `ref` is the reference policy of KL terms.

    >>> from pgtheory.tabular.models.bandit import Bandit
    >>> from pgtheory.tabular.policies.direct import Direct
    >>> value(Bandit(r=[1.0, 0.0]), Direct([[0.25, 0.75]]))
    0.25
    """
    scene = Scene.of(model, policy, ref=ref)
    return meant(objective, scene).value(scene)


def gradient(
    model: object,
    policy: Policy,
    *,
    objective: str | Objective = "J",
    ref: Policy | None = None,
    method: str | None = None,
    tolerance: float | None = None,
) -> Float[np.ndarray, "*theta"]:
    """Gradient of an objective with respect to the policy's theta, in the shape of theta.

    Of returns, `method` chooses the solver and `tolerance` is the error of the largest entry that is to be proven; see `return_gradient_with_bound`, which
    also gives the bound.

    Raises:
        InvalidArgument: a method or a tolerance for an objective that is no return.
        NotConverged: the tolerance cannot be proven; `best` is the gradient that was found, `bound` what is proven of it.

    >>> from pgtheory.tabular.models.bandit import Bandit
    >>> from pgtheory.tabular.policies.softmax import Softmax
    >>> gradient(Bandit(r=[1.0, 0.0]), Softmax(np.zeros((1, 2))))
    array([[ 0.25, -0.25]])
    """
    scene = Scene.of(model, policy, ref=ref)
    goal = meant(objective, scene)
    if method is None and tolerance is None:
        return goal.gradient(scene).reshape(np.shape(policy.theta))
    if not isinstance(goal, Return):
        raise InvalidArgument(f"method and tolerance are for returns, the objective is {goal.name}. Leave them out.")
    return return_gradient_with_bound(goal.model(scene), policy, method=method, tolerance=tolerance)[0].reshape(np.shape(policy.theta))


def law(
    estimator: object, model: object, policy: Policy, *, sampling: object | None = None, sampler: Policy | None = None, ref: Policy | None = None,
    method: str | None = None, **point: np.ndarray,
) -> Law:  # fmt: skip
    """Exact mean and covariance of an estimator (a value, or the name of a built-in one) on a model at a policy.

    Without `sampling`: groups of four completions for estimators of completions, else one episode; drawn by `sampler` if one is given.
    """
    from pgtheory.tabular.estimators.registry import builtin

    chosen = builtin(estimator) if isinstance(estimator, str) else estimator
    setting = getattr(getattr(chosen, "declared", None), "setting", "episodes")
    default = Groups(4) if setting == "tokens" else OnPolicy(1) if sampler is None else OffPolicy(1)
    return law_of(chosen, default if sampling is None else sampling, Scene.of(model, policy, sampler=sampler, ref=ref, **point), method=method)  # type: ignore[arg-type]


def meant(objective: str | Objective, scene: Scene) -> Objective:
    """An objective, by value or by name.

    Raises:
        InvalidArgument: no objective has the name, or it is neither.
    """
    if not isinstance(objective, str):
        if not hasattr(objective, "gradient"):
            raise InvalidArgument(f"objective is {objective!r}, expected a name, such as 'J', or an Objective.")
        return objective
    return Return() if objective == "J" else objective_named(objective, scene)
