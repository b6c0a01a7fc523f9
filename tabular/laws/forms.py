"""The estimators whose law obeys a recursion over the states, recognised by their parts and written as numbers.

    Differences   g = sum_t nu^t psi_t sum_{k>=t} kappa^(k-t) delta_k,   delta_k = r_k + gamma V_{k+1}(s_{k+1}) - V_k(s_k)
                  GAE(lambda): kappa = gamma lambda; TD(0): lambda = 0; reward-to-go: lambda = 1 and no value after a cut; the reward of the step alone: lambda = 0, V = 0
    Whole         g = sum_t psi_t (sum_k discount^k r_k - b_t(s_t)): REINFORCE; discount = 1 where the rewards of a completion are added up
    LeftOut       g_i = factor (R_i - mean of R over its group) sum_t psi_t, R the undiscounted sum: leave-one-out has factor n / (n - 1), the group mean 1

psi_t is the score of the current policy at (s_t, a_t), times a ratio that depends on (s_t, a_t) alone. Everything else (ratios of prefixes, lengths that are random,
standard deviations, n-step returns) is none of these.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float

from pgtheory.tabular.arrays import first, freeze, require_shape
from pgtheory.tabular.data import Data
from pgtheory.tabular.errors import InvalidArgument, NoSupport
from pgtheory.tabular.estimators.baselines import Constant, Values
from pgtheory.tabular.estimators.gae import GAE
from pgtheory.tabular.estimators.groups import GroupMean, LeaveOneOut, Reward, require_group
from pgtheory.tabular.estimators.lengths import EveryToken, PerConstant
from pgtheory.tabular.estimators.policy_gradient import PolicyGradient
from pgtheory.tabular.estimators.ratios import Masked, TokenRatio, Truncated
from pgtheory.tabular.estimators.reinforce import RewardToGo, StepReward, WholeReturn
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.sampling.episodes import OffPolicy, OnPolicy
from pgtheory.tabular.sampling.groups import Groups
from pgtheory.tabular.scene import Scene
from pgtheory.tabular.solve.reachability import edges_of


@dataclass(frozen=True, kw_only=True)
class Rows:
    """The rows of a data set: `groups` times `size` episodes, independent given their first states.

    Attributes:
        groups: number of groups.
        size: episodes in each.
        start: who draws the first state from mu: each "row", each "group" for all its rows, or nobody ("fixed": every possible first state has one group).
    """

    groups: int
    size: int
    start: Literal["row", "group", "fixed"]

    def covariance(self, second: np.ndarray, shared: np.ndarray, squared: np.ndarray) -> np.ndarray:
        """Covariance of the mean over the rows: of one row whose start has law mu, `second` is E[g g'], `shared` E[E[g|s_0] E[g|s_0]'], `squared` E[g] E[g]'.

        With starts drawn by the rows, `shared` does not matter.
        """
        within = second - (squared if self.start == "row" else shared)
        within /= self.groups * self.size  # in place: these are the largest matrices there are
        return within + (shared - squared) / self.groups if self.start == "group" else within


@dataclass(frozen=True, eq=False, kw_only=True)
class Form:
    """What all forms share.

    Attributes:
        actions: probability with which the data take action a in s.
        ratio: factor of the score of (s, a), 1 without an importance ratio.
        horizon: number of steps after which a row ends or is cut; None: no limit.
        scale: factor of everything, 1 / tokens for PerConstant.
        rows: how many rows, and how their first states are drawn.
    """

    actions: Float[np.ndarray, "S A"]
    ratio: Float[np.ndarray, "S A"]
    horizon: int | None
    scale: float
    rows: Rows


@dataclass(frozen=True, eq=False, kw_only=True)
class Differences(Form):
    """The GAE family: discounted sums of temporal differences.

    Attributes:
        values: V_t(s) before the step, (S,) or (T, S).
        final: V after the last step where the row is cut, (S,); zero where the estimator does not bootstrap, or where the model's horizon ends the episode.
        gamma: discount inside delta.
        lambda_: kappa = gamma lambda weighs the differences that follow.
        nu: discount of the scores, gamma or 1.
    """

    values: Float[np.ndarray, "*T S"]
    final: Float[np.ndarray, "S"]
    gamma: float
    lambda_: float
    nu: float

    @property
    def kappa(self) -> float:
        """gamma lambda."""
        return self.gamma * self.lambda_

    def before(self, t: int) -> Float[np.ndarray, "S"]:
        """V_t, the value of the state in which step t is taken."""
        return self.values if self.values.ndim == 1 else self.values[t]

    def after(self, t: int) -> Float[np.ndarray, "S"]:
        """V_{t+1}, the value of the state that step t leads to."""
        return self.final if t + 1 == self.horizon else self.before(t + 1)


@dataclass(frozen=True, eq=False, kw_only=True)
class Whole(Form):
    """The whole return minus a baseline.

    Attributes:
        baseline: b_t(s), (S,) or (T, S).
        discount: of the rewards in the return.
    """

    baseline: Float[np.ndarray, "*T S"]
    discount: float

    def before(self, t: int) -> Float[np.ndarray, "S"]:
        """b_t."""
        return self.baseline if self.baseline.ndim == 1 else self.baseline[t]


@dataclass(frozen=True, eq=False, kw_only=True)
class LeftOut(Form):
    """The undiscounted return against the mean of its group, the own one included, times `factor`."""

    factor: float


FAMILIES = {
    GAE: Differences,
    RewardToGo: Differences,
    StepReward: Differences,
    WholeReturn: Whole,
    Reward: Whole,
    LeaveOneOut: LeftOut,
    GroupMean: LeftOut,
}
"""Form of each advantage. Types are compared, not their bases: who overrides a part has another estimator."""


def family_of(estimator: object, sampling: object) -> type[Form] | None:
    """The form that fits an estimator and a sampling law, by the types of their parts alone: no critic is evaluated. None: no form fits."""
    if type(estimator) is not PolicyGradient or type(sampling) not in (OnPolicy, OffPolicy, Groups):
        return None
    if type(estimator.length) not in (EveryToken, PerConstant) or not _by_pair(estimator.ratio):
        return None
    return FAMILIES.get(type(estimator.advantage))  # type: ignore[arg-type]


def _by_pair(ratio: object) -> bool:
    """Whether a ratio depends on the state and action of its step alone."""
    return ratio is None or type(ratio) is TokenRatio or (type(ratio) in (Truncated, Masked) and _by_pair(ratio.ratio) and ratio.ratio is not None)  # type: ignore[attr-defined]


def form_of(estimator: object, sampling: object, scene: Scene) -> Differences | Whole | LeftOut | None:
    """The estimator under this sampling law at the scene's point as one of the forms, or None.

    Cost: one evaluation of the critic or baseline, and O(S A).

    Raises:
        InvalidArgument: a critic that is no table (S,) or (T, S) of numbers, or has fewer steps than a row may have; a group of one without others.
        NoSupport: the sampling policy never takes an action that the current policy takes, or a ratio divides by zero.
    """
    family = family_of(estimator, sampling)
    if family is None:
        return None
    advantage, mdp = estimator.advantage, scene.mdp  # type: ignore[attr-defined]
    horizon = horizon_of(sampling, mdp)
    actions = sampling_policy(scene, sampling.role, horizon)  # type: ignore[attr-defined]
    shared = {
        "actions": actions,
        "ratio": np.ones_like(actions) if estimator.ratio is None else pair_ratio(estimator.ratio, actions, scene),  # type: ignore[attr-defined]
        "scale": 1 / estimator.length.tokens if type(estimator.length) is PerConstant else 1.0,  # type: ignore[attr-defined]
        "rows": rows_of(sampling, scene),
    }
    if family is LeftOut:
        size, others = shared["rows"].size, type(advantage) is LeaveOneOut
        if others:
            require_group(size, 2, "the mean of the other rewards", "Take more completions a prompt, or no baseline.")
        return LeftOut(**shared, horizon=horizon, factor=size / (size - 1) if others else 1.0)
    values = advantage.critic if type(advantage) is GAE else getattr(advantage, "baseline", Constant())
    table, steps = value_table(values, scene, actions, horizon)
    if family is Whole:
        return Whole(**shared, horizon=steps, baseline=table, discount=mdp.gamma if type(advantage) is WholeReturn else 1.0)
    bootstraps = type(advantage) is GAE and horizon != mdp.horizon
    last = table if table.ndim == 1 else table[min(horizon or 0, len(table) - 1)]
    return Differences(
        **shared,
        horizon=steps,
        values=table,
        final=last if bootstraps else np.zeros(mdp.S),
        gamma=mdp.gamma,
        lambda_=advantage.lambda_ if type(advantage) is GAE else float(type(advantage) is RewardToGo),
        nu=mdp.gamma if getattr(advantage, "step_discount", True) else 1.0,
    )


def horizon_of(sampling: object, mdp: MDP) -> int | None:
    """Steps after which every row has ended (the model's horizon) or is cut (that of the sampling, if it is the shorter one)."""
    return min((h for h in (getattr(sampling, "horizon", None), mdp.horizon) if h is not None), default=None)


def rows_of(sampling: object, scene: Scene) -> Rows:
    """Numbers of rows and groups of a sampling law; the rows of OnPolicy and OffPolicy are one group.

    Raises:
        InvalidArgument: every prompt stands in the batch once, but mu is not uniform over them.
    """
    if not isinstance(sampling, Groups):
        return Rows(groups=1, size=sampling.episodes, start="row")  # type: ignore[attr-defined]
    sampling.first_states(scene)
    return Rows(groups=sampling.counts_in(scene)["P"], size=sampling.size, start="fixed" if sampling.prompts is None else "group")


def sampling_policy(scene: Scene, role: str, horizon: int | None) -> Float[np.ndarray, "S A"]:
    """Probabilities of the actions in the data. Where policies differ in the actions that they never take, zero in states in which none is ever taken.

    Raises:
        NoSupport: an action of the current policy is never taken, in a state that the model can reach within the horizon.
    """
    sampler, current, old = (scene.policy(name).probabilities for name in (role, "current", "old"))
    if (((sampler == 0) != (current == 0)) | ((sampler == 0) != (old == 0))).any():
        sampler, current = (np.where(_visited(scene.mdp, horizon)[:, None], pi, 0.0) for pi in (sampler, current))
    missing = (sampler == 0) & (current > 0)
    if missing.any():
        s, a = first(missing)
        raise NoSupport(
            f"the {role} policy never takes action {a} in state {s}, which the current policy takes with probability {current[s, a]:.4g}. "
            "No weight can repair that: sample from a policy that takes every action the current one takes."
        )
    return sampler


def _visited(mdp: MDP, horizon: int | None) -> Bool[np.ndarray, "S"]:
    """States in which some choice of actions can be asked for one within the horizon."""
    edges, seen, new = edges_of(mdp, np.ones((mdp.S, mdp.A), dtype=bool)).T.tocsr(), np.zeros(mdp.S, dtype=bool), mdp.mu > 0
    steps = 0
    while new.any() and (horizon is None or steps < horizon):
        seen |= new
        new = (edges @ new.astype(float) > 0) & ~seen
        steps += 1
    return seen


def pair_ratio(ratio: object, actions: Float[np.ndarray, "S A"], scene: Scene) -> Float[np.ndarray, "S A"]:
    """The ratio of every pair that the data may contain, from data sets of one step each; zero at the others.

    Raises:
        NoSupport: the old policy never takes an action that the data contain.
    """
    s, a = np.nonzero(actions)
    column = lambda x: x[:, None, None]
    n = len(s)
    steps = Data(
        state=column(s), action=column(a), reward=np.zeros((n, 1, 1)), mask=np.ones((n, 1, 1), dtype=bool),
        last=np.full((n, 1), -1), truncated=np.zeros((n, 1), dtype=bool),
    )  # fmt: skip
    table = np.zeros_like(actions)
    table[s, a] = ratio(steps, scene)[:, 0, 0]  # type: ignore[operator]
    return table


def value_table(values: Values, scene: Scene, actions: Float[np.ndarray, "S A"], horizon: int | None) -> tuple[Float[np.ndarray, "*T S"], int | None]:
    """A critic's table, and the number of steps for which it is asked.

    A table (T, S) is enough if the horizon, or every episode, has at most T steps.

    Raises:
        InvalidArgument: it is no such table, or episodes may have more steps.
    """
    table = freeze("the table of values", values(scene), error=InvalidArgument)
    if table.ndim == 1:
        require_shape("the table of values", table, (scene.mdp.S,), "one value a state", error=InvalidArgument)
        return table, horizon
    if table.ndim != 2 or table.shape[1] != scene.mdp.S or not len(table):
        raise InvalidArgument(
            f"the table of values has shape {table.shape}, expected (S,) or (T, S) with S = {scene.mdp.S}: one value a state, or a state and step."
        )
    if horizon is not None and horizon <= len(table):
        return table, horizon
    edges, alive = edges_of(scene.mdp, actions > 0).T.tocsr(), scene.mdp.mu > 0
    for _ in range(len(table)):
        alive = edges @ alive.astype(float) > 0
    if alive.any():
        longest = "any number of" if horizon is None else str(horizon)
        raise InvalidArgument(
            f"the table of values has {len(table)} steps, but an episode may have {longest} steps: state {int(np.flatnonzero(alive)[0])} is "
            "reached after them. Give one row a step, a shorter sampling horizon, or values (S,) that do not depend on the step."
        )
    return table, len(table)
