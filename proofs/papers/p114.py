"""P114: Improved Regret for Efficient Online Reinforcement Learning with Linear Function Approximation."""

from collections.abc import Callable

import numpy as np

from pgtheory.proofs.claim import Case, Claim, Paper
from pgtheory.proofs.headline import Headline
from pgtheory.proofs.papers.headlines.p114 import with_and_without_bonus
from pgtheory.proofs.relations import AtMost, Equal, Rounding
from pgtheory.tabular.dynamics.adversarial import AdversarialCosts, Play, play
from pgtheory.tabular.dynamics.least_squares import fit, least_squares_evaluation, uncertainty
from pgtheory.tabular.models.mdp import MDP


def model(rng: np.random.Generator, S: int, A: int) -> MDP:
    return MDP(P=rng.dirichlet(np.ones(S), size=(S, A)), r=np.zeros((S, A)), mu=rng.dirichlet(np.ones(S)))


def game(label: str, seed: int, *, K: int = 20, H: int = 3, S: int = 3, A: int = 3, eta: float = 0.5, costs: str = "random", **more: object) -> Case:
    """A random model, and costs that are random, extreme (0 or 1), or the same with the roles of the actions exchanged every episode."""
    rng = np.random.default_rng(seed)
    mdp, c = model(rng, S, A), rng.random((K, H, S, A))
    if costs != "random":
        c = np.round(c)
    if costs == "turning":
        c = np.stack([np.roll(c[0], k, axis=2) for k in range(K)])
    return Case(label, mdp=mdp, c=c, eta=eta, **more)


def games(scale: float = 1.0) -> list[Case]:
    """Thirty games, with errors of an estimate and bonus costs of each episode: |err| = scale b / 2."""
    found = [
        game(f"draw {k}, {costs} costs", k, costs=costs, S=2 + k % 3, A=2 + k % 2, H=1 + k % 4)
        for k in range(10)
        for costs in ("random", "extreme", "turning")
    ]
    for k, case in enumerate(found):
        rng = np.random.default_rng(100 + k)
        case.b = np.repeat(rng.random(case.c.shape[:3])[..., None], case.c.shape[3], axis=3)
        case.err = scale * case.b / 2 * rng.choice([-1.0, 1.0], size=case.c.shape)
    return found


# By hand: what both sides of the claims need is written out here once more, for the right sides alone


def action_values(mdp: MDP, cost: np.ndarray, pi: np.ndarray) -> np.ndarray:
    """Q_h = c_h + P <pi_{h+1}, Q_{h+1}>."""
    Q = [np.zeros(cost.shape[1:])]
    later = np.zeros(cost.shape[1])
    for h in reversed(range(len(cost))):
        Q.append(cost[h] + np.einsum("sat,t->sa", mdp.P, later))
        later = (pi[h] * Q[-1]).sum(axis=1)
    return np.array(Q[:0:-1])


def start_value(mdp: MDP, cost: np.ndarray, pi: np.ndarray) -> float:
    return float(mdp.mu @ (pi[0] * action_values(mdp, cost, pi)[0]).sum(axis=1))


def states(mdp: MDP, pi: np.ndarray) -> np.ndarray:
    """Pr(s_h = s), (H, S)."""
    law = [mdp.mu]
    for h in range(len(pi) - 1):
        law.append(np.einsum("s,sa,sat->t", law[-1], pi[h], mdp.P))
    return np.array(law)


def best_in_hindsight(mdp: MDP, total: np.ndarray) -> np.ndarray:
    pi, later = np.zeros(total.shape), np.zeros(total.shape[1])
    for h in reversed(range(len(total))):
        Q = total[h] + mdp.P @ later
        pi[h] = np.eye(Q.shape[1])[Q.argmin(axis=1)]
        later = Q.min(axis=1)
    return pi


