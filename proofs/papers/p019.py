"""P019: Reinforcement Learning with General Utilities: Simpler Variance Reduction and Large State-Action Space."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pgtheory.proofs.claim import Case, Claim, Paper
from pgtheory.proofs.headline import Headline
from pgtheory.proofs.papers.headlines.p019 import explored
from pgtheory.proofs.relations import Derived, Equal, Rounding
from pgtheory.tabular.estimators.gradient_difference import GradientDifference
from pgtheory.tabular.estimators.policy_gradient import PolicyGradient
from pgtheory.tabular.estimators.ratios import TokenRatio
from pgtheory.tabular.estimators.reinforce import RewardToGo
from pgtheory.tabular.estimators.utility import PseudoReturn
from pgtheory.tabular.laws.law import law
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.objectives.functionals import PathFunctional
from pgtheory.tabular.objectives.utilities import OccupancyDistance, OccupancyEntropy, Utility
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.episodes import OffPolicy, OnPolicy
from pgtheory.tabular.scene import Scene

STEP = 1e-40
"""Of complex steps, which cancel nothing."""


@dataclass(frozen=True, eq=False)
class Cubic(OccupancyDistance):
    """-sum lambda^3 / 3, whose slope is not affine."""

    def F(self, visits: np.ndarray) -> np.ndarray:
        return -(visits**3).sum(axis=(-2, -1)) / 3

    def slope(self, visits: np.ndarray) -> np.ndarray:
        return -(visits**2)

    def curvature(self, visits: np.ndarray) -> np.ndarray:
        return -2 * visits


QUADRATIC = OccupancyDistance()


def problem(label: str, seed: int, *, horizon: int | None = 3, utility: Utility = QUADRATIC, **more: Any) -> Case:
    """2 states, 2 actions, 3 steps; theta is the older point, theta + u the newer one."""
    rng = np.random.default_rng(seed)
    model = MDP(P=rng.dirichlet(np.ones(2), size=(2, 2)), r=rng.random((2, 2)), mu=rng.dirichlet(np.ones(2)), gamma=0.9, horizon=horizon)
    return Case(label, model=model, theta=rng.normal(size=(2, 2)), u=rng.normal(size=(2, 2)), utility=utility, **more)


def ten(label: str = "", **more: Any) -> list[Case]:
    return [problem(f"{label}seed {seed}", seed, **more) for seed in range(10)]


def table(theta: np.ndarray) -> np.ndarray:
    """Softmax; theta may be complex."""
    return np.exp(theta) / np.exp(theta).sum(axis=1, keepdims=True)


def visits(model: MDP, theta: np.ndarray) -> Any:
    """Discounted visits: a linear system, or a sum over the steps of a horizon."""
    pi = table(theta)
    P = np.einsum("sa,sat->ts", pi, model.P)
    if model.horizon is None:
        return np.linalg.solve(np.eye(2) - model.gamma * P, model.mu)[:, None] * pi
    return np.sum([np.linalg.matrix_power(model.gamma * P, t) @ model.mu for t in range(model.horizon)], axis=0)[:, None] * pi


def derivative(f: Callable[[np.ndarray], Any], theta: np.ndarray) -> np.ndarray:
    return np.array([np.imag(f(theta + 1j * STEP * e.reshape(2, 2))) / STEP for e in np.eye(4)])


# C1: the chain rule


def entropy(x: np.ndarray) -> Any:
    return -(x * np.log(x)).sum()


def half_square(x: np.ndarray) -> Any:
    return -(x * x).sum() / 2


def frozen_elsewhere(case: Case) -> np.ndarray:
    """The reward is that of the uniform policy."""
    x = visits(case.model, np.zeros((2, 2)))
    reward = -np.log(x) - 1 if case.F is entropy else -x
    return derivative(lambda theta: (visits(case.model, theta) * reward).sum(), case.theta)


# T37_utility_gradient: that D F is the sum of F' D lambda is what slope means; with a horizon the time is part of the state.
C1 = Claim(
    id="P019.C1", theorem="T37", kind="identity",
    statement="grad F(lambda(theta)) is the policy gradient for the reward F'(lambda), held constant: entropy and quadratic F, 10 random problems each, with a horizon and without",
    left=lambda case: case.utility.gradient(Scene.of(case.model, Softmax(case.theta))),
    right=lambda case: derivative(lambda theta: case.F(visits(case.model, theta)), case.theta),
    relation=Equal(Rounding(4096, scale=1.0)),
    cases=lambda: [
        case for horizon in (None, 3) for utility, F in ((OccupancyEntropy(), entropy), (QUADRATIC, half_square))
        for case in ten(f"{utility.name}, horizon {horizon}, ", horizon=horizon, utility=utility, F=F)
    ],
    mutants={"the reward of another policy": frozen_elsewhere},
)  # fmt: skip


# C2, C3: where the pseudo-reward comes from


def sampled_mean(case: Case) -> np.ndarray:
    """E of the policy gradient with pseudo-rewards, two trajectories."""
    advantage = PseudoReturn(utility=case.utility, visits=case.source)
    return law(PolicyGradient(advantage=advantage), OnPolicy(2), Scene.of(case.model, Softmax(case.theta))).mean


C2 = Claim(
    id="P019.C2", kind="unbiased",
    statement="quadratic F, pseudo-reward from an independent trajectory: E[g(tau, F'(lamhat(tau')))] = grad F(lambda) (10 random problems)",
    left=sampled_mean,
    right=lambda case: derivative(lambda theta: half_square(visits(case.model, theta)), case.theta),
    relation=Equal(Rounding(256, scale=1.0)),
    cases=lambda: ten(source="others"),
    assumes={
        "another trajectory": lambda: problem("the same trajectory", 0, source="own"),
        "F' is affine": lambda: problem("a cubic F", 0, source="others", utility=Cubic()),
    },
)  # fmt: skip


def trajectories(model: MDP, theta: np.ndarray) -> list[tuple[Any, np.ndarray, np.ndarray, np.ndarray]]:
    """(probability, pairs, visits, score of each prefix) of every trajectory, one after the other; theta may be complex."""
    pi, found = table(theta), []
    for pairs in itertools.product(range(4), repeat=model.horizon or 0):
        chance, x, score, scores = 1.0 + 0 * pi[0, 0], np.zeros((2, 2)), np.zeros((2, 2), dtype=pi.dtype), []
        for t, (s, a) in enumerate(divmod(pair, 2) for pair in pairs):
            before = divmod(pairs[t - 1], 2)
            chance = chance * (model.mu[s] if t == 0 else model.P[before][s]) * pi[s, a]
            x[s, a] += model.gamma**t
            score = score.copy()
            score[s] += np.eye(2)[a] - pi[s]
            scores.append(score)
        found.append((chance, np.array(pairs), x, np.array(scores)))
    return found


def estimate(model: MDP, pairs: np.ndarray, scores: np.ndarray, reward: np.ndarray) -> np.ndarray:
    """sum_t gamma^t reward(s_t, a_t) (sum of the scores up to t)."""
    return np.einsum("t,tsa->sa", model.gamma ** np.arange(len(pairs)) * reward.ravel()[pairs], scores).ravel()


def bias_of_own(case: Case, slope: Callable[[np.ndarray], np.ndarray] = lambda x: -x) -> np.ndarray:
    """E[g(tau, F'(lamhat(tau)) - F'(lambda))], trajectory by trajectory."""
    mean = visits(case.model, case.theta)
    terms = [p * estimate(case.model, pairs, scores, slope(x) - slope(mean)) for p, pairs, x, scores in trajectories(case.model, case.theta)]
    return np.sum(terms, axis=0)


C3 = Claim(
    id="P019.C3", kind="biased by exactly",
    statement="with the trajectory's own visits the bias is E[g(tau, F'(lamhat(tau)) - F'(lambda))], not 0 (F = -|lambda|^2/2, 10 random problems)",
    left=lambda case: sampled_mean(case) - case.utility.gradient(Scene.of(case.model, Softmax(case.theta))),
    right=bias_of_own,
    relation=Equal(Rounding(256, scale=1.0)),
    cases=lambda: ten(source="own"),
    assumes={"the same trajectory": lambda: problem("another trajectory", 0, source="others")},
    mutants={"no bias": lambda case: np.zeros(4), "the other sign": lambda case: -bias_of_own(case)},
)  # fmt: skip


# C4: the utility of a trajectory


def counted(model: MDP, paths: Any) -> np.ndarray:
    """lamhat of every trajectory."""
    weight = model.gamma ** np.arange(paths.state.shape[1]) * paths.mask
    x = np.zeros((len(paths), 2, 2))
    np.add.at(x, (np.arange(len(paths))[:, None], paths.state, paths.action), weight)
    return x


def loss_of_jensen(case: Case) -> float:
    """E[F(lamhat)] - F(lambda)."""
    scene = Scene.of(case.model, Softmax(case.theta))
    each = PathFunctional(lambda paths: case.utility.F(counted(case.model, paths)), "E[F(lamhat)]")
    return each.value(scene) - case.utility.value(scene)


def half_spread(case: Case, factor: float = 0.5) -> float:
    """-tr Cov(lamhat) / 2."""
    mean = visits(case.model, case.theta)
    return -factor * sum(p * ((x - mean) ** 2).sum() for p, _, x, _ in trajectories(case.model, case.theta))


# T18 of each coordinate of lamhat, whose mean is lambda, added up.
C4 = Claim(
    id="P019.C4", theorem="T18", kind="biased by exactly",
    statement="the mean utility of single trajectories is another objective, lower by half the spread of the visits: for F = -|lambda|^2/2, E[F(lamhat)] = F(lambda) - tr Cov(lamhat)/2 (10 random problems)",
    left=loss_of_jensen,
    right=half_spread,
    cases=lambda: ten(),
    assumes={"F is quadratic": lambda: problem("a cubic F", 0, utility=Cubic())},
    mutants={"the same objective": lambda case: 0.0, "the whole covariance": lambda case: half_spread(case, 1.0)},
)  # fmt: skip


# C5, C6: recursive momentum

PLAIN = PolicyGradient(advantage=RewardToGo())


def difference(case: Case, c: float = 1.0) -> Any:
    """The law of g(tau, theta + c u) - w g(tau, theta), tau ~ theta + c u."""
    estimator = GradientDifference(gradient=PLAIN, last=case.theta, weighted=case.weight != "none")
    return law(estimator, OffPolicy(1), Scene.of(case.model, Softmax(case.theta + c * case.u)))


def mean_difference(case: Case) -> np.ndarray:
    if case.weight != "a step":
        return difference(case).mean
    newer = Softmax(case.theta + case.u)
    older = law(PolicyGradient(advantage=RewardToGo(), ratio=TokenRatio()), OffPolicy(1), Scene.of(case.model, Softmax(case.theta), sampler=newer))
    return law(PLAIN, OffPolicy(1), Scene.of(case.model, newer)).mean - older.mean


def moved(case: Case) -> np.ndarray:
    J = lambda theta: (visits(case.model, theta) * case.model.r).sum()
    return derivative(J, case.theta + case.u) - derivative(J, case.theta)


# T13_gradient_difference with mu the policy of theta_t and pi that of theta_{t-1}, averaged over the start.
C5 = Claim(
    id="P019.C5", theorem="T13", kind="unbiased",
    statement="E[g(tau, theta_t) - w g(tau, theta_{t-1})] = grad J(theta_t) - grad J(theta_{t-1}) for tau ~ theta_t and w the ratio of the whole trajectory (10 random problems)",
    left=mean_difference,
    right=moved,
    relation=Equal(Rounding(256, scale=1.0)),
    cases=lambda: ten(weight="a trajectory"),
    assumes={
        "the weight": lambda: problem("no weight", 0, weight="none"),
        "the ratio of the whole trajectory": lambda: problem("the ratio of each step", 0, weight="a step"),
    },
)  # fmt: skip


def spread(case: Case) -> Any:
    """tr Cov / c^2 at c = 2^-20."""
    c = 2.0**-20
    return np.trace(difference(case, c).covariance) / c**2


def limit(case: Case, centred: bool = True) -> Any:
    """tr Cov of the derivative of p g along u, over p: the Hessian-vector estimator."""
    total, mean = 0.0, np.zeros(4)
    for p, pairs, _, scores in trajectories(case.model, case.theta + 1j * STEP * case.u):
        slope = (p * estimate(case.model, pairs, scores, case.model.r)).imag / STEP
        total, mean = total + slope @ slope / p.real, mean + slope
    return total - centred * mean @ mean


C6 = Claim(
    id="P019.C6", kind="rate",
    statement="the variance of that difference is of the order |theta_t - theta_{t-1}|^2: for theta_t - theta_{t-1} = c u, tr Cov / c^2 tends to tr Cov(B u), B the sampled Hessian (10 random problems, c = 2^-20)",
    left=spread,
    right=limit,
    relation=Equal(Derived(1e-4, "the next term of the Taylor series is c = 1e-6 times a number of the order |u|^3, up to 50 here")),
    cases=lambda: ten(weight="a trajectory"),
    assumes={"the weight": lambda: problem("no weight", 0, weight="none")},
    mutants={"the second moment": lambda case: limit(case, centred=False)},
)  # fmt: skip

PAPER = Paper(
    id="P019", slug="general-utility-pg", title="Reinforcement Learning with General Utilities: Simpler Variance Reduction and Large State-Action Space",
    authors="Barakat, Fatkhullin, He", year=2023, family="utility", claims=(C1, C2, C3, C4, C5, C6),
    code={
        "utilities": "pgtheory.tabular.objectives.utilities:Utility", "pseudo-reward": "pgtheory.tabular.estimators.utility:PseudoReturn",
        "difference": "pgtheory.tabular.estimators.gradient_difference:GradientDifference", "recursive momentum": "pgtheory.tabular.dynamics.utility_tracking:RecursiveUtility",
    },
    headline=Headline(question="does recursive momentum explore better?", run=explored),
    notes="Not checked: the numbers of samples eps^-3 and eps^-2; the figures .30, -1.14, .17 and .164 to .187 of C3 to C6, which belong to a problem that is not stated.\n"
    "Deep layer, not here yet: occupancies by regression (large state-action spaces) and their eps^-4, the losses, imitation, constraints that are not linear.",
)  # fmt: skip
