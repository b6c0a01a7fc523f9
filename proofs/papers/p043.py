"""P043: Enhancing Policy Gradient with the Polyak Step-Size Adaption."""

import math
import warnings
from collections.abc import Callable

import numpy as np

from pgtheory.proofs.claim import Case, Claim, Paper
from pgtheory.proofs.headline import Headline
from pgtheory.proofs.papers.headlines.p043 import unscaled
from pgtheory.proofs.relations import AtMost, Derived, Equal, Rounding
from pgtheory.tabular.dynamics.oracles import FunctionOracle, SoftmaxOracle
from pgtheory.tabular.dynamics.running import distance_to, run
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.dynamics.steps import Constant, Polyak
from pgtheory.tabular.dynamics.stochastic import OneSample, paths
from pgtheory.tabular.dynamics.updates import Gradient
from pgtheory.tabular.models.bandit import Bandit

THREE = (1.0, 0.9, 0.1)


def arms(*r: float) -> Bandit:
    return Bandit(r=np.array(r))


def oracle_of(model: object) -> SoftmaxOracle:
    return SoftmaxOracle(Stack.of([model]))


def first_two(outlook) -> np.ndarray:
    """Difference of the first two logits."""
    return outlook.theta[:, 0, 0] - outlook.theta[:, 0, 1]


# C1, C2: two arms, where a step is known in closed form


def two_arms(label: str, r: tuple[float, ...], p: float, c: float, best: float | None = None) -> Case:
    logits = np.zeros((1, len(r)))
    logits[0, 0] = math.log(p / (1 - p))
    return Case(label, model=arms(*r), theta=logits, p=p, c=c, best=best, steps=6)


def many_two_arms() -> list[Case]:
    rng = np.random.default_rng(0)
    found = []
    for _ in range(30):
        low, Delta, p, c = rng.normal(), 10.0 ** rng.uniform(-3, 3), rng.uniform(0.1, 0.9), rng.choice([0.5, 1.0, 2.0])
        found.append(two_arms(f"gap {Delta:.3g}, p_0 = {p:.2f}, c = {c:g}", (low + Delta, low), p, c))
    return found


def difference_along(case: Case) -> np.ndarray:
    found = run(Gradient(Polyak(case.c, best=case.best)), oracle_of(case.model), case.theta, case.steps, watch={"u": first_two})
    return found.watched["u"][:, 0]


def recursion(case: Case, power: float = 1.0) -> np.ndarray:
    """u <- u + 1 / (c p), without a reward in it."""
    u = [math.log(case.p / (1 - case.p))]
    for _ in range(case.steps):
        u.append(u[-1] + (1 + math.exp(-u[-1])) ** power / case.c)
    return np.array(u)


C1 = Claim(
    id="P043.C1", kind="identity",
    statement="on two arms that differ by any Delta > 0, the exact Polyak step moves the difference u of the logits by 1/(c p), p = sigmoid(u): checked along 6 steps, "
    "for 30 random rewards, p_0 and c, Delta between 1e-3 and 1e3",
    left=difference_along,
    right=recursion,
    # Rewards of size |low| + Delta lose Delta's digits to the difference: 1e4 roundings cover |low| / Delta <= 2e3.
    relation=Equal(Rounding(1e4)),
    cases=many_two_arms,
    assumes={
        "two arms": lambda: two_arms("a third arm", THREE, 0.5, 1.0),
        "the exact best value": lambda: two_arms("V* too small by a tenth", (1.0, 0.2), 0.5, 1.0, best=0.9),
    },
    mutants={"1/(c p^2)": lambda case: recursion(case, 2.0), "1/c": lambda case: recursion(case, 0.0)},
)  # fmt: skip


def error_ratio(case: Case) -> np.ndarray:
    """Last two errors 1 - p: the probability of the other arms, which loses no digits."""
    update = Gradient(Constant(case.constant) if case.constant else Polyak(case.c))
    found = run(update, oracle_of(case.model), case.theta, case.steps, watch={"rest": lambda o: o.pi[:, 0, 1:].sum(axis=1)})
    return found.watched["rest"][-1] / found.watched["rest"][-2]


