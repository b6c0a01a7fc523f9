"""P117: Discovered Policy Optimisation."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from pgtheory.proofs.claim import Case, Claim, Paper
from pgtheory.proofs.headline import Headline
from pgtheory.proofs.papers.headlines.p117 import clipped_and_discovered
from pgtheory.proofs.relations import Apart, AtMost, Derived, Equal, Rounding
from pgtheory.tabular.dynamics.drifts import Clip, Discovered, Divergence, Learned
from pgtheory.tabular.dynamics.mirror_learning import DriftAscent, MirrorLearning, surrogate
from pgtheory.tabular.dynamics.oracles import DirectOracle, SoftmaxOracle
from pgtheory.tabular.dynamics.running import run
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.laws.evolution import antithetic_law
from pgtheory.tabular.models.bandit import Bandit

ALPHA, BETA = 2.0, 0.6


@dataclass(frozen=True)
class Linear:
    """(r - 1) A / 2: its slope at r = 1 is not 0."""

    def __call__(self, ratio: np.ndarray, advantage: np.ndarray) -> np.ndarray:
        return (ratio - 1) * advantage / 2

    def slope(self, ratio: np.ndarray, advantage: np.ndarray) -> np.ndarray:
        return advantage / 2


@dataclass(frozen=True)
class Bonus:
    """-|r - 1|: negative."""

    def __call__(self, ratio: np.ndarray, advantage: np.ndarray) -> np.ndarray:
        return -abs(ratio - 1)

    def slope(self, ratio: np.ndarray, advantage: np.ndarray) -> np.ndarray:
        return -np.sign(ratio - 1)


def problems(N: int = 30, S: int = 4, A: int = 3) -> Stack:
    """Random kernels, rewards in [0, 1]."""
    rng = np.random.default_rng(0)
    return Stack(P=rng.dirichlet(np.ones(S), size=(N, S, A)), r=rng.random((N, S, A)), mu=np.full((N, S), 1 / S), gamma=np.full(N, 0.9))


def network() -> Learned:
    """LPO's drift with random weights."""
    rng = np.random.default_rng(0)
    return Learned(hidden=rng.normal(size=(128, 8)), output=rng.normal(size=128))


# C1: values and slopes of the drift, and the first gradient


def grid() -> tuple[np.ndarray, np.ndarray]:
    r, A = np.meshgrid(np.concatenate([np.linspace(0.02, 1, 50), np.linspace(1, 5, 51)[1:]]), np.concatenate([np.linspace(-3, 3, 41), [0.0]]))
    return r, A


def slope_case() -> Case:
    r, A = grid()
    return Case("slope of DPO's surrogate, 100 x 42 points", r=r, A=A, left=lambda case: case.A - Discovered().slope(case.r, case.A), right=slopes)


def slopes(case: Case, r_below: bool = True) -> np.ndarray:
    """A, A sech^2((r-1)A/alpha), A, A (1 - tanh^2(A log r/beta)/r); `r_below` False forgets the r of the last."""
    r, A = case.r, case.A
    up = np.where(r <= 1, A, A / np.cosh((r - 1) * A / ALPHA) ** 2)
    return np.where(A >= 0, up, np.where(r >= 1, A, A * (1 - np.tanh(A * np.log(r) / BETA) ** 2 / (r if r_below else 1))))


def charges(case: Case) -> np.ndarray:
    """max(-f, 0) on the grid, f and its slope at r = 1."""
    r, A = case.r, case.A
    one = np.ones_like(A)
    return np.stack([np.maximum(-case.drift(r, A), 0), abs(case.drift(one, A)), abs(case.drift.slope(one, A))])


def charge_case(drift: object) -> Case:
    r, A = grid()
    return Case(
        f"f >= 0, f(1, A) = 0, slope 0: {type(drift).__name__}", drift=drift, r=r, A=A, left=charges, right=lambda case: np.zeros((3, *case.r.shape))
    )


def first_case(drift: object) -> Case:
    stack, theta = problems(5), np.random.default_rng(1).normal(size=(5, 4, 3))
    return Case(f"first epoch: {type(drift).__name__}", drift=drift, stack=stack, theta=theta, left=first_step, right=policy_gradient)


def first_step(case: Case) -> np.ndarray:
    return run(DriftAscent(case.drift, 1.0, 1), SoftmaxOracle(case.stack), case.theta, 1).theta - case.theta


def policy_gradient(case: Case) -> np.ndarray:
    """d(s) pi(a|s) A(s, a), by its own solves."""
    pi = np.exp(case.theta) / np.exp(case.theta).sum(axis=2, keepdims=True)
    system = np.eye(4) - 0.9 * np.einsum("nsa,nsat->nst", pi, case.stack.P)
    V = np.linalg.solve(system, (pi * case.stack.r).sum(axis=2)[..., None])[..., 0]
    d = np.linalg.solve(np.swapaxes(system, 1, 2), case.stack.mu[..., None])
    return d * pi * (case.stack.r + 0.9 * np.einsum("nsat,nt->nsa", case.stack.P, V) - V[:, :, None])


