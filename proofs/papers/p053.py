"""P053: Beyond Stationarity: Convergence Analysis of Stochastic Softmax Policy Gradient Methods."""

import itertools
import math
from dataclasses import replace
from typing import Any

import numpy as np

from pgtheory.proofs.claim import Case, Claim, Paper
from pgtheory.proofs.headline import Headline
from pgtheory.proofs.papers.headlines.p053 import missed, plateau, together_and_apart
from pgtheory.proofs.relations import AtMost, Equal, Rounding
from pgtheory.tabular.dynamics.backward import Backward
from pgtheory.tabular.dynamics.oracles import SoftmaxOracle
from pgtheory.tabular.dynamics.running import run
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.dynamics.steps import Constant
from pgtheory.tabular.dynamics.updates import Gradient
from pgtheory.tabular.estimators.policy_gradient import PolicyGradient
from pgtheory.tabular.estimators.reinforce import RewardToGo
from pgtheory.tabular.laws.law import law
from pgtheory.tabular.models.augmentation import with_time
from pgtheory.tabular.models.bandit import Bandit
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.objectives.returns import Return
from pgtheory.tabular.policies.direct import Direct
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.episodes import OnPolicy
from pgtheory.tabular.scene import Scene
from pgtheory.tabular.solve.evaluation import evaluate
from pgtheory.tabular.solve.optimal import optimal


def random_model(rng: np.random.Generator, H: int, S: int, A: int) -> MDP:
    return MDP(P=rng.dirichlet(np.ones(S), size=(S, A)), r=rng.random((S, A)), mu=rng.dirichlet(np.ones(S)), horizon=H)


# C1: gradients


def gradient_case(label: str, seed: int, left, right, *, start_at: str = "own") -> Case:
    """Three epochs of two states and three actions; starts of the stages are drawn as everything else."""
    rng = np.random.default_rng(seed)
    model = random_model(rng, 3, 2, 3)
    timed, starts, theta = with_time(model).model, rng.dirichlet(np.ones(2), size=3), rng.normal(size=(3, 2, 3))
    return Case(label, model=model, timed=timed, starts=starts, theta=theta, start_at=start_at, left=left, right=right)


def simultaneous(case: Case) -> np.ndarray:
    return SoftmaxOracle(Stack.of([case.timed]))(case.theta.reshape(1, 6, 3)).gradient.ravel()


def stagewise(case: Case) -> np.ndarray:
    """What one step of size 1 adds in each stage, the last stage first."""
    update = Backward(Gradient(Constant(1.0)), 3, 1, case.starts)
    return (run(update, SoftmaxOracle(Stack.of([case.timed])), case.theta.reshape(6, 3), 3).theta.reshape(3, 2, 3) - case.theta).ravel()


def reinforce(case: Case) -> np.ndarray:
    """Mean of REINFORCE with whole episodes."""
    return law(PolicyGradient(advantage=RewardToGo()), OnPolicy(1), Scene.of(case.timed, Softmax(case.theta.reshape(6, 3)))).mean


def reinforce_of_stages(case: Case) -> np.ndarray:
    """Mean of REINFORCE with episodes that start in stage h, the scores of stage h alone."""
    found = []
    for h in range(3):
        mu = np.zeros(6)
        mu[2 * h : 2 * h + 2] = case.starts[h]
        timed = replace(case.timed, mu=mu) if case.start_at == "own" else case.timed
        found.append(
            law(PolicyGradient(advantage=RewardToGo()), OnPolicy(1), Scene.of(timed, Softmax(case.theta.reshape(6, 3)))).mean.reshape(3, 6)[h]
        )
    return np.concatenate(found)


def value(model: MDP, theta: np.ndarray, h: int, start: np.ndarray) -> Any:
    """start . V_h by backward induction; theta may be complex."""
    V = np.zeros(model.S)
    for t in reversed(range(h, len(theta))):
        weight = np.exp(theta[t])
        V = ((model.r + model.P @ V) * weight).sum(axis=1) / weight.sum(axis=1)
    return start @ V