def tail(c: float, *, constant: float = 0.0, start: float = 0.5) -> Case:
    # Until 1 - p is about e^-30.
    return Case(
        f"c = {c:g}, p_0 = {start}",
        model=arms(1.0, 0.3),
        theta=[[math.log(start / (1 - start)), 0.0]],
        c=c,
        constant=constant,
        steps=round(30 * c),
    )


def steps_to(case: Case) -> float:
    """Steps until V* - V is at most the error."""
    update = Gradient(Constant(case.constant) if case.constant else Polyak(1.0))
    found = run(update, oracle_of(case.model), np.zeros((1, 3)), case.most)
    return float((found.gap[:, 0] > case.error).sum())


def counted(case: Case) -> float:
    """The same in scalars: theta <- theta + size pi (r - V), with size (1 - V) / |gradient|^2 or constant."""
    theta, t = [0.0] * 3, 0
    while True:
        raised = [math.exp(x - max(theta)) for x in theta]
        pi = [x / sum(raised) for x in raised]
        missing = sum(p * (1 - r) for p, r in zip(pi, THREE, strict=True))
        if missing <= case.error:
            return float(t)
        g = [p * (missing - (1 - r)) for p, r in zip(pi, THREE, strict=True)]
        size = case.constant or missing / sum(x * x for x in g)
        theta, t = [x + size * y for x, y in zip(theta, g, strict=True)], t + 1


def count_case(error: float, most: int, constant: float = 0.0) -> Case:
    what = f"constant {constant:g}" if constant else "Polyak"
    return Case(f"(1, .9, .1), error {error:g}, {what}", model=arms(*THREE), error=error, most=most, constant=constant, left=steps_to, right=counted)


def rate_cases() -> list[Case]:
    tails = [tail(c, start=p) for c in (0.5, 1.0, 2.0) for p in (0.2, 0.5, 0.9)]
    for case in tails:
        case.left, case.right = error_ratio, lambda case: math.exp(-1 / case.c)
    return [*tails, count_case(1e-6, 20), count_case(1e-3, 2000, constant=0.4)]


def constant_tail() -> Case:
    case = tail(1.0, constant=0.4)
    case.left, case.right = error_ratio, lambda case: math.exp(-1 / case.c)
    return case


C2 = Claim(
    id="P043.C2", kind="rate",
    statement="in the end 1 - p falls by e^{-1/c} a step; on three arms (1, .9, .1) from uniform, error 1e-6 takes 13 Polyak steps, "
    "and with the constant size .4 error 1e-3 takes 1768 steps, error 1e-6 takes 1,666,892",
    left=lambda case: case.left(case),
    right=lambda case: case.right(case),
    relation=Equal(Derived(1e-11, "the factor is e^(-1/c) (1 + O(1 - p)), and 1 - p is below 1e-12 at the end of the runs")),
    cases=rate_cases,
    assumes={"the Polyak step": constant_tail},
    mutants={"the rate of c = 1": lambda case: math.exp(-1)},
)  # fmt: skip


# C3: a plateau, and one sample


def plateau(label: str, cap: float, *, sampled: bool, stated: Callable[[Case], np.ndarray]) -> Case:
    return Case(label, model=arms(1.0, 0.2), p=0.02, cap=cap, sampled=sampled, stated=stated)


def moved(case: Case) -> np.ndarray:
    """(change of u, length of the step), of the exact step or of that on a sample of the wrong arm."""
    theta, update, oracle = np.array([[math.log(case.p / (1 - case.p)), 0.0]]), Gradient(Polyak(1.0, cap=case.cap)), oracle_of(case.model)
    if case.sampled:
        *_, end = paths(update, oracle, OneSample(), theta, 1)
        after = end.outlook.theta[1]
    else:
        after = run(update, oracle, theta, 1).theta[0]
    change = after - theta
    return np.array([change[0, 0] - change[0, 1], np.linalg.norm(change)])


