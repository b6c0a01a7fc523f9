"""P022: Stochastic Policy Gradient Methods: Improved Sample Complexity for Fisher-non-degenerate Policies."""

from collections.abc import Callable
from typing import Any

import numpy as np

from pgtheory.proofs.claim import Case, Claim, Paper
from pgtheory.proofs.headline import Headline
from pgtheory.proofs.papers.headlines.p022 import tracked
from pgtheory.proofs.relations import AtMost, Derived, Equal, Rounding
from pgtheory.tabular.dynamics.noisy_quadratic import NoisyQuadratic
from pgtheory.tabular.dynamics.oracles import SoftmaxOracle
from pgtheory.tabular.dynamics.running import run
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.dynamics.steps import Power
from pgtheory.tabular.dynamics.tracking import Averaged, Tracking, Transported
from pgtheory.tabular.dynamics.updates import Normalised
from pgtheory.tabular.estimators.hessian_vector import HessianVector
from pgtheory.tabular.estimators.policy_gradient import PolicyGradient
from pgtheory.tabular.estimators.reinforce import RewardToGo
from pgtheory.tabular.laws.law import law
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.objectives.returns import Return
from pgtheory.tabular.policies.log_linear import LogLinear
from pgtheory.tabular.policies.policy import Policy, fisher
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.episodes import OffPolicy
from pgtheory.tabular.scene import Scene
from pgtheory.tabular.solve.evaluation import evaluate
from pgtheory.tabular.solve.optimal import optimal


def random_model(rng: np.random.Generator, S: int, A: int, gamma: float, horizon: int | None = None) -> MDP:
    return MDP(P=rng.dirichlet(np.ones(S), size=(S, A)), r=rng.random((S, A)), mu=rng.dirichlet(np.ones(S)), gamma=gamma, horizon=horizon)


def gradient(model: MDP, theta: np.ndarray) -> Any:
    """grad J over a horizon by sums over the steps; theta may be complex."""
    weight = np.exp(theta.reshape(model.S, model.A))
    pi = weight / weight.sum(axis=1, keepdims=True)
    V, Qs, d, found = np.zeros(model.S), [], model.mu, np.zeros(pi.shape)
    for _ in range(model.horizon or 0):
        Qs.insert(0, model.r + model.gamma * model.P @ V)
        V = (pi * Qs[0]).sum(axis=1)
    for Q in Qs:
        found = found + d[:, None] * pi * (Q - (pi * Q).sum(axis=1, keepdims=True))
        d = model.gamma * np.einsum("s,sa,sat->t", d, pi, model.P)
    return found.ravel()


# C1, C2: the Hessian-vector estimator

NODES, WEIGHTS = (np.array(x) for x in np.polynomial.legendre.leggauss(10))
UNIFORM = (tuple((NODES + 1) / 2), tuple(WEIGHTS / 2))


def pair(label: str, seed: int, *, scale: float = 1.0, q: tuple = UNIFORM, stale: bool = False, **more: object) -> Case:
    """Two points of a problem with 2 states, 2 actions and 3 steps."""
    rng = np.random.default_rng(seed)
    model, last, u = random_model(rng, 2, 2, 0.9, horizon=3), rng.normal(size=4), rng.normal(size=4)
    return Case(label, model=model, last=last, u=scale * u, q=q, stale=stale, **more)


def transported_by(case: Case) -> np.ndarray:
    """E_{q, tau}[B(tau, q theta + (1 - q) last) u]; with `stale` tau is drawn at theta."""
    estimator = HessianVector(gradient=PolicyGradient(advantage=RewardToGo()), u=case.u)
    at = lambda x: Softmax(x.reshape(2, 2))
    total = np.zeros(4)
    for q, weight in zip(*case.q, strict=True):
        scene = Scene.of(case.model, at(case.last + q * case.u), sampler=at(case.last + case.u) if case.stale else None)
        total += weight * law(estimator, OffPolicy(1), scene).mean
    return total


def difference(case: Case) -> np.ndarray:
    return gradient(case.model, case.last + case.u) - gradient(case.model, case.last)


