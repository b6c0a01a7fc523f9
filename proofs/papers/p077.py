"""P077: Leverage the Average: an Analysis of KL Regularization in RL."""

from collections.abc import Callable

import numpy as np

from pgtheory.proofs.claim import Case, Claim, Paper
from pgtheory.proofs.headline import Headline
from pgtheory.proofs.papers.headlines.p077 import averaging
from pgtheory.proofs.relations import AtMost, Below, Derived, Equal
from pgtheory.tabular.dynamics.oracles import DirectOracle
from pgtheory.tabular.dynamics.running import run
from pgtheory.tabular.dynamics.scene_oracle import SceneOracle
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.dynamics.steps import Constant
from pgtheory.tabular.dynamics.updates import Natural
from pgtheory.tabular.dynamics.value_iteration import MirrorValueIteration
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.scene import Scene

S, A = 6, 3
UNIFORM = np.full((S, A), 1 / A)


def problems(N: int = 30, gamma: float = 0.9, S: int = S, A: int = A) -> Stack:
    """Random kernels, rewards in [0, 1]."""
    rng = np.random.default_rng(0)
    return Stack(P=rng.dirichlet(np.ones(S), size=(N, S, A)), r=rng.random((N, S, A)), mu=np.full((N, S), 1 / S), gamma=np.full(N, gamma))


def noise(kind: str, steps: int, N: int = 30) -> np.ndarray:
    """eps_1, eps_2, ...: none; e, -e, e, ... with entries of e +-1/2; independent normal with deviation 1/2; always e."""
    rng, shape = np.random.default_rng(1), (N, S, A)
    sign = (-1.0) ** np.arange(1, steps + 1)[:, None, None, None]
    e = 0.5 * rng.choice([-1.0, 1.0], size=shape)
    return {
        "none": lambda: np.zeros((steps, *shape)),
        "alternating": lambda: sign * e,
        "independent": lambda: 0.5 * rng.normal(size=(steps, *shape)),
        "constant": lambda: np.broadcast_to(e, (steps, *shape)),
    }[kind]()


def case_of(label: str, lam: float, tau: float = 0.0, *, errors: str = "none", steps: int = 60, N: int = 30, **parts: object) -> Case:
    made = {"stack": problems(N), "start": UNIFORM, "kind": 1, "eps": noise(errors, steps, N), "q": np.zeros((S, A))}
    return Case(label, lam=lam, tau=tau, steps=steps, **{**made, **parts})


# C1: the policy is a softmax of an average


def policies(case: Case) -> np.ndarray:
    """pi_1, pi_2, ..."""
    update = MirrorValueIteration(case.lam, case.tau, kind=case.kind, errors=case.eps)
    return run(update, DirectOracle(case.stack), case.start, case.steps, watch={"pi": lambda o: o.pi}).watched["pi"][1:]


def log_sum(x: np.ndarray) -> np.ndarray:
    top = x.max(axis=-1, keepdims=True)
    return top[..., 0] + np.log(np.exp(x - top).sum(axis=-1))


def by_averages(case: Case, forget: float = 1.0) -> np.ndarray:
    """The same policies without one of them in the recursion: only the tables q_k and their sum or moving average h_k, and normalisers

    tau = 0:  W_k = lam log mean_a exp(sum_{j<=k} q_j / lam),  v_k = W_k - W_{k-1},
    tau > 0:  F_k = tau log sum_a exp(h_k / tau),              v_k = (F_k - beta F_{k-1}) / (1 - beta),      q_{k+1} = r + gamma P v_k + eps_{k+1}.
    """
    P, r, gamma = case.stack.P, case.stack.r, case.stack.gamma[:, None, None]
    lam, tau, n = case.lam, case.tau, r.shape[2]
    beta = lam / (lam + tau)
    q, h, found = np.zeros(r.shape), np.zeros(r.shape), []
    before = np.zeros(r.shape[:2]) if tau == 0 else np.full(r.shape[:2], tau * np.log(n))
    for eps in case.eps:
        h = forget * h + q if tau == 0 else forget * beta * h + (1 - beta) * q
        scale = lam if tau == 0 else tau
        normaliser = scale * log_sum(h / scale) - (lam * np.log(n) if tau == 0 else 0)
        v = normaliser - before if tau == 0 else (normaliser - beta * before) / (1 - beta)
        found.append(np.exp(h / scale - log_sum(h / scale)[..., None]))
        q, before = r + gamma * np.einsum("nsat,nt->nsa", P, v) + eps, normaliser
    return np.array(found)