def on_wrong_arm(case: Case) -> np.ndarray:
    """The sample r_2 (e_2 - pi) = r_2 p (-1, 1), times min((1 - V) / (2 r_2^2 p^2), cap)."""
    p, r2 = case.p, 0.2
    size = min((1 - p) * (1 - r2) / (2 * (r2 * p) ** 2), case.cap)
    return np.array([-2.0, math.sqrt(2)]) * size * r2 * p


def plateau_cases() -> list[Case]:
    return [
        plateau("exact gradient, no cap", math.inf, sampled=False, stated=lambda case: np.array([1, math.sqrt(0.5)]) / case.p),
        plateau("a sample of the wrong arm, no cap", math.inf, sampled=True, stated=on_wrong_arm),
        plateau("a sample of the wrong arm, cap 1", 1.0, sampled=True, stated=on_wrong_arm),
    ]


C3 = Claim(
    id="P043.C3", kind="counterexample",
    statement="from p_0 = .02 with rewards (1, .2) the exact step adds 50 to u (1 - p_1 = 9e-21); one REINFORCE sample of the wrong arm, which has probability .98, has a step of length 138.6 "
    "the wrong way, u - 196 and p = 1.5e-87; with cap 1 it is u - .008 and p = .0198",
    left=moved,
    right=lambda case: case.stated(case),
    relation=Equal(Rounding(1e4)),
    cases=plateau_cases,
    mutants={
        "the exact step however the gradient is found": lambda case: np.array([1, math.sqrt(0.5)]) / case.p,
        "no cap": lambda case: on_wrong_arm(Case("", p=case.p, cap=math.inf)),
    },
)  # fmt: skip


# C4: a wrong best value


def target_case(r: tuple[float, ...], target: float, c: float = 1.0) -> Case:
    return Case(f"r = {r}, V* taken as {target:g}, c = {c:g}", model=arms(*r), target=target, c=c, left=last_value, right=lambda case: case.target)


def last_value(case: Case) -> np.ndarray:
    """V after 100 steps from the uniform policy."""
    oracle = oracle_of(case.model)
    return run(Gradient(Polyak(case.c, best=case.target)), oracle, np.zeros(oracle.stack.r.shape[1:]), 100, record=[]).value[-1]


def too_large() -> Case:
    def growing(case: Case) -> np.ndarray:
        found = run(Gradient(Polyak(1.0, best=1.1)), oracle_of(case.model), np.zeros((1, 2)), 4, watch={"u": first_two})
        return np.log(found.watched["u"][1:, 0])

    def scalars(case: Case) -> np.ndarray:
        """u + (1.1 - V) / (p (1 - p) Delta), in the logarithm of u, which carries the digits of 1 - p into the last step."""
        u, found = 0.0, []
        for _ in range(4):
            p, q = 1 / (1 + math.exp(-u)), 1 / (1 + math.exp(u))
            u += (0.1 + 0.8 * q) / (p * q * 0.8)
            found.append(math.log(u))
        return np.array(found)

    return Case("(1, .2), V* taken as 1.1: u grows past 1e12 in four steps", model=arms(1.0, 0.2), left=growing, right=scalars)


def target_cases() -> list[Case]:
    return [*(target_case(r, x) for r in ((1.0, 0.2), THREE, (1.0, 0.0, 0.3, 0.5)) for x in (0.8, 0.9)), target_case(THREE, 0.8, 2.0), too_large()]