def derivative(model: MDP, theta: np.ndarray, h: int, start: np.ndarray, first: int) -> np.ndarray:
    """d (start . V_first) / d theta_h by complex steps of 1e-40, which cancel nothing."""
    found = np.zeros(theta[h].shape)
    for s, a in np.ndindex(found.shape):
        moved = theta.astype(complex)
        moved[h, s, a] += 1e-40j
        found[s, a] = value(model, moved, first, start).imag / 1e-40
    return found


def all_at_once(case: Case) -> np.ndarray:
    return np.concatenate([derivative(case.model, case.theta, h, case.model.mu, 0).ravel() for h in range(3)])


def one_by_one(case: Case, moves: bool = True) -> np.ndarray:
    """The derivatives of the J_h; each stage is moved before the earlier ones are looked at, or not."""
    theta, found = case.theta.copy(), []
    for h in (2, 1, 0):
        found.insert(0, derivative(case.model, theta, h, case.starts[h], h).ravel())
        theta[h] += moves * found[0].reshape(theta[h].shape)
    return np.concatenate(found)


def gradient_cases() -> list[Case]:
    return [
        make
        for seed in range(8)
        for make in (
            gradient_case(f"simultaneous, seed {seed}", seed, simultaneous, all_at_once),
            gradient_case(f"stage by stage, seed {seed}", seed, stagewise, one_by_one),
            gradient_case(f"REINFORCE, seed {seed}", seed, reinforce, all_at_once),
            gradient_case(f"REINFORCE of the stages, seed {seed}", seed, reinforce_of_stages, lambda case: one_by_one(case, False)),
        )
    ]


C1 = Claim(
    id="P053.C1", kind="identity",
    statement="d_h pi (Q - V) is the gradient of J and mu_h pi (Q - V) with the tail fixed that of J_h; REINFORCE with whole episodes is unbiased for the first, "
    "with episodes from (h, s ~ mu_h) for the second (8 random models, H = 3, S = 2, A = 3; derivatives by complex steps)",
    left=lambda case: case.left(case),
    right=lambda case: case.right(case),
    relation=Equal(Rounding(256, scale=1.0)),
    cases=gradient_cases,
    assumes={
        "stages start from mu_h": lambda: gradient_case(
            "episodes from the first state", 0, reinforce_of_stages, lambda case: one_by_one(case, False), start_at="the beginning"
        )
    },
    mutants={"stages seen from the start": all_at_once, "the tail as it was at first": lambda case: one_by_one(case, False)},
)  # fmt: skip


# C2: smoothness


def norm_of_hessian(case: Case) -> float:
    """Spectral norm; in a bandit of several contexts, all equally likely, that of the worst one."""
    scene = Scene.of(case.model, Softmax(case.theta))
    return case.contexts * np.linalg.norm(Return().hessian(scene), 2)


def bandit_case(label: str, r: np.ndarray, theta: np.ndarray, B: float) -> Case:
    N, A = theta.shape
    model = MDP(P=np.zeros((N, A, N)), r=np.tile(r, (N, 1)), mu=np.full(N, 1 / N), gamma=0.0)
    return Case(label, model=model, theta=theta, contexts=N, bound=B / math.sqrt(27))


def bandits() -> list[Case]:
    """Random points of random bandits with rewards in [0, B], and the two arms that attain the bound."""
    rng, found = np.random.default_rng(0), []
    for A in (2, 3, 5):
        B = 10.0 ** rng.uniform(-1, 1)
        r = np.concatenate([[0.0, B], B * rng.random(A - 2)])
        found.append(bandit_case(f"{A} arms, 60 points", r, 3 * rng.normal(size=(60, A)), B))
    p = (1 - 1 / math.sqrt(3)) / 2
    return [*found, bandit_case("two arms, p = (1 - 3^-1/2)/2", np.array([1.0, 0.0]), np.array([[math.log(p / (1 - p)), 0.0]]), 1.0)]