C1 = Claim(
    id="P117.C1", kind="identity",
    statement="DPO's drift is f >= 0 with f(1, A) = 0 and slope 0 there, as are PPO's, the KL drift and LPO's network with random weights, so that the first step is along the policy gradient; the slope of DPO's surrogate is A (A >= 0, r <= 1), "
    "A sech^2((r-1)A/alpha) (r > 1), A (A < 0, r >= 1), A (1 - tanh^2(A log r/beta)/r) (r < 1)",
    left=lambda case: case.left(case),
    right=lambda case: case.right(case),
    relation=Equal(Rounding(1024, scale=10.0)),
    cases=lambda: [slope_case(), *(make(drift) for drift in (Discovered(), Clip(), Divergence(0.5), network()) for make in (charge_case, first_case))],
    assumes={
        "slope 0 at r = 1, for the first step": lambda: first_case(Linear()),
        "f >= 0": lambda: charge_case(Bonus()),
    },
    mutants={"no r below 1": lambda case: slopes(case, r_below=False) if "slope of" in case.label else case.right(case)},
)  # fmt: skip


# C2: no state gets worse


def pairs(label: str, drift: object, stack: Stack | None = None) -> Case:
    """300 pairs of an old and a new policy, the new one near the old, halfway to another, or anywhere; ten a problem."""
    stack = problems().repeated(10) if stack is None else stack
    rng, (N, S, A) = np.random.default_rng(2), stack.r.shape
    old, other = rng.dirichlet(np.ones(A), size=(N, S)), rng.dirichlet(np.ones(A), size=(N, S))
    share = rng.choice([0.02, 0.5, 1.0], size=(N, 1, 1))
    return Case(label, drift=drift, stack=stack, old=old, new=(1 - share) * old + share * other)


def worse_action() -> Case:
    """Two arms with advantages (.004, -.006) at (.6, .4), and the vertex of the worse: bonus 1.2."""
    stack = Stack.of([Bandit(r=np.array([0.01, 0.0]))])
    return Case("f = -|r - 1|: the worse of two arms", drift=Bonus(), stack=stack, old=np.array([[[0.6, 0.4]]]), new=np.array([[[0.0, 1.0]]]))


def promised(case: Case) -> np.ndarray:
    """(I - gamma P_pi)^-1 G(pi)."""
    G = surrogate(DirectOracle(case.stack)(case.old), case.new, case.drift)
    P_pi = np.einsum("nsa,nsat->nst", case.new, case.stack.P)
    return np.linalg.solve(np.eye(case.stack.mu.shape[1]) - case.stack.gamma[:, None, None] * P_pi, G[..., None])[..., 0]


def gained(case: Case, factor: float = 1.0) -> np.ndarray:
    """V_pi - V_old, state by state."""
    value = lambda pi: np.linalg.solve(
        np.eye(case.stack.mu.shape[1]) - case.stack.gamma[:, None, None] * np.einsum("nsa,nsat->nst", pi, case.stack.P),
        (pi * case.stack.r).sum(axis=2)[..., None],
    )[..., 0]
    return factor * (value(case.new) - value(case.old))


# T33_gain_from_below, G being the mean advantage less the drift; the argmax has G >= 0, the value of G at the old policy.
C2 = Claim(
    id="P117.C2", theorem="T33", kind="monotone",
    statement="V_pi - V_old >= (I - gamma P_pi)^-1 G(pi) in every state, for every pi and every drift f >= 0: with G_s(pi) >= 0 for all s no state gets worse, and the argmax of G has that; "
    "300 random pairs of policies a drift",
    left=promised,
    right=gained,
    relation=AtMost(Derived(1e-12, "values of size 10 from linear solves with condition number at most 20")),
    cases=lambda: [pairs(type(drift).__name__, drift) for drift in (Discovered(), Clip(), Divergence(0.5), network())],
    assumes={"f >= 0": worse_action},
    mutants={"half the gain": lambda case: gained(case, 0.5)},
)  # fmt: skip


# C3: where the argmax over all policies ends


def ends(label: str, which: list[int]) -> Case:
    stack = problems(40)
    part = Stack(P=stack.P[which], r=stack.r[which], mu=stack.mu[which], gamma=stack.gamma[which])
    return Case(label, stack=part)


def last_values(case: Case) -> np.ndarray:
    return run(MirrorLearning(Discovered()), DirectOracle(case.stack), np.full((4, 3), 1 / 3), 60, record=[], watch={"V": lambda o: o.V}).watched[
        "V"
    ][-1]