C4 = Claim(
    id="P043.C4", kind="fixed point",
    statement="with V* taken too small and c = 1 or 2 the value converges to what it was taken for (bandits of 2 to 4 arms, .8 and .9, from uniform); with c = 1/2 or a start on a plateau "
    "a step passes the level and the run stops above it; with V* taken as 1.1 instead of 1 the steps grow without bound: u = 1e12 after four steps",
    left=lambda case: case.left(case),
    right=lambda case: case.right(case),
    # log u of the last step is the logarithm of 1 - p: u = 36 loses a digit and a half.
    relation=Equal(Derived(1e-12, "V stops once the step no longer changes it: within a few units of the last place times 1/(1 - e^-1)")),
    cases=target_cases,
    assumes={
        "c of at least 1": lambda: target_case(THREE, 0.8, 0.5),
        "no step past the level": lambda: target_case((1.0, 0.0, 0.3, 0.5), 0.7),
        "V* too small": lambda: target_case(THREE, 1.1),
    },
    corrects="the paper's usual reading: iterates stop at the level set V = V*hat. They stop in V >= V*hat: the first step past the level is the last, and where V is convex along the step, or "
    "c = 1/2, it ends above: on (1, 0, .3, .5) with V*hat = .7, c = 1 at V = .7051, on (1, .9, .1) with V*hat = .8, c = 1/2 at V = .8604. With V*hat too large nothing overflows here: the "
    "gradient underflows to 0 after four or five steps, with logits beyond 1e6, and a vanishing gradient gives the size 0.",
)  # fmt: skip


# C5: concave functions


def quadratics(label: str, *, c: float = 1.0, cap: float = np.inf, bend: float = 1.0, error: float = 0.0) -> Case:
    """300 functions -bend x' H x / 2 in two to five dimensions, the smaller ones filled up with zeros."""
    rng = np.random.default_rng(0)
    H = np.zeros((300, 5, 5))
    for n, D in enumerate(rng.integers(2, 6, size=300)):
        root = rng.normal(size=(D, D))
        H[n, :D, :D] = bend * root @ root.T
    return Case(label, H=H, round=None, x=rng.normal(size=(300, 5)), c=c, cap=cap, error=error, steps=8)


def cones(label: str, *, c: float = 1.0, cap: float = np.inf) -> Case:
    """d - sqrt(d^2 + |x|^2) with d = 1e-3: smooth, and far out as steep as it is near, where c = 1/2 is tight."""
    return Case(label, H=None, round=1e-3, x=np.random.default_rng(1).normal(size=(50, 3)), c=c, cap=cap, error=0.0, steps=8)