def curvature(case: Case) -> np.ndarray:
    """The derivative of the gradient along u, by a complex step of 1e-40."""
    return gradient(case.model, case.last + case.u + 1e-40j * case.u).imag / 1e-40


END, MIDDLE = ((1.0,), (1.0,)), ((0.5,), (1.0,))

C1 = Claim(
    id="P022.C1", kind="unbiased",
    statement="E_tau[B(tau, theta)] u is the Hessian of J times u, and E_{q,tau}[B(tau, q theta_t + (1-q) theta_{t-1}) u] = grad J(theta_t) - grad J(theta_{t-1}), q uniform "
    "(10 nodes of Gauss-Legendre; 6 random problems of 2 states, 2 actions, 3 steps)",
    left=transported_by,
    right=lambda case: case.right(case),
    relation=Equal(Rounding(256, scale=1.0)),
    cases=lambda: [
        make for seed in range(6)
        for make in (pair(f"at a point, seed {seed}", seed, q=END, right=curvature), pair(f"between two points, seed {seed}", seed, right=difference))
    ],
    assumes={
        "q is uniform": lambda: pair("the end point alone", 0, q=END, right=difference),
        "the trajectory is drawn at the point between": lambda: pair("drawn at theta_t", 0, stale=True, right=difference),
    },
)  # fmt: skip


def order(case: Case) -> float:
    """log2 of how much the bias falls when |u| is halved."""
    sizes = []
    for scale in (1.0, 0.5):
        half = Case("", model=case.model, last=case.last, u=scale * case.u, q=case.q, stale=False)
        exact = [Return().gradient(Scene.of(case.model, Softmax((case.last + k * half.u).reshape(2, 2)))) for k in (0, 1)]
        sizes.append(np.linalg.norm(transported_by(half) - (exact[1] - exact[0])))
    return np.log2(sizes[0] / sizes[1])


def orders() -> list[Case]:
    points = {"at the end point": (END, 2.0), "at the middle": (MIDDLE, 3.0)}
    return [pair(f"{name}, seed {seed}", seed, scale=2.0**-6, q=q, order=n) for seed in range(3) for name, (q, n) in points.items()]


C2 = Claim(
    id="P022.C2", kind="counterexample",
    statement="without the uniform q the difference is biased: B at theta_t alone errs by a multiple of |theta_t - theta_{t-1}|^2, at the middle by one of its cube",
    left=order,
    right=lambda case: case.order,
    relation=Equal(Derived(0.1, "|u| is 2^-6 times a vector of length about 2: the next order of the Taylor series is a few per cent")),
    cases=orders,
    assumes={"|u| is small": lambda: pair("|u| of about 20", 0, scale=10.0, q=END, order=2.0)},
    mutants={"one order more": lambda case: case.order + 1},
)  # fmt: skip


# C3: implicit gradient transport

H = np.array([[1.0, 0.2, 0.0], [0.2, 0.5, 0.1], [0.0, 0.1, 0.3]])