def best_values(case: Case) -> np.ndarray:
    V = np.zeros(case.stack.mu.shape)
    for _ in range(400):
        V = (case.stack.r + 0.9 * np.einsum("nsat,nt->nsa", case.stack.P, V)).max(axis=2)
    return V


STUCK = [2, 4, 11, 15, 22, 25, 26, 30, 32, 33, 37, 38]


C3 = Claim(
    id="P117.C3", kind="fixed point",
    statement="exact mirror learning with DPO's drift over all policies: V reaches V* within 60 updates unless a best action lost all probability on the way; "
    "of 40 random problems with four states 28 reach it, 12 end .015 to .53 below",
    left=last_values,
    right=best_values,
    relation=Equal(Derived(1e-12, "linear solves of values of size 10, condition number at most 20; 400 sweeps of value iteration leave 1e-17")),
    cases=lambda: [ends("the 28 problems", [n for n in range(40) if n not in STUCK])],
    assumes={"no best action loses all probability": lambda: ends("one of the 12", STUCK[:1])},
    corrects="it converges to V* (gaps .41, .020, 1.4e-3, 2.8e-4 after 1, 5, 15, 60 updates on one problem). No full-support policy that is not optimal is a fixed point, but the argmax leaves the full "
    "support at once: an action with 0 <= A below the price of probability gets ratio 0, because the surrogate is linear below r = 1, and from 0 no ratio brings it back. Its advantage may become positive later.",
)  # fmt: skip


# C4: flat, and rolled back


def flat_case(A: float) -> Case:
    r = np.linspace(1.21, 4, 50) if A > 0 else np.linspace(0.02, 0.79, 50)
    return Case(f"PPO, A = {A:g}, beyond the edge", A=np.full(50, A), r=r, drift=Clip(), left=surrogate_slope, right=lambda case: np.zeros(50))


def surrogate_slope(case: Case) -> np.ndarray:
    return case.A - case.drift.slope(case.r, case.A)


def rising_case(A: float) -> Case:
    return Case(f"DPO, A = {A:g}: never flat", A=np.full(50, A), r=np.linspace(1, 10, 50), left=root_of_slope, right=hyperbolic)


def root_of_slope(case: Case) -> np.ndarray:
    return np.sqrt(case.A - Discovered().slope(case.r, case.A))


def hyperbolic(case: Case) -> np.ndarray:
    return np.sqrt(case.A) / np.cosh((case.r - 1) * case.A / ALPHA)


def rollback_case(A: float) -> Case:
    return Case(f"DPO, A = {A:g}: rolled back below r*", A=A, left=turned, right=lambda case: turning(case, 2))


def turned(case: Case) -> np.ndarray:
    """r*, and the sign of the surrogate's slope on either side of it."""
    A = np.array([case.A])
    r = Discovered().reach(np.array([-np.inf]), A)
    sign = lambda x: np.sign(A - Discovered().slope(x, A))
    return np.concatenate([r, sign(0.99 * r), sign(1.01 * r)])


def turning(case: Case, power: int) -> np.ndarray:
    """The root of tanh^2(A log r/beta) = r; above it the slope is negative, as A is, below it positive."""
    root = brentq(lambda r: np.tanh(case.A * np.log(r) / BETA) ** power - r, 1e-3, 1 - 1e-3, xtol=1e-15, rtol=1e-15)
    return np.array([root, 1, -1])


C4 = Claim(
    id="P117.C4", kind="counterexample",
    statement="PPO's surrogate is flat for r > 1 + eps (A > 0) and r < 1 - eps (A < 0); DPO's has the slope A sech^2 > 0 for A > 0, and for A < 0 its slope changes sign at tanh^2(A log r*/beta) = r*: "
    "r* = .2596, .4053, .5594, .6969 for A = -.25, -.5, -1, -2",
    left=lambda case: case.left(case),
    right=lambda case: case.right(case),
    # The square root of A sech^2 = A - A tanh^2 loses half the digits at sech = 1e-4: roots of 1e-16 are 1e-8, against values of at least 1e-4.
    relation=Equal(Derived(1e-8, "square root of a difference of numbers of size one whose rounding is 1e-16")),
    cases=lambda: [*map(flat_case, (0.5, 2.0, -0.5, -2.0)), *map(rising_case, (0.25, 1.0, 2.0)), *map(rollback_case, (-0.25, -0.5, -1.0, -2.0))],
    assumes={"the clip, for a flat surrogate": lambda: discovered_instead()},
    mutants={"tanh instead of tanh^2": lambda case: turning(case, 1) if case.left is turned else case.right(case)},
    corrects="r* = .2595 for A = -.25 and .6968 for A = -2: the roots are .25955 and .69689.",
)  # fmt: skip


def discovered_instead() -> Case:
    case = flat_case(-0.5)
    case.drift = Discovered()
    return case