def distances(case: Case) -> np.ndarray:
    """|theta_t|^2 after each step, twice: for the bound and for the last distance."""
    d, H = case.round, case.H
    if d is None:
        oracle = FunctionOracle(lambda x: -np.einsum("ni,nij,nj->n", x, H, x) / 2, lambda x: -np.einsum("nij,nj->ni", H, x))
    else:
        oracle = FunctionOracle(lambda x: d - np.sqrt(d**2 + (x * x).sum(axis=1)), lambda x: -x / np.sqrt(d**2 + (x * x).sum(axis=1, keepdims=True)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        step = Polyak(case.c, case.cap, best=case.error)
    found = run(Gradient(step), oracle, case.x, case.steps, watch={"distance": distance_to(np.zeros(case.x.shape[1]))})
    after = found.watched["distance"][1:] ** 2
    return np.stack([after, after])


def guaranteed(case: Case, gain: float = 1.0) -> np.ndarray:
    """|theta_t|^2 - (2 - 1/c) gamma_t (V* - V_t), and |theta_t|^2."""
    x, bound, before = case.x, [], []
    for _ in range(case.steps):
        square = (x * x).sum(axis=1)
        if case.round is None:
            g = -(case.H @ x[:, :, None])[:, :, 0]
            short = -(g * x).sum(axis=1) / 2
        else:
            far = np.hypot(case.round, np.sqrt(square))
            g, short = -x / far[:, None], square / (far + case.round)
        size = np.minimum(np.maximum(short + case.error, 0) / (case.c * (g * g).sum(axis=1)), case.cap)
        before.append(square)
        bound.append(square - gain * (2 - 1 / case.c) * size * short)
        x = x + size[:, None] * g
    return np.stack([bound, before])


C5 = Claim(
    id="P043.C5", kind="monotone",
    statement="concave, exact V*, c >= 1/2: |theta_{t+1} - theta*|^2 <= |theta_t - theta*|^2 - (2 - 1/c) gamma_t (V* - V_t) <= |theta_t - theta*|^2, 8 steps of 300 concave quadratics and "
    "50 rounded cones, with and without a cap; smoothness plays no part, c = 1/2 is tight on the cones, and on quadratics c >= 1/4 is enough for the distance",
    left=distances,
    right=guaranteed,
    relation=AtMost(Rounding(1024)),
    cases=lambda: [
        make(f"{make.__name__}, c = {c:g}, {name}", c=c, cap=cap)
        for make in (quadratics, cones) for c in (0.5, 0.75, 1.0, 2.0) for name, cap in (("no cap", np.inf), ("cap .05", 0.05))
    ],
    assumes={
        "concave": lambda: quadratics("saddles and minima", bend=-1.0, error=1.0),
        "c of at least 1/2": lambda: cones("cones, c = .45", c=0.45),
        "the exact best value": lambda: quadratics("V* too large by 5", error=5.0),
    },
    mutants={"twice the gain": lambda case: guaranteed(case, 2.0)},
)  # fmt: skip


# C6: a sampled gradient is not independent of its step


def sampled(label: str, r: np.ndarray, pi: np.ndarray) -> Case:
    return Case(label, model=Bandit(r=r), r=np.array(r), pi=np.array(pi))


def sampled_cases() -> list[Case]:
    rng = np.random.default_rng(0)
    some = [sampled(f"{K} arms, draw {k}", 0.1 + rng.random(K), rng.dirichlet(np.full(K, 3.0))) for k, K in enumerate(rng.integers(2, 6, size=30))]
    return [sampled("r = (1, .6, .1), pi = (.5, .3, .2)", np.array([1, 0.6, 0.1]), np.array([0.5, 0.3, 0.2])), *some]


def mean_step(case: Case) -> np.ndarray:
    theta = np.log(case.pi)[None]
    *_, end = paths(Gradient(Polyak(1.0)), oracle_of(case.model), OneSample(), theta, 1)
    return end.mean(end.outlook.theta)[0, 0] - theta[0]


def over_samples(case: Case) -> np.ndarray:
    """sum_a pi_a (V* - V) g_a / |g_a|^2, g_a = r_a (e_a - pi)."""
    g = case.r[:, None] * (np.eye(len(case.r)) - case.pi)
    return (case.r.max() - case.pi @ case.r) * (case.pi / (g * g).sum(axis=1)) @ g


def as_if_independent(case: Case) -> np.ndarray:
    """E[gamma] grad V."""
    g = case.r[:, None] * (np.eye(len(case.r)) - case.pi)
    return (case.r.max() - case.pi @ case.r) * (case.pi / (g * g).sum(axis=1)).sum() * (case.pi @ g)


C6 = Claim(
    id="P043.C6", kind="biased by exactly",
    statement="with one REINFORCE sample, exact V and V*: E[gamma g] = (V* - V) sum_a pi_a g_a / |g_a|^2, not parallel to grad V; for pi = (.5, .3, .2), r = (1, .6, .1) it is "
    "(-.205, -.167, .372) with grad V = (.15, -.03, -.12), cosine -.793; and 30 random bandits",
    left=mean_step,
    right=over_samples,
    relation=Equal(Rounding(1024, scale=1.0)),
    cases=sampled_cases,
    mutants={"step and sample independent": as_if_independent},
)  # fmt: skip


PAPER = Paper(
    id="P043", slug="polyak-pg", title="Enhancing Policy Gradient with the Polyak Step-Size Adaption",
    authors="Li, Yuan, Fan, Schmidt, Horvath, Gower, Takac", year=2024, family="convergence", claims=(C1, C2, C3, C4, C5, C6),
    code={"step size": "pgtheory.tabular.dynamics.steps:Polyak", "samples": "pgtheory.tabular.dynamics.stochastic:OneSample"},
    headline=Headline(question="does a Polyak step need tuning when the rewards are rescaled?", run=unscaled),
    notes="Corrected: C4.\n"
    "Not checked: the twin model for an unknown best value, the entropy against explosive steps. Of C2 the error 1e-6 with a constant step (1,666,892 steps) was counted once, outside the check.\n"
    "Deep layer, not here yet: the optimiser, CartPole and its like.",
)  # fmt: skip
