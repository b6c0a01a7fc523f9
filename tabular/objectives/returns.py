"""The expected return and its derivatives."""

from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.arrays import require_between
from pgtheory.tabular.errors import NotConverged
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.objectives.combine import Combinable
from pgtheory.tabular.objectives.derivatives import (
    parameters_of_one_state,
    probability_gradient,
    probability_hessian,
    probability_pullback,
    probability_pullback_abs,
    probability_pullback_size,
)
from pgtheory.tabular.policies.policy import Policy
from pgtheory.tabular.scene import Scene
from pgtheory.tabular.solve.chain import UNIT, require_tolerance
from pgtheory.tabular.solve.evaluation import Evaluation, backup_rounding, evaluate, inner_chain


@dataclass(frozen=True)
class Return(Combinable):
    """J: the expected return of the model's own criterion: discounted, of finite horizon, or episodic.

    grad J = sum_s d(s) sum_a Q(s, a) grad pi(a|s), d discounted and not normalised (Sutton, McAllester, Singh, Mansour 1999, theorem 1); with a horizon
    d and Q carry the time, and the terms are summed over it.

    Raises:
        NonTerminating: gamma is 1 and the episode may never end.

    Theorem: T02, T15.
    """

    @property
    def name(self) -> str:
        """J."""
        return "J"

    def model(self, scene: Scene) -> MDP:
        """The decision process whose criterion is meant."""
        return scene.mdp

    def value(self, scene: Scene) -> float:
        """mu V."""
        return evaluate(self.model(scene), scene.policy()).J

    def gradient(self, scene: Scene) -> Float[np.ndarray, "D"]:
        """See `return_gradient`."""
        return return_gradient(self.model(scene), scene.policy())

    def gradient_with_bound(self, scene: Scene) -> tuple[Float[np.ndarray, "D"], float]:
        """The gradient and a proven bound of the largest error of its entries. See `return_gradient_with_bound`."""
        return return_gradient_with_bound(self.model(scene), scene.policy())

    def hessian(self, scene: Scene) -> Float[np.ndarray, "D D"]:
        """See `return_hessian`."""
        return return_hessian(self.model(scene), scene.policy())


@dataclass(frozen=True)
class ReturnAt(Return):
    """The return with another discount: gamma = 1 is the undiscounted return of an episodic or finite-horizon model."""

    gamma: float = 1.0

    def __post_init__(self) -> None:
        require_between("gamma", self.gamma, 0, 1)

    @property
    def name(self) -> str:
        """The return at this discount."""
        return "undiscounted return" if self.gamma == 1 else f"return at gamma = {self.gamma:g}"

    def model(self, scene: Scene) -> MDP:
        """The same model with another discount."""
        return replace(scene.mdp, gamma=self.gamma)


@dataclass(frozen=True)
class Length(Return):
    """E[L], the expected number of steps of an episode: the undiscounted return when every step earns 1."""

    @property
    def name(self) -> str:
        """E[L]."""
        return "E[L]"

    def model(self, scene: Scene) -> MDP:
        """The same moves, undiscounted, with reward 1."""
        return priced(scene.mdp, np.ones((scene.mdp.S, scene.mdp.A)))


def priced(mdp: MDP, reward: Float[np.ndarray, "S A"]) -> MDP:
    """The moves of a model, undiscounted, with another reward."""
    return MDP(P=mdp.P, mu=mdp.mu, r=reward, gamma=1.0, horizon=mdp.horizon)


def return_gradient(mdp: MDP, policy: Policy) -> Float[np.ndarray, "D"]:
    """sum_s d(s) sum_a Q(s, a) grad pi(a|s), with a horizon summed over its steps. Cost: one evaluation and one pullback."""
    found = evaluate(mdp, policy)
    d, Q = by_step(found, mdp)
    return probability_pullback(policy, np.einsum("ts,tsa->sa", d, Q))