def prices() -> list[tuple[float, float]]:
    return [(0.1, 0.0), (1.0, 0.0), (10.0, 0.0), (0.5, 0.2), (0.0, 0.3), (5.0, 0.1)]


C1 = Claim(
    id="P077.C1", kind="identity",
    statement="from the uniform policy pi_{k+1} = softmax(sum_{j<=k} q_j / lam) for tau = 0, and softmax(h_k / tau), h_k = beta h_{k-1} + (1 - beta) q_k, beta = lam/(lam + tau), for tau > 0; "
    "every iterate of 60 sweeps with errors, 30 problems",
    left=policies,
    right=by_averages,
    relation=Equal(Derived(1e-10, "sums of 60 tables of size 10, divided by lam = .1: logits of 6000 with roundings of 1e-12, sixty of them")),
    cases=lambda: [case_of(f"lam = {lam:g}, tau = {tau:g}, errors {kind}", lam, tau, errors=kind) for lam, tau in prices() for kind in ("none", "independent")],
    assumes={
        "a uniform first policy": lambda: case_of("from (.6, .3, .1)", 1.0, start=np.tile([0.6, 0.3, 0.1], (S, 1))),
        "the price of the divergence in the values (type 1)": lambda: case_of("type 2, whose tables differ", 1.0, kind=2),
    },
    mutants={"the last table alone": lambda case: by_averages(case, 0.0), "older tables count less": lambda case: by_averages(case, 0.9)},
)  # fmt: skip


# C2, C4: errors average


def losses(case: Case) -> np.ndarray:
    """|q* - q_{pi_{k+1}}| for k = 0, 1, ..., problem by problem."""
    oracle = DirectOracle(case.stack)
    lost = lambda o: abs(oracle.optimum.Q - o.Q).max(axis=(1, 2))
    update = MirrorValueIteration(case.lam, case.tau, errors=case.eps, q=case.q)
    return run(update, oracle, case.start, case.steps, watch={"lost": lost}).watched["lost"][1:]


def tables(case: Case) -> np.ndarray:
    """The largest |q_j| up to each k, (K, N), by the recursion of C1."""
    P, r, gamma, lam = case.stack.P, case.stack.r, case.stack.gamma[:, None, None], case.lam
    q, total, before, found = np.zeros(r.shape), np.zeros(r.shape), np.zeros(r.shape[:2]), []
    for eps in case.eps:
        found.append(abs(q).max(axis=(1, 2)))
        total = total + q
        top = total.max(axis=2)
        W = top + lam * np.log(np.exp((total - top[..., None]) / lam).mean(axis=2)) if lam else top
        q, before = r + gamma * np.einsum("nsat,nt->nsa", P, W - before) + eps, W
    return np.maximum.accumulate(found)


def averaged(case: Case, of_errors: float = 2.0, of_start: float = 4.0, factor: float = 1.0) -> np.ndarray:
    """2/(1-gamma) |(1/(k+1)) sum_{j<=k} eps_j| + 4 v/((1-gamma)(k+1)), v the larger of (r_max + lam log A)/(1-gamma) and the tables that follow q_0 = 0."""
    rest, k = 1 - case.stack.gamma, np.arange(case.steps)[:, None]
    v = np.maximum((case.stack.r.max(axis=(1, 2)) + case.lam * np.log(A)) / rest, tables(case))
    sums = np.concatenate([np.zeros((1, *case.eps.shape[1:])), np.cumsum(case.eps, axis=0)[:-1]])
    return (of_errors * abs(sums).max(axis=(2, 3)) + of_start * v * factor**k) / (rest * (k + 1))


