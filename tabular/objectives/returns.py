"""The expected return and its derivatives."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from pgtheory.tabular.arrays import ROUNDING, require_between
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.objectives.combine import Combinable
from pgtheory.tabular.objectives.derivatives import probability_gradient, probability_hessian, probability_pullback
from pgtheory.tabular.policies.policy import Policy
from pgtheory.tabular.scene import Scene
from pgtheory.tabular.solve.chain import UNIT, Chain
from pgtheory.tabular.solve.evaluation import Evaluation, backup_rounding, evaluate


@dataclass(frozen=True)
class Return(Combinable):
    """J: the expected return of the model's own criterion: discounted, of finite horizon, or episodic.

    grad J = sum_s d(s) sum_a Q(s, a) grad pi(a|s), d discounted and not normalised (Sutton, McAllester, Singh, Mansour 1999, theorem 1); with a horizon
    d and Q carry the time, and the terms are summed over it.

    Raises:
        NonTerminating: gamma is 1 and the episode may never end.
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
    """
    found, pi, dpi = evaluate(mdp, policy), policy.probabilities, probability_gradient(policy)
    d, Q = by_step(found, mdp)
    D = dpi.shape[2]
    slope, cross = np.zeros((mdp.S, D)), np.zeros((D, D))
    if mdp.horizon is None:
        chain, inside = inner_chain(mdp, pi, found)
        slope[inside] = chain.solve(np.einsum("sa,sad->sd", Q[0], dpi)[inside])
    for t in reversed(range(len(d))):
        following = mdp.gamma * (mdp.transition @ slope).reshape(mdp.S, mdp.A, D)
        cross += (d[t][:, None, None] * dpi).reshape(-1, D).T @ following.reshape(-1, D)
        if mdp.horizon is not None:
            slope = np.einsum("sa,sad->sd", Q[t], dpi) + np.einsum("sa,sad->sd", pi, following)
    return probability_hessian(policy, np.einsum("ts,tsa->sa", d, Q)) + cross + cross.T


def return_gradient_with_bound(mdp: MDP, policy: Policy) -> tuple[Float[np.ndarray, "D"], float]:
    """The gradient and a proven bound of |gradient - exact| in the sup norm.

    Exact means: for the float64 numbers of the model and of the policy's tables pi and grad pi. With |Q error| <= q in every entry and |d error|_1 <= e,

        |error_i| <= e max_s |sum_a Q grad_i pi|  +  q sum_s (d + e) sum_a |grad_i pi|  +  rounding of the last sums.

    q follows from the residual bound of V, e from the residual of d: |(I - gamma P_pi')^-1|_1 is the sup norm of the untransposed inverse, which
    `Chain.inverse_norm` bounds. A sum of n terms errs by at most 2 n u times the sum of absolute values (Higham 2002, section 3.1).
    Cost: two evaluations; memory S A D.
    """
    found, pi, dpi = evaluate(mdp, policy), policy.probabilities, probability_gradient(policy)
    d, Q = by_step(found, mdp)
    norm = 1.0
    if mdp.horizon is None:
        norm = inner_chain(mdp, pi, found)[0].inverse_norm
        norm /= 1 - min(norm * (mdp.A + 2) * UNIT, 0.5)  # the entries of P_pi carry A + 2 roundings
    e = _occupancy_error(mdp, pi, d, norm)
    q = mdp.gamma * found.bound + backup_rounding(mdp, float(abs(found.V).max(initial=0)))
    terms = len(d) + mdp.S * mdp.A + 4
    size, spread = np.einsum("tsa,sad->tsd", abs(Q), abs(dpi)), abs(dpi).sum(axis=1)
    largest = (abs(np.einsum("tsa,sad->tsd", Q, dpi)) + 2 * terms * UNIT * size).max(axis=1)
    inherited = e @ largest + q * (abs(d).sum(axis=0) @ spread + e.sum() * spread.max(axis=0))
    rounding = 2 * terms * UNIT * np.einsum("ts,tsd->d", abs(d), size)
    gradient = np.einsum("sa,sad->d", np.einsum("ts,tsa->sa", d, Q), dpi)
    return gradient, float((inherited + rounding).max() * (1 + 2 * terms * UNIT))


def by_step(found: Evaluation, mdp: MDP) -> tuple[Float[np.ndarray, "T S"], Float[np.ndarray, "T S A"]]:
    """Occupancy and Q with a leading axis of steps, of length one without a horizon."""
    return found.occupancy.reshape(-1, mdp.S), found.Q.reshape(-1, mdp.S, mdp.A)


def inner_chain(mdp: MDP, pi: Float[np.ndarray, "S A"], found: Evaluation) -> tuple[Chain, Int[np.ndarray, "I"]]:
    """The chain of the policy on the states whose value exists, and the numbers of these states."""
    inside, K = np.flatnonzero(found.ends), mdp.kernel(pi)
    return Chain(K=K if len(inside) == mdp.S else K[np.ix_(inside, inside)], gamma=mdp.gamma), inside


def _occupancy_error(mdp: MDP, pi: np.ndarray, d: np.ndarray, norm: float) -> np.ndarray:
    """Bounds of |d_t - exact|_1, (T,): norm times residual when stationary, with a horizon the errors of one step carried forward."""
    forward = lambda x: mdp.gamma * (mdp.transition.T @ (x[:, None] * pi).ravel())
    own = lambda x: 2 * (mdp.S * mdp.A + 8) * UNIT * (1 + 2 * float(abs(x).sum()))
    if mdp.horizon is None:
        return np.array([norm * (float(abs(mdp.mu + forward(d[0]) - d[0]).sum()) + own(d[0]))])
    error = np.zeros(len(d))
    for t in range(1, len(d)):
        error[t] = mdp.gamma * (1 + 3 * ROUNDING) * error[t - 1] + own(d[t - 1])
    return error