class Curved(NoisyQuadratic):
    """The gradient -H x - x^3 without noise."""

    def gradient(self, theta: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return super().gradient(theta, rng) - theta**3


def transport(label: str, eta: Callable[[int], float], *, rule: type[Tracking] = Transported, sampler: type[NoisyQuadratic] = NoisyQuadratic) -> Case:
    return Case(label, eta=eta, rule=rule, sampler=sampler, x=np.array([1.0, -2.0, 0.5]))


def tracks(case: Case) -> np.ndarray:
    """d_t along 40 normalised steps."""
    problem, found = case.sampler(H, 0.0), []
    update = case.rule(Power(0.5), case.eta, problem, np.random.default_rng(0))
    run(update, problem.oracle, case.x[None], 40, progress=lambda state: found.append(state.memory.d[0]))
    return np.array(found)


def gradients(case: Case) -> np.ndarray:
    """The gradients along x += .5 / (t + 1) g / |g|."""
    x, found = case.x, []
    for t in range(40):
        found.append(-H @ x)
        x = x + 0.5 / (t + 1) * found[-1] / np.linalg.norm(found[-1])
    return np.array(found)


ETAS = {
    "(2/(t+2))^4/5": lambda t: (2 / (t + 2)) ** 0.8,
    "1, then .1": lambda t: 1.0 if t == 0 else 0.1,
    "1, then .7 and .3": lambda t: 1.0 if t == 0 else (0.7, 0.3)[t % 2],
}

C3 = Claim(
    id="P022.C3", kind="identity",
    statement="on a quadratic, without noise and from d_0 = grad J(theta_0), implicit gradient transport has d_t = grad J(theta_t) at every t, for any eta_t (three sequences, 40 steps)",
    left=tracks,
    right=gradients,
    # A gradient at the point ahead is multiplied by eta, and the point is up to (1 - eta)/eta = 9 steps away: some hundred roundings a step.
    relation=Equal(Rounding(4096)),
    cases=lambda: [transport(f"eta = {name}", eta) for name, eta in ETAS.items()],
    assumes={
        "transport": lambda: transport("plain momentum", ETAS["1, then .1"], rule=Averaged),
        "quadratic": lambda: transport("with a cubic term", ETAS["1, then .1"], sampler=Curved),
        "d_0 = grad J": lambda: transport("eta_0 = .6", lambda t: 0.6),
    },
)  # fmt: skip


# C4, C5: Fisher information


def pinned(S: int, A: int, theta: np.ndarray) -> LogLinear:
    """Softmax with the last logit of each state held at 0."""
    return LogLinear(theta, np.eye(S * A).reshape(S, A, S, A)[..., :-1].reshape(S, A, -1))


def domination(label: str, seeds: range) -> Case:
    pairs = []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        model = random_model(rng, 3, 2, rng.uniform(0.1, 0.9))
        pairs.append((model, pinned(3, 2, rng.normal(size=3))))
    return Case(label, pairs=pairs)


def one_feature() -> Case:
    """The best policy of a family with one parameter, which prefers the same action everywhere: the gradient is 0, the gap is not."""
    model = MDP(P=np.zeros((2, 2, 2)), r=np.eye(2), mu=np.full(2, 0.5), gamma=0.5)
    return Case("one parameter for two states", pairs=[(model, LogLinear(np.zeros(1), np.array([[[1.0], [0.0]]] * 2)))])


def losses(case: Case) -> np.ndarray:
    return np.array([optimal(model).J - evaluate(model, policy).J for model, policy in case.pairs])


def by_gradient(case: Case, use: Callable[[np.ndarray], float] = np.min) -> np.ndarray:
    """(M_g / mu_F) |grad J|, everything written out from pi and the features."""
    found = []
    for model, policy in case.pairs:
        pi, eye = policy.probabilities, np.eye(model.S)
        resolvent = np.linalg.inv(eye - model.gamma * np.einsum("sa,sat->st", pi, model.P))
        d, V = model.mu @ resolvent, resolvent @ (pi * model.r).sum(axis=1)
        score = policy.features - np.einsum("sa,sad->sd", pi, policy.features)[:, None]
        visits = d[:, None] * pi
        g = np.einsum("sa,sad->d", visits * (model.r + model.gamma * model.P @ V), score)
        F = np.einsum("sa,sai,saj->ij", visits / visits.sum(), score, score)
        found.append(np.linalg.norm(score, axis=2).max() / use(np.linalg.eigvalsh(F)) * np.linalg.norm(g))
    return np.array(found)


C4 = Claim(
    id="P022.C4", kind="bound",
    statement="softmax with one logit a state pinned (compatible functions are exact): J* - J <= (M_g / mu_F) |grad J|, F under normalised visits, J not normalised, M_g the largest score: "
    "300 random problems of 3 states, gamma in [.1, .9]",
    left=losses,
    right=by_gradient,
    relation=AtMost(),
    cases=lambda: [domination("one problem", range(1)), domination("299 problems", range(1, 300))],
    assumes={"compatible functions without error": one_feature},
    mutants={"the largest eigenvalue of F": lambda case: by_gradient(case, np.max)},
)  # fmt: skip


def information(label: str, seed: int, *, full: bool) -> Case:
    rng = np.random.default_rng(seed)
    model = random_model(rng, 3, 3, 0.8)
    policy: Policy = Softmax(rng.normal(size=(3, 3))) if full else pinned(3, 3, rng.normal(size=6))
    return Case(label, model=model, policy=policy)


def smallest(case: Case) -> np.ndarray:
    """The four smallest eigenvalues of F: three of them are 0, the fourth is not, in units of itself."""
    values = np.linalg.eigvalsh(fisher(case.policy, evaluate(case.model, case.policy).occupancy))[:4]
    return values / values[3]


# T40 with the visits as weights: the rank is S (A - 1) of S A.
C5 = Claim(
    id="P022.C5", theorem="T40", kind="counterexample",
    statement="a full softmax table is never Fisher-non-degenerate: F has exactly S eigenvalues 0, one a state (20 random problems of S = 3), so that mu_F = 0 and C4 says nothing",
    left=smallest,
    right=lambda case: np.array([0.0, 0.0, 0.0, 1.0]),
    relation=Equal(Derived(1e-11, "zeros are within 1e-15 of the largest eigenvalue, which is at most 1e3 times the fourth here")),
    cases=lambda: [information(f"seed {seed}", seed, full=True) for seed in range(20)],
    assumes={"no logit is pinned": lambda: information("one logit a state pinned", 0, full=False)},
)  # fmt: skip


# C6: normalised gradients


def normalised(label: str, seed: int, *, share: float = 1.0, gamma: float = 0.5) -> Case:
    """A problem, and `share` of a kappa that exceeds gap / |gradient| all along the path that it leads to."""
    model, kappa = random_model(np.random.default_rng(seed), 3, 2, gamma), 0.0
    case = Case(label, model=model, gamma=gamma, steps=200)
    while (needed := largest_ratio(case, kappa or 1.0)) > kappa:
        kappa = 1.05 * needed
    case.kappa = share * kappa
    return case


def path(case: Case, kappa: float):
    return run(Normalised(Power(2 * kappa, t0=2.0)), SoftmaxOracle(Stack.of([case.model])), np.zeros((3, 2)), case.steps)


def largest_ratio(case: Case, kappa: float) -> float:
    found = path(case, kappa)
    return float((found.gap / found.gradient_norm).max())


C6 = Claim(
    id="P022.C6", kind="rate",
    statement="exact normalised gradients with steps 2 kappa/(t+2), kappa >= gap_t / |grad J(theta_t)| along the path, L = 8/(1-gamma)^3, r in [0, 1]: gap_t <= 2 L kappa^2 / (t+2) "
    "for t >= 1, 200 steps of 4 random problems",
    left=lambda case: path(case, case.kappa).gap[1:, 0],
    right=lambda case: 2 * 8 / (1 - case.gamma) ** 3 * case.kappa**2 / (np.arange(case.steps) + 3),
    relation=AtMost(),
    cases=lambda: [normalised(f"seed {seed}, gamma = {gamma}", seed, gamma=gamma) for seed in range(2) for gamma in (0.1, 0.5)],
    assumes={"kappa is large enough": lambda: normalised("a thousandth of kappa", 0, share=1e-3)},
)  # fmt: skip

PAPER = Paper(
    id="P022", slug="npg-igt-harpg", title="Stochastic Policy Gradient Methods: Improved Sample Complexity for Fisher-non-degenerate Policies",
    authors="Fatkhullin, Barakat, Kireeva, He", year=2023, family="variance", claims=(C1, C2, C3, C4, C5, C6),
    code={
        "N-PG-IGT": "pgtheory.tabular.dynamics.tracking:Transported", "HARPG": "pgtheory.tabular.dynamics.tracking:Recursive",
        "B": "pgtheory.tabular.estimators.hessian_vector:HessianVector",
    },
    headline=Headline(question="how fast does the average of samples find the gradient?", run=tracked),
    notes="Not checked: the numbers of samples eps^-2.5 and eps^-2; C4 with an error of the compatible functions; the figures of C2, whose problem is not stated.\n"
    "The experiment: two of the three slopes come from exact moments instead of seeds; plain momentum has no closed ones.\n"
    "Deep layer, not here yet: the two optimisers on losses of trajectories, CartPole, Gaussian policies.",
)  # fmt: skip