def averaging_cases() -> list[Case]:
    found = [
        case_of(f"lam = {lam:g}, errors {kind}", lam, errors=kind, steps=150, N=10)
        for lam in (0.1, 1.0, 10.0)
        for kind in ("alternating", "independent")
    ]
    return [*found, *(case_of(f"lam = {lam:g}, errors constant", lam, errors="constant", steps=500, N=10) for lam in (0.1, 1.0))]


def misled(sign: float) -> np.ndarray:
    """-1 or 1 at the best actions of the first problem."""
    best = DirectOracle(problems(1)).optimum.Q[0].argmax(axis=1)
    return sign * np.eye(A)[best]


def nearly_never() -> np.ndarray:
    """The best actions of the first problem with probability 1e-200, the others half each."""
    return np.where(misled(1.0) == 1, 1e-200, 0.5)


C2 = Claim(
    id="P077.C2", kind="bound",
    statement="tau = 0, pi_0 uniform, |q_j| <= v, (r_max + lam log A)/(1 - gamma) <= v: |q* - q_{pi_{k+1}}| <= 2/(1-gamma) |(1/(k+1)) sum_{j<=k} eps_j| + 4v/((1-gamma)(k+1)) at every k of "
    "150 or 500 sweeps, lam in {.1, 1, 10}, three sorts of errors, 10 problems",
    left=losses,
    right=averaged,
    relation=AtMost(Derived(1e-12, "values of size 10 from a linear solve with condition number at most 20")),
    cases=averaging_cases,
    assumes={
        "lam > 0": lambda: case_of("value iteration, errors alternating", 0.0, errors="alternating", steps=1000, N=10),
        "a uniform first policy": lambda: case_of("best actions at 1e-200", 1.0, steps=400, start=nearly_never(), stack=problems(1), eps=np.zeros((400, 1, S, A))),
        "v bounds the tables": lambda: case_of("q_0 = -1e4 at the best actions", 1.0, steps=400, q=1e4 * misled(-1.0), stack=problems(1), eps=np.zeros((400, 1, S, A))),
    },
    mutants={"no term of the start": lambda case: averaged(case, of_start=0.0), "no term of the errors": lambda case: averaged(case, of_errors=0.0)},
)  # fmt: skip


# C3: without the divergence


def end(case: Case) -> np.ndarray:
    """The largest error over the last four sweeps, problem by problem."""
    oracle = DirectOracle(case.stack)
    lost = lambda o: abs(oracle.optimum.Q - o.Q).max(axis=(1, 2))
    update = MirrorValueIteration(case.lam, case.tau, errors=case.eps)
    found = run(update, oracle, case.start, case.steps, record=range(case.steps - 3, case.steps), watch={"lost": lost})
    return found.watched["lost"][1:].max(axis=0)


def value_iteration(case: Case) -> np.ndarray:
    """The same of q <- r + gamma P max q + eps, by its own evaluation."""
    P, r, gamma = case.stack.P, case.stack.r, 0.9
    backed = lambda v: r + gamma * np.einsum("nsat,nt->nsa", P, v)
    best = np.zeros(r.shape)
    for _ in range(400):
        best = backed(best.max(axis=2))
    q, found = np.zeros(r.shape), []
    for k, eps in enumerate(case.eps):
        if k >= case.steps - 4:
            a = q.argmax(axis=2)[:, :, None]
            chosen = np.take_along_axis(P, a[..., None], axis=2)[:, :, 0]
            v = np.linalg.solve(np.eye(S) - gamma * chosen, np.take_along_axis(r, a, axis=2))[..., 0]
            found.append(abs(best - backed(v)).max(axis=(1, 2)))
        q = backed(q.max(axis=2)) + eps
    return np.max(found, axis=0)


C3 = Claim(
    id="P077.C3", kind="counterexample",
    statement="errors eps_k = (-1)^k e, |e| = 1/2, gamma = .9, 1000 sweeps: on each of 30 random 6x3 problems the largest error of the last sweeps of value iteration exceeds that of "
    "lam = 1 by .5 or more; value iteration stays below 2 gamma/(1-gamma)^2 sup|eps| = 90",
    left=lambda case: case.left(case),
    right=lambda case: case.right(case),
    relation=Below(0.5),
    cases=lambda: [
        case_of("lam = 1 against value iteration", 1.0, errors="alternating", steps=1000, left=end, right=value_iteration),
        case_of("value iteration against its bound", 0.0, errors="alternating", steps=1000, left=end, right=lambda case: 2 * 0.9 / 0.01 * 0.5),
    ],
    assumes={"lam > 0": lambda: case_of("lam = 0", 0.0, errors="alternating", steps=1000, left=end, right=value_iteration)},
    corrects="MD-VI ends at error 0 (8e-16): on one problem. The error is 0 once the mean error is smaller than the gaps between actions; of the 30 problems here four still have up to .0016.",
)  # fmt: skip