def horizons() -> list[Case]:
    """Simultaneous parameters; the bound with the part of it that is used."""
    rng, found = np.random.default_rng(0), []
    for n in range(24):
        H, S, A = int(rng.integers(2, 5)), int(rng.integers(1, 4)), int(rng.integers(2, 4))
        timed = with_time(random_model(rng, H, S, A)).model
        found.append(Case(f"model {n}, H = {H}", model=timed, theta=rng.normal(size=(H * S, A)), contexts=1, bound=0.03 * H**2 * (2 - 1 / A)))
    return found


C2 = Claim(
    id="P053.C2", kind="bound",
    statement="rewards in [0, B]: the Hessian of a softmax bandit has norm at most B / (3 sqrt 3) < 5B/2, attained at two arms; that of J in all epochs is at most "
    "H^2 R (2 - 1/A), of which 24 random models (H = 2 to 4) use less than .03",
    left=norm_of_hessian,
    right=lambda case: case.bound,
    relation=AtMost(),
    cases=lambda: [*bandits(), *horizons()],
    assumes={
        "rewards in [0, B]": lambda: bandit_case("rewards in [-B, B]", np.array([1.0, -1.0]), np.array([[math.log(2 - math.sqrt(3)), 0.0]]), 1.0)
    },
    mutants={"a hundredth less": lambda case: 0.99 * case.bound},
)  # fmt: skip


# C3: one stage


def stage_case(label: str, r: np.ndarray, theta: np.ndarray, *, size: float = 0.4, steps: int = 1000) -> Case:
    return Case(label, models=[Bandit(r=row) for row in r], r=r, theta=theta, B=r.max(axis=1), size=size, steps=steps)


def stage_cases() -> list[Case]:
    rng = np.random.default_rng(0)
    r = 10.0 ** rng.uniform(-1, 1, size=(30, 1)) * rng.random((30, 4))
    plateau = stage_case("a plateau: p(a*) = .01", np.array([[1.0, 0.9, 0.0]]), np.log([[0.01, 0.98, 0.01]]), steps=100)
    return [plateau, stage_case("30 bandits", r, rng.normal(size=(30, 4)))]


def gaps(case: Case) -> np.ndarray:
    step = Constant(case.size / case.B)
    return run(Gradient(step), SoftmaxOracle(Stack.of(case.models)), case.theta[:, None], case.steps).gap[1:]


def five_over(case: Case, power: int = 2) -> np.ndarray:
    """5B / (c^2 t) with c the smallest p(a*) so far, along the same steps in another notation."""
    theta, best, c, found = case.theta, case.r.argmax(axis=1)[:, None], np.inf, []
    for t in range(case.steps + 1):
        weight = np.exp(theta - theta.max(axis=1, keepdims=True))
        pi = weight / weight.sum(axis=1, keepdims=True)
        c = np.minimum(c, np.take_along_axis(pi, best, axis=1)[:, 0])
        found.append(5 * case.B / (c**power * max(t, 1)))
        theta = theta + case.size * pi * (case.r - (pi * case.r).sum(axis=1, keepdims=True)) / case.B[:, None]
    return np.array(found[1:])


C3 = Claim(
    id="P053.C3", kind="rate",
    statement="one stage, one state, Q in [0, B], exact gradient, step 2/(5B): gap_t <= 5B / (c^2 t), c = min_{s<=t} pi_s(a*), for 1000 steps of 30 random bandits and 100 on a plateau",
    left=gaps,
    right=five_over,
    relation=AtMost(),
    cases=stage_cases,
    assumes={"step 2/(5B)": lambda: stage_case("a step 1000 times smaller", np.array([[1.0, 0.0]]), np.zeros((1, 2)), size=4e-4)},
    mutants={"c = 1": lambda case: five_over(case, 0)},
)  # fmt: skip