def return_hessian(mdp: MDP, policy: Policy) -> Float[np.ndarray, "D D"]:
    """sum d Q (second derivative of pi) + sum d [grad pi (gamma P grad V)' + its transpose].

    grad V solves (I - gamma P_pi) grad V = sum_a Q grad pi, one factorisation for all D columns; with a horizon it is carried backwards.
    Cost: O(S^3 + S^2 A D + S A D^2) dense, with a horizon T times the last two terms; memory S A D.
    Source: the policy gradient theorem applied twice; Furmston, Lever, Barber (2016), theorem 3.

    Theorem: T61.
    """
    found, pi, dpi = evaluate(mdp, policy), policy.probabilities, probability_gradient(policy)
    d, Q = by_step(found, mdp)
    D = dpi.shape[2]
    slope, cross = np.zeros((mdp.S, D)), np.zeros((D, D))
    if mdp.horizon is None:
        chain, ends = inner_chain(mdp, pi)
        slope[ends] = chain.solve(np.einsum("sa,sad->sd", Q[0], dpi)[ends])
    for t in reversed(range(len(d))):
        following = mdp.gamma * (mdp.transition @ slope).reshape(mdp.S, mdp.A, D)
        cross += (d[t][:, None, None] * dpi).reshape(-1, D).T @ following.reshape(-1, D)
        if mdp.horizon is not None:
            slope = np.einsum("sa,sad->sd", Q[t], dpi) + np.einsum("sa,sad->sd", pi, following)
    return probability_hessian(policy, np.einsum("ts,tsa->sa", d, Q)) + cross + cross.T


def return_gradient_with_bound(
    mdp: MDP, policy: Policy, *, method: str | None = None, tolerance: float | None = None
) -> tuple[Float[np.ndarray, "D"], float]:
    """The gradient and a proven bound of |gradient - exact| in the sup norm.

    Exact means: for the float64 numbers of the model and of the policy's table pi, and the exact grad pi of that table. With |Q error| <= q in every entry and
    |d error|_1 <= e,

        |error_i| <= e max_s |sum_a Q grad_i pi|  +  q sum_s (d + e) sum_a |grad_i pi|  +  rounding of the last sums.

    q follows from the bound of V, e is the bound of d; both rest on residuals, in `evaluation.py`. Where a parameter belongs to one state, the first term is
    the largest entry of the gradient with weight one in each state, in which what Q has in common over the actions cancels. A sum of n terms errs by at most 2 n u times the sum of
    absolute values (Higham 2002, section 3.1). Cost: one evaluation and four pullbacks; memory S A, for log-linear policies S A D.

    Args:
        mdp: the model.
        policy: the policy.
        method: of the evaluation.
        tolerance: the error that is to be proven. If the default accuracy of the evaluation does not, the evaluation is done once more, as accurately as needed.

    Raises:
        NotConverged: the tolerance cannot be proven; `best` is the gradient that was found, `bound` what is proven of it.
    """
    require_tolerance(tolerance)
    found = evaluate(mdp, policy, method=method)
    gradient, bound = _gradient_of(found, mdp, policy)
    if tolerance is not None and not bound <= tolerance:
        needed = 0.5 * tolerance / bound * max(found.bound, np.finfo(float).tiny)
        with suppress(NotConverged):
            gradient, bound = _gradient_of(evaluate(mdp, policy, method=method, tolerance=needed), mdp, policy)
        if not bound <= tolerance:
            raise NotConverged(
                f"the gradient is proven to {bound:.3g} ({found.method}), not to {tolerance:g}. Give a larger tolerance, or leave the method out.",
                best=gradient,
                bound=bound,
            )
    return gradient, bound


def _gradient_of(found: Evaluation, mdp: MDP, policy: Policy) -> tuple[Float[np.ndarray, "D"], float]:
    """The gradient of an evaluation, and its bound."""
    d, Q = by_step(found, mdp)
    e = np.reshape(found.occupancy_bound, -1)
    q = mdp.gamma * found.bound + backup_rounding(mdp, float(abs(found.V).max(initial=0)))
    terms = len(d) + 4 + (mdp.A if parameters_of_one_state(policy) else mdp.S * mdp.A)
    spread = probability_pullback_abs(policy, np.ones_like(policy.probabilities))
    largest = abs(Q).max(axis=0)
    if parameters_of_one_state(policy):
        steepest = max(float(abs(probability_pullback(policy, step)).max()) for step in Q)
        steepest += 2 * terms * UNIT * float(probability_pullback_size(policy, largest).max())
    else:
        steepest = float(probability_pullback_abs(policy, largest).max())
    inherited = e.sum() * (steepest + q * float(spread.max())) + q * float(np.max(abs(d).sum(axis=0) @ spread))
    rounding = 2 * terms * UNIT * float(probability_pullback_size(policy, np.einsum("ts,tsa->sa", abs(d), abs(Q))).max())
    gradient = probability_pullback(policy, np.einsum("ts,tsa->sa", d, Q))
    return gradient, float((inherited + rounding) * (1 + 4 * terms * UNIT))


def by_step(found: Evaluation, mdp: MDP) -> tuple[Float[np.ndarray, "T S"], Float[np.ndarray, "T S A"]]:
    """Occupancy and Q with a leading axis of steps, of length one without a horizon."""
    return found.occupancy.reshape(-1, mdp.S), found.Q.reshape(-1, mdp.S, mdp.A)