C4 = Claim(
    id="P077.C4", kind="rate",
    statement="eps = 0: error <= 4v/((1-gamma)(k+1)), v = (r_max + lam log A)/(1-gamma), at every k of 200, 10 problems; independent noise of deviation .5: after 2000 sweeps the error is at most .05 for "
    "lam = 1e-6, .01 and 1 alike on 30 problems, with lam = 0 it is still up to 4.6",
    left=lambda case: case.left(case),
    right=lambda case: case.right(case),
    relation=AtMost(Derived(1e-12, "values of size 10 from a linear solve with condition number at most 20")),
    cases=lambda: [
        *(case_of(f"lam = {lam:g}, exact", lam, steps=200, N=10, left=losses, right=lambda case: averaged(case)) for lam in (1e-3, 0.1, 1.0, 10.0)),
        *(noisy(lam) for lam in (1e-6, 0.01, 1.0)),
    ],
    assumes={"lam > 0": lambda: noisy(0.0)},
    mutants={"geometric, as value iteration is": lambda case: averaged(case, factor=0.9) if case.left is losses else 0.05},
    corrects="all lam > 0 reach error < 1e-14 after 2000 sweeps: on most problems (20 of 30 here); where two actions differ by less than the averaged noise, up to .041 is left, for every lam > 0.",
)  # fmt: skip


def noisy(lam: float) -> Case:
    return case_of(f"lam = {lam:g}, independent noise", lam, errors="independent", steps=2000, left=end, right=lambda case: 0.05)


# C5: natural gradients


def natural_case(
    label: str,
    lam: float,
    *,
    gamma: float = 0.9,
    step: float | None = None,
    normalised: bool = False,
    left: Callable[[Case], np.ndarray] | None = None,
) -> Case:
    stack = problems(3, gamma, 4, 3)
    return Case(
        label, stack=stack, lam=lam, gamma=gamma, step=1 / lam if step is None else step, normalised=normalised, steps=10, left=left or natural
    )


def natural(case: Case) -> np.ndarray:
    """The policies of theta + step F^+ grad J, F^+ by its pseudo-inverse."""
    found = []
    for model in case.stack.models:
        oracle = SceneOracle(Scene.of(model, Softmax(np.zeros((4, 3)))))
        found.append(
            run(Natural(Constant(case.step), normalised=case.normalised), oracle, np.zeros((4, 3)), case.steps, watch={"pi": lambda o: o.pi}).watched[
                "pi"
            ][:, 0]
        )
    return np.stack(found, axis=1)


def one_backup(case: Case) -> np.ndarray:
    """MD-VI, whose pi_{k+1} follows from q_k: with gamma = 0, q_0 = r is the value of every policy."""
    update = MirrorValueIteration(case.lam, q=case.stack.r)
    return run(update, DirectOracle(case.stack), np.full((4, 3), 1 / 3), case.steps, watch={"pi": lambda o: o.pi}).watched["pi"]


def tilted(case: Case) -> np.ndarray:
    """pi_{k+1} proportional to pi_k exp(q_{pi_k} / lam), q by a linear solve."""
    P, r = case.stack.P, case.stack.r
    pi, found = np.full(r.shape, 1 / 3), [np.full(r.shape, 1 / 3)]
    for _ in range(case.steps):
        v = np.linalg.solve(np.eye(4) - case.gamma * np.einsum("nsa,nsat->nst", pi, P), (pi * r).sum(axis=2)[..., None])[..., 0]
        raised = pi * np.exp((r + case.gamma * np.einsum("nsat,nt->nsa", P, v)) / case.lam)
        pi = raised / raised.sum(axis=2, keepdims=True)
        found.append(pi)
    return np.array(found)