# C4: composition


def composed(label: str, seed: int, S: int = 3, H: int = 4) -> Case:
    rng = np.random.default_rng(seed)
    return Case(label, model=random_model(rng, H, S, 3), theta=2 * rng.normal(size=(H, S, 3)))


def missing(case: Case) -> float:
    policy = Softmax(case.theta.reshape(-1, 3))
    return (optimal(case.model).V[0] - evaluate(case.model, policy).V[0]).max()


def summed_deltas(case: Case, over=np.max, total=sum) -> float:
    """sum_h max_s (max_a Q_h - V_h), by backward induction."""
    model, V, found = case.model, np.zeros(case.model.S), []
    for logits in case.theta[::-1]:
        weight = np.exp(logits)
        Q = model.r + model.P @ V
        V = (weight * Q).sum(axis=1) / weight.sum(axis=1)
        found.append(over(Q.max(axis=1) - V))
    return total(found)


C4 = Claim(
    id="P053.C4", kind="bound",
    statement="for any policy max_s (V*_0 - V_0) <= sum_h max_s delta_h(s), delta_h = max_a Q_h - V_h, without a mismatch of distributions; with one state it is an equality (30 random models)",
    left=missing,
    right=summed_deltas,
    relation=AtMost(),
    cases=lambda: [*(composed(f"three states, seed {n}", n) for n in range(30)), composed("one state", 0, S=1)],
    mutants={
        "the best state of each epoch": lambda case: summed_deltas(case, np.min),
        "the worst epoch alone": lambda case: summed_deltas(case, total=max),
    },
)  # fmt: skip


# C5: the plateau

SIMULTANEOUS = {4: 232, 8: 1512, 12: 12192, 16: 157456}
STAGEWISE = {5: 270, 8: 680, 12: 1515}


def counted_run(case: Case) -> np.ndarray:
    """Updates of single stages that the run takes."""
    stages = Backward(Gradient(Constant(1.0)), case.H, lambda state: missed(state.outlook) <= 0.05 / case.H)
    update = stages if case.stagewise else Gradient(Constant(1.0))
    state = update.init(SoftmaxOracle(Stack.of([plateau(case.H)])), np.full((case.H, 2), [case.u, 0.0]))
    while state.memory is not None if case.stagewise else state.outlook.gap[0] > 0.05:
        state = update.step(state)
    return np.array([state.t * (1 if case.stagewise else case.H)] * 2)


def counted(case: Case, together: bool | None = None) -> np.ndarray:
    """The count of the recursion u += 2 p (1 - p) x, x the chance that all other epochs go right, and the printed one."""
    if not case.stagewise if together is None else together:
        u, t = 0.0, 0
        while (p := 1 / (1 + math.exp(-u))) ** case.H < 0.95:
            u, t = u + 2 * p**case.H * (1 - p), t + 1
        t *= case.H
    else:
        later, t = 1.0, 0
        for _ in range(case.H):
            u = 0.0
            while 1 - (p := 1 / (1 + math.exp(-u))) > 0.05 / case.H:
                u, t = u + 2 * p * (1 - p) * later, t + 1
            later *= p
    return np.array([t, (STAGEWISE if case.stagewise else SIMULTANEOUS)[case.H]])


def plateau_case(H: int, stagewise: bool, u: float = 0.0) -> Case:
    name = f"H = {H}, {'stage by stage' if stagewise else 'simultaneous'}"
    return Case(name if u == 0 else f"{name}, p_0 = .95", H=H, stagewise=stagewise, u=u)