def descent(case: Case, change: Callable | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Policies pi_k and losses ell_k of exponential weights, multiplied up episode by episode; ell_k = Q_k, or `change(k, Q_k, pi_k)`."""
    pi, found = np.full(case.c.shape[1:], 1 / case.c.shape[3]), []
    for k, cost in enumerate(case.c):
        Q = action_values(case.mdp, cost, pi)
        ell = Q if change is None else change(k, Q, pi)
        found.append((pi, ell))
        pi = pi * np.exp(-case.eta * ell)
        pi = pi / pi.sum(axis=2, keepdims=True)
    policies, losses = zip(*found, strict=True)
    return np.array(policies), np.array(losses)


def along_best(case: Case, pi: np.ndarray, table: np.ndarray) -> np.ndarray:
    """sum_h E_{s ~ pi*} <table_k, pi_k - pi*> for each k, pi* the best in hindsight."""
    best = best_in_hindsight(case.mdp, case.c.sum(axis=0))
    return np.einsum("hs,khsa,khsa->k", states(case.mdp, best), table, pi - best)


def played(case: Case, estimate: Callable | None = None, bonus: Callable | None = None) -> Play:
    return play(AdversarialCosts(model=case.mdp, costs=case.c), case.eta, estimate=estimate, bonus=bonus)


# C1: regret along the best policy


def own_path(case: Case) -> float:
    """The same sum along the learner's own policies."""
    pi, Q = descent(case)
    best = best_in_hindsight(case.mdp, case.c.sum(axis=0))
    return sum(float(np.einsum("hs,hsa,hsa->", states(case.mdp, p), q, p - best)) for p, q in zip(pi, Q, strict=True))


# T04 of each episode for the policies pi_k and pi*, the time being part of the state, gamma = 1; averaged over the start, added up over episodes.
C1 = Claim(
    id="P114.C1", theorem="T04", kind="identity",
    statement="regret = sum_k V^{pi_k}(c_k) - V^{pi*}(c_k) = sum_h E_{s ~ pi*} sum_k <Q_{k,h}(s, .), pi_{k,h} - pi*_h>; 30 games, costs random, extreme and turning",
    left=lambda case: played(case).regret[-1],
    right=lambda case: along_best(case, *descent(case)).sum(),
    relation=Equal(Rounding(256, scale=60.0)),
    cases=games,
    mutants={"along the learner's own path": own_path},
)  # fmt: skip


# C2: exact values and full information


def regret_and_weights(case: Case) -> np.ndarray:
    """Regret twice, and of each step and state its part sum_k <ell_k, pi_k - pi*>."""
    found = played(case, estimate=None if case.given is None else lambda episode: case.given[episode.k])
    by_state = np.einsum("khsa,khsa->hs", found.estimate, found.pi - found.game.best)
    return np.concatenate([[found.regret[-1], found.regret[-1]], by_state.ravel()])


def exponential_weights(case: Case) -> np.ndarray:
    """H log A / eta + eta K H^3 / 2 and H^2 sqrt(2 K log A) for the regret, log A / eta + eta/2 sum_k <pi_k, ell_k^2> for its parts."""
    K, H, _, A = case.c.shape
    pi, ell = descent(case, None if case.given is None else lambda k, Q, pi: case.given[k])
    parts = np.log(A) / case.eta + case.eta / 2 * np.einsum("khsa,khsa->hs", pi, ell**2)
    return np.concatenate([[H * np.log(A) / case.eta + case.eta * K * H**3 / 2, H**2 * np.sqrt(2 * K * np.log(A))], parts.ravel()])


def tuned(K: int, H: int, A: int) -> float:
    return float(np.sqrt(2 * np.log(A) / (K * H**2)))


def long_games() -> list[Case]:
    shapes = ((50, 1, 2), (225, 3, 3), (100, 2, 4))
    return [
        game(f"K = {K}, H = {H}, A = {A}, {costs}, {k}", k, K=K, H=H, A=A, eta=tuned(K, H, A), costs=costs, given=None)
        for K, H, A in shapes
        for costs in ("random", "extreme", "turning")
        for k in range(2)
    ]


def negative_losses() -> Case:
    """Ten losses of 1 on the second action, then one of -20."""
    case = game("a loss of -20", 0, K=11, H=1, S=1, A=2, eta=1.0)
    case.given = np.zeros((11, 1, 1, 2))
    case.given[:10, ..., 1], case.given[10, ..., 1], case.c = 1.0, -20.0, np.zeros((11, 1, 1, 2))
    case.c[:, ..., 0] = 1.0
    return case


C2 = Claim(
    id="P114.C2", kind="bound",
    statement="exact Q: in every state sum_k <Q_k, pi_k - pi*> <= log A / eta + (eta/2) sum_k <pi_k, Q_k^2>, hence regret <= H log A / eta + eta K H^3 / 2 = H^2 sqrt(2 K log A) at eta = sqrt(2 log A / (K H^2)), "
    "whatever the costs: 18 games of 50 to 225 episodes (200.1 for K = 225, H = A = 3)",
    left=regret_and_weights,
    right=exponential_weights,
    relation=AtMost(Rounding(256)),
    cases=long_games,
    assumes={"losses of at least 0": negative_losses},
    mutants={"three quarters of the bounds": lambda case: 0.75 * exponential_weights(case)},
)  # fmt: skip


# C3: backward regression in a linear model


def linear(seed: int, S: int = 5, A: int = 2, D: int = 3, H: int = 4) -> Case:
    rng = np.random.default_rng(seed)
    phi, psi = rng.dirichlet(np.ones(D), size=(S, A)), rng.dirichlet(np.ones(S), size=D)
    cost = np.einsum("sad,hd->hsa", phi, rng.random((H, D)))
    mdp = MDP(P=phi @ psi, r=np.zeros((S, A)), mu=np.eye(S)[0])
    return Case(
        f"draw {seed}, {D} features",
        mdp=mdp,
        phi=phi,
        weights=rng.dirichlet(np.ones(S * A), size=H).reshape(H, S, A),
        cost=cost,
        pi=rng.dirichlet(np.ones(A), size=(H, S)),
        ridge=0.0,
        target=None,
    )


def twins() -> Case:
    """States 0 and 1 share a feature and lead to 2 and 3, where the costs are 0 and 1: the fit is .1 at both."""
    phi = np.array([[1.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])[:, None]
    weights, cost = np.tile(np.array([0.45, 0.05, 0.25, 0.25])[:, None], (2, 1, 1)), np.zeros((2, 4, 1))
    cost[1, 3] = 1
    mdp = MDP(P=np.eye(4)[[2, 3, 2, 3]][:, None], r=np.zeros((4, 1)), mu=np.full(4, 0.25))
    return Case("twins", mdp=mdp, phi=phi, weights=weights, cost=cost, pi=np.ones((2, 4, 1)), ridge=0.0)


def with_ridge() -> Case:
    case = linear(0)
    case.label, case.ridge = "ridge .01", 0.01
    return case


C3 = Claim(
    id="P114.C3", kind="identity",
    statement="in a linear MDP backward least squares of c_h + V_{h+1}(s') on phi, Sigma of full rank, is exact: Q_h = phi w_h, 30 models; "
    "where two states share a feature and have targets 0 and 1 of weights .9 and .1 it is .1 at both",
    left=lambda case: least_squares_evaluation(case.mdp, case.phi, case.weights, case.cost, case.pi, case.ridge),
    right=lambda case: action_values(case.mdp, case.cost, case.pi),
    relation=Equal(Rounding(2**14, scale=1.0)),  # four solves with Sigma, of condition numbers up to 144
    cases=lambda: [linear(seed) for seed in range(30)],
    assumes={"moves linear in the features": twins, "no ridge": with_ridge},
)  # fmt: skip


# C4: what a ridge costs


def ridged(seed: int, ridge: float) -> Case:
    case = linear(seed)
    w = np.random.default_rng(seed).normal(size=3)
    case.label, case.ridge, case.w, case.target = f"draw {seed}, ridge {ridge:g}", ridge, w, case.phi @ w
    return case


def errors_and_width(case: Case) -> np.ndarray:
    """+- error of the fit, its absolute value against the uncertainty, and the mean square of the uncertainty, at each (s, a)."""
    error = case.phi @ fit(case.phi, case.weights[0], case.target, case.ridge) - case.target
    width = uncertainty(case.phi, case.weights[0], case.ridge)
    return np.stack([error, -error, abs(error), np.full(error.shape, (case.weights[0] * width**2).sum())])


def shrinkage(case: Case, cut: float = 1.0) -> np.ndarray:
    """-+ ridge phi' (Sigma + ridge I)^-1 w, sqrt(ridge) |w| |phi|_{(Sigma + ridge I)^-1}, and D."""
    rows, D = case.phi.reshape(-1, 3), 3
    inverse = np.linalg.inv(rows.T @ (case.weights[0].ravel()[:, None] * rows) + case.ridge * np.eye(D))
    error = -case.ridge * case.phi @ (inverse @ case.w)
    width = np.sqrt(((case.phi @ inverse) * case.phi).sum(axis=2))
    return np.stack([error, -error, cut * np.sqrt(case.ridge) * np.linalg.norm(case.w) * width, np.full(error.shape, cut * D)])


def bent_target() -> Case:
    case = ridged(0, 0.1)
    case.label, case.target = "a target that is not linear", case.target + np.random.default_rng(1).random(case.target.shape)
    return case


C4 = Claim(
    id="P114.C4", kind="biased by exactly",
    statement="with a ridge gamma and a linear target: phi'(w_hat - w) = -gamma phi'(Sigma + gamma I)^-1 w, at most sqrt(gamma) |w| |phi|_{(Sigma + gamma I)^-1}; "
    "and E|phi|^2_{(Sigma + gamma I)^-1} = tr Sigma (Sigma + gamma I)^-1 <= d under the law of the data; 30 models, gamma = 1e-3 to 1",
    left=errors_and_width,
    right=shrinkage,
    relation=AtMost(Rounding(2**14, scale=1.0)),
    cases=lambda: [ridged(seed, ridge) for seed in range(10) for ridge in (1e-3, 0.1, 1.0)],
    assumes={"a target linear in the features": bent_target},
    mutants={"a tenth of the bounds": lambda case: shrinkage(case, 0.1)},
)  # fmt: skip


# C5, C6: errors, and the bonus that pays for them


def noisy(case: Case) -> Play:
    return played(case, estimate=lambda episode: episode.Q + case.err[episode.k], bonus=lambda episode: case.b[episode.k])


def differences(case: Case) -> np.ndarray:
    """V^{pi_k}(c_k) - V^{pi*}(c_k), episode by episode."""
    found = noisy(case)
    return found.loss - found.game.loss(case.c, found.game.best)


def noisy_descent(case: Case) -> tuple[np.ndarray, np.ndarray]:
    return descent(case, lambda k, Q, pi: Q + case.err[k] - action_values(case.mdp, case.b[k], pi))


def decomposition(case: Case, seen: float = 1.0) -> np.ndarray:
    """sum_h E_{pi*} <Qhat - B, pi_k - pi*> - sum_h E_{pi*} <err, pi_k - pi*> + V^{pi_k}(b) - V^{pi*}(b)."""
    pi, ell = noisy_descent(case)
    best = best_in_hindsight(case.mdp, case.c.sum(axis=0))
    paid = np.array([start_value(case.mdp, b_k, p) - seen * start_value(case.mdp, b_k, best) for b_k, p in zip(case.b, pi, strict=True)])
    return along_best(case, pi, ell) - along_best(case, pi, case.err) + paid


# T04 as in C1, once for the costs c and once for the bonus costs b, whose action value is B.
C5 = Claim(
    id="P114.C5", theorem="T04", kind="identity",
    statement="for arbitrary errors err = Qhat - Q and bonus costs b: V^{pi_k}(c) - V^{pi*}(c) = sum_h E_{pi*} <Qhat - B, pi_k - pi*> - sum_h E_{pi*} <err, pi_k - pi*> + V^{pi_k}(b) - V^{pi*}(b) "
    "in every episode; 30 games of 20 episodes",
    left=differences,
    right=decomposition,
    relation=Equal(Rounding(4096, scale=10.0)),
    cases=lambda: games(scale=3.0),
    mutants={"the bonus on the path of pi* left out": lambda case: decomposition(case, 0.0)},
)  # fmt: skip


def bound_by_bonus(case: Case, own: float = 1.0) -> float:
    """sum_k sum_h E_{pi*} <Qhat - B, pi_k - pi*> + sum_k V^{pi_k}(b)."""
    pi, ell = noisy_descent(case)
    return along_best(case, pi, ell).sum() + own * sum(start_value(case.mdp, b_k, p) for b_k, p in zip(case.b, pi, strict=True))


def without_bonus() -> Case:
    """Staying out costs .5; in the lock good costs .2, bad 1, and the estimate of bad is 1 too low for ever. Regret an episode -> .3."""
    P, cost = np.zeros((2, 2, 2)), np.zeros((2, 2, 2))
    P[0, 1, 1], cost[0, 0, 0], cost[1, 1] = 1.0, 0.5, (0.2, 1.0)
    mdp = MDP(P=P, r=np.zeros((2, 2)), mu=np.array([1.0, 0.0]))
    c = np.tile(cost, (400, 1, 1, 1))
    err = np.zeros(c.shape)
    err[:, 1, 1, 1] = -1.0
    return Case("the lock", mdp=mdp, c=c, eta=0.5, b=np.zeros(c.shape), err=err)


C6 = Claim(
    id="P114.C6", kind="bound",
    statement="if |err(s, a)| <= b(s) / 2 for all actions, regret <= sum_k sum_h E_{pi*} <Qhat - B, pi_k - pi*> + sum_k V^{pi_k}(b); 30 games. Without bonus (b = 0) it fails: "
    "in a lock of two steps an estimate that is 1 too low at the bad action keeps the learner out, with a regret of .3 an episode",
    left=lambda case: noisy(case).regret[-1],
    right=bound_by_bonus,
    relation=AtMost(Rounding(256)),
    cases=games,
    assumes={"a bonus of twice the error": without_bonus},
    mutants={"the bonus collected is free": lambda case: bound_by_bonus(case, 0.0)},
)  # fmt: skip


PAPER = Paper(
    id="P114", slug="linear-mdp-policy-optimization", title="Improved Regret for Efficient Online Reinforcement Learning with Linear Function Approximation",
    authors="Sherman, Koren, Mansour", year=2023, family="convergence", claims=(C1, C2, C3, C4, C5, C6),
    code={"game": "pgtheory.tabular.dynamics.adversarial:AdversarialCosts", "mirror descent": "pgtheory.tabular.dynamics.adversarial:play", "regression": "pgtheory.tabular.dynamics.least_squares:least_squares_evaluation"},
    headline=Headline(question="do bonuses make the regret of policy mirror descent grow slower than the number of episodes?", run=with_and_without_bonus),
    notes="Not checked: estimates from samples, the warm-up, the schedule of epochs, and with them the exponents 6/7 and 2/3, which are upper bounds for all problems: one instance cannot attain them. Of the figures of C2 only 200.1 follows from what is stated (K = 225, H = A = 3); the regret 8.8 and the sum 142.6 belong to costs that are not. C2 needs losses of at least 0, which Q - B need not be.\n"
    "The experiment: errors are as large as the expected visits allow, with the sign of an adversary, so that no seed enters, and the costs of the lock do not change, so that the regret with bonus even stays bounded. The bonus collected does not: without exploratory data the action that is not taken keeps it up, and C6 bounds nothing useful there.\n"
    "Deep layer, not here yet: the learner with warm-up and regressions, gridworld and longer locks.",
)  # fmt: skip