C5 = Claim(
    id="P077.C5", kind="identity",
    statement="theta + F^+ grad J / lam is pi_{k+1} proportional to pi_k exp(q_{pi_k} / lam), F weighted by the visits that sum to 1/(1-gamma); with normalised visits the step is (1-gamma)/lam; "
    "MD-VI differs in the evaluation alone and coincides for gamma = 0; 10 steps, 3 problems",
    left=lambda case: case.left(case),
    right=tilted,
    relation=Equal(Derived(1e-9, "the pseudo-inverse of F, whose nonzero eigenvalues fall to about 1e-6 on these runs: 1e-16 / 1e-6 a step, 10 steps")),
    cases=lambda: [
        *(natural_case(f"natural gradient, lam = {lam:g}", lam) for lam in (1.0, 3.0)),
        natural_case("normalised visits, step (1-gamma)/lam", 2.0, step=0.1 / 2.0, normalised=True),
        natural_case("MD-VI, gamma = 0", 0.5, gamma=0.0, left=one_backup),
    ],
    assumes={
        "visits that are not normalised, for the step 1/lam": lambda: natural_case("normalised visits, step 1/lam", 2.0, normalised=True),
        "gamma = 0, for one backup": lambda: natural_case("MD-VI, gamma = .9", 0.5, left=one_backup),
    },
)  # fmt: skip


# C6: the limit with an entropy


def limit(case: Case) -> np.ndarray:
    update = MirrorValueIteration(case.lam, case.tau, kind=case.kind)
    return run(update, DirectOracle(case.stack), case.start, case.steps, record=[]).theta


def soft_optimum(case: Case, tau: float | None = None) -> np.ndarray:
    """softmax(q / tau) of the fixed point q = r + gamma P tau log sum exp(q / tau); `tau` is the one of the fixed point, if it is another."""
    P, r, inner = case.stack.P, case.stack.r, tau or case.tau
    q = np.zeros(r.shape)
    for _ in range(400):
        q = r + 0.9 * np.einsum("nsat,nt->nsa", P, inner * log_sum_of(q / inner))
    return np.exp(q / case.tau - log_sum_of(q / case.tau)[..., None])


def log_sum_of(x: np.ndarray) -> np.ndarray:
    return np.logaddexp.reduce(x, axis=-1)


C6 = Claim(
    id="P077.C6", kind="fixed point",
    statement="tau > 0, eps = 0: the policies converge to the soft optimum softmax(q_tau* / tau), whatever lam is (.2, 1, 5), tau = .3, 30 problems",
    left=limit,
    right=soft_optimum,
    relation=Equal(Derived(1e-12, "both have converged: beta^1000 < 1e-22, gamma^400 < 1e-18; rounding of tables of size 20 divided by tau, a few units in 1e-14")),
    cases=lambda: [case_of(f"lam = {lam:g}", lam, 0.3, steps=1000, eps=None) for lam in (0.2, 1.0, 5.0)],
    assumes={
        "the prices in the values (type 1)": lambda: case_of("type 2", 1.0, 0.3, steps=400, eps=None, kind=2),
    },
    mutants={"softmax of the optimal table without entropy": lambda case: soft_optimum(case, 1e-3)},
)  # fmt: skip

PAPER = Paper(
    id="P077", slug="md-vi-average", title="Leverage the Average: an Analysis of KL Regularization in RL",
    authors="Vieillard, Kozuno, Scherrer, Pietquin, Munos, Geist", year=2020, family="regularisation", claims=(C1, C2, C3, C4, C5, C6),
    code={"scheme": "pgtheory.tabular.dynamics.value_iteration:MirrorValueIteration"},
    headline=Headline(question="do errors average under a divergence?", run=averaging),
    notes="Corrected: C3, C4.\n"
    "Not checked: more than one backup a sweep.\n"
    "The experiment: the error of the policy falls faster than the k^-1/2 of the bound, because a wrong action is both rarer and cheaper the smaller the averaged noise is.\n"
    "Deep layer, not here yet: the agent with a network for q, CartPole.",
)  # fmt: skip