# C5: the scale of the advantage


def scale_case(label: str, A: float, *, follow: bool = False) -> Case:
    factor = 2.0 if follow else 1.0
    return Case(label, r=1.5 if A > 0 else 0.5, A=A, drift=Discovered(ALPHA * factor, BETA * factor))


def charged(case: Case) -> np.ndarray:
    return case.drift(np.array(case.r), np.array(2 * case.A))


def twice(case: Case) -> float:
    """2 f(r, A), by hand."""
    x, k = ((case.r - 1) * case.A, ALPHA) if case.A > 0 else (case.A * np.log(case.r), BETA)
    return 2 * max(x - k * np.tanh(x / k), 0.0)


C5 = Claim(
    id="P117.C5", kind="counterexample",
    statement="DPO's drift is not homogeneous in the advantage: f(1.5, 2) = .0758 but 2 f(1.5, 1) = .0203, and likewise for A < 0; it is if alpha and beta are scaled with A",
    left=charged,
    right=twice,
    relation=Apart(0.05),
    cases=lambda: [scale_case("r = 1.5, A = 1", 1.0), scale_case("r = .5, A = -1", -1.0)],
    assumes={"alpha stays": lambda: scale_case("r = 1.5, alpha doubled", 1.0, follow=True), "beta stays": lambda: scale_case("r = .5, beta doubled", -1.0, follow=True)},
)  # fmt: skip


# C6: evolution strategies


def strategy(label: str, kind: str, seed: int = 0) -> Case:
    rng = np.random.default_rng(seed)
    M, b, w = rng.normal(size=(3, 3)), rng.normal(size=3), rng.normal(size=3)
    return Case(label, kind=kind, M=M + M.T, b=b, w=w, s=0.7)


def estimated(case: Case) -> np.ndarray:
    M, b = case.M, case.b
    F, degree = {
        "quadratic": (lambda x: np.einsum("ni,ij,nj->n", x, M, x) / 2 + x @ b + 5, 2),
        "cubic": (lambda x: x**3 @ b, 3),
        "linear": (lambda x: x @ b + 5, 1),
    }[case.kind.split(",")[0]]  # fmt: skip
    law = antithetic_law(F, case.w, case.s, degree=degree)
    return law.covariance if case.kind == "linear" else law.mean


def expected(case: Case, smooth: float = 1.0) -> np.ndarray:
    """M w + b; 3 b (w^2 + s^2), the gradient of E[sum b (w + s e)^3]; or g g' + |g|^2 I."""
    if case.kind == "quadratic":
        return case.M @ case.w + case.b
    if case.kind.startswith("cubic"):
        return 3 * case.b * (case.w**2 + (0 if case.kind == "cubic, its own gradient" else smooth) * case.s**2)
    return np.outer(case.b, case.b) + case.b @ case.b * np.eye(3)


C6 = Claim(
    id="P117.C6", kind="unbiased",
    statement="E[(F(w + s e) - F(w - s e)) e/(2s)] is the gradient of E[F(w + s e)], exactly grad F for quadratic F; for linear F with gradient g the covariance of a pair is g g' + |g|^2 I, whatever its constant; "
    "30 random functions in three dimensions",
    left=estimated,
    right=expected,
    relation=Equal(Rounding(4096, scale=100.0)),
    cases=lambda: [strategy(f"{kind}, draw {seed}", kind, seed) for kind in ("quadratic", "cubic", "linear") for seed in range(10)],
    assumes={"quadratic F, for its own gradient": lambda: strategy("a cubic and its own gradient", "cubic, its own gradient")},
    mutants={"smoothed twice": lambda case: expected(case, 2.0)},
)  # fmt: skip

PAPER = Paper(
    id="P117", slug="discovered-policy-optimisation", title="Discovered Policy Optimisation",
    authors="Lu, Kuba, Letcher, Metz, Schroeder de Witt, Foerster", year=2022, family="meta", claims=(C1, C2, C3, C4, C5, C6),
    code={
        "drift": "pgtheory.tabular.dynamics.drifts:Discovered", "mirror learning": "pgtheory.tabular.dynamics.mirror_learning:MirrorLearning",
        "epochs": "pgtheory.tabular.dynamics.mirror_learning:DriftAscent", "evolution strategies": "pgtheory.tabular.laws.evolution:antithetic_law",
    },
    headline=Headline(question="is Discovered Policy Optimisation (DPO) at least as good as PPO, with exact advantages?", run=clipped_and_discovered),
    notes="Corrected: C3, C4.\n"
    "The experiment: DPO is at least as good as PPO with rewards in [0, 1], not with rewards in [0, 5]: its drift is not scale free (C5).\n"
    "Deep layer, not here yet: the losses, LPO's weights by meta-training (here they are random), CartPole and Pendulum.",
)  # fmt: skip