C5 = Claim(
    id="P053.C5", kind="counterexample",
    statement="a chain whose good action is needed at each of H epochs for the reward 1, uniform start, step 1, gap .05: updates of single epochs are 232, 1512, 12192, 157456 for "
    "H = 4, 8, 12, 16 simultaneously, 270, 680, 1515 for H = 5, 8, 12 stage by stage until 1 - p_h <= .05/H",
    left=counted_run,
    right=counted,
    relation=Equal(Rounding(0)),
    cases=lambda: [*(plateau_case(H, False) for H in SIMULTANEOUS), *(plateau_case(H, True) for H in STAGEWISE)],
    assumes={"a uniform start": lambda: plateau_case(12, False, math.log(19))},
    mutants={"the counts of the other scheme": lambda case: counted(case, case.stagewise)},
)  # fmt: skip


# C6: time matters

CONSUME = MDP(P=np.array([[[1, 0], [0, 1]], [[1, 0], [1, 0]]]), r=np.array([[1.0, 0.0], [2.5, 2.5]]), mu=np.array([1.0, 0.0]), horizon=3)
"""State s: consume or invest; s' pays 2.5 and returns."""


def lost_by_stationarity(case: Case) -> np.ndarray:
    """Optimum minus the best stationary policy of a grid of P(invest) that holds 1/3, and values at some."""
    worth = lambda p: evaluate(case.model, Direct(np.array([[1 - p, p], [1.0, 0.0]]))).J
    return np.array([optimal(case.model).J - max(worth(n / 300) for n in range(301)), *map(worth, case.p)])


def enumerated(case: Case, middle: float = 0.0) -> np.ndarray:
    """The best of the 8 plans minus p(3.5 - p) + (1-p)(1 + 2.5p + (1-p)(2-p)) at p = 1/3, and that polynomial."""
    found = []
    for plan in itertools.product((0, 1), repeat=3):
        s, total = 0, 0.0
        for invest in plan:
            total += 2.5 if s else 1.0 - invest
            s = invest if s == 0 else 0
        found.append(total)
    worth = lambda p: p * (3.5 - p) + (1 - p) * (1 + (2.5 + middle) * p + (1 - p) * (2 - p))
    return np.array([max(found) - worth(1 / 3), *map(worth, case.p)])


C6 = Claim(
    id="P053.C6", kind="counterexample",
    statement="consume (1, stay) or invest (0, then 2.5 and back), H = 3: the optimum 3.5 is non-stationary; P(invest) = p at every time earns "
    "p(3.5-p) + (1-p)(1 + 2.5p + (1-p)(2-p)), at most 3.0185 (p = 1/3), 13/27 less",
    left=lost_by_stationarity,
    right=enumerated,
    cases=lambda: [Case("H = 3", model=CONSUME, p=(0.0, 1 / 3, 0.5, 0.8, 1.0))],
    assumes={
        "a finite horizon": lambda: Case("no horizon, gamma = .9", model=replace(CONSUME, horizon=None, gamma=0.9), p=(0.0, 1 / 3, 0.5, 0.8, 1.0))
    },
    mutants={"invest pays 3 in the middle": lambda case: enumerated(case, 0.5)},
)  # fmt: skip

PAPER = Paper(
    id="P053", slug="dynamic-policy-gradient-finite-horizon",
    title="Beyond Stationarity: Convergence Analysis of Stochastic Softmax Policy Gradient Methods", authors="Klein, Weissmann, Doering", year=2024,
    family="convergence", claims=(C1, C2, C3, C4, C5, C6), code={"stages": "pgtheory.tabular.dynamics.backward:Backward"},
    headline=Headline(question="is training the epochs one by one, last first, cheaper than all at once, per update and per step of the environment?", run=together_and_apart),
    notes="Not checked: step sizes and batches of the sampled schemes by the constants of the theorems.\n"
    "The experiment: that one by one is cheaper holds from some horizon on; counted in steps of the environment, all at once is cheaper on the chain with H = 4 and 8.\n"
    "Deep layer, not here yet: one network an epoch, optimal stopping.",
)  # fmt: skip
