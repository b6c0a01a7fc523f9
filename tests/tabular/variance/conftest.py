"""Every trajectory of a small model, one by one, with its gradient from the definition: nothing of the library but the fields of the model and the table of scores."""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import strategies as st

from pgtheory.tabular.estimators.gae import GAE
from pgtheory.tabular.estimators.policy_gradient import PolicyGradient
from pgtheory.tabular.models.mdp import MDP, Outcomes
from pgtheory.tabular.policies.direct import Direct
from pgtheory.tabular.policies.log_linear import LogLinear
from pgtheory.tabular.policies.policy import score
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.episodes import OffPolicy, OnPolicy
from pgtheory.tabular.scene import Scene

END = -1


@dataclass(frozen=True)
class Table:
    """Values given as numbers, (S,) or (T, S)."""

    values: np.ndarray

    def __call__(self, scene):
        return self.values


def policy_of(rng, family, S, A):
    pi = rng.dirichlet(np.full(A, 3.0), size=S)
    if family == "log-linear":
        return LogLinear(rng.normal(size=2), rng.normal(size=(S, A, 2)))
    return Softmax.of(pi) if family == "softmax" else Direct(pi)


def model_of(rng, *, S, A, ends, reward, gamma, horizon=None, sparse=False):
    """One pair (s, a) leads to one state surely; the others to all, and to the end if `ends`. reward: "pair", "move" (with r_end) or "noise"."""
    P = rng.dirichlet(np.ones(S + ends), size=(S, A))[..., :S]
    P[0, 0] = np.eye(S)[S - 1]
    if reward == "noise":
        parts = {"outcomes": Outcomes(values=[-1.0, 2.0], chance=rng.dirichlet(np.ones(2), size=(S, A)))}
    elif reward == "move":
        r = rng.normal(size=(S, A, S))
        parts = {"r": sp.csr_array(r.reshape(S * A, S)) if sparse else r, "r_end": rng.normal(size=(S, A))}
    else:
        parts = {"r": rng.normal(size=(S, A))}
    return MDP(P=sp.csr_array(P.reshape(S * A, S)) if sparse else P, mu=rng.dirichlet(np.ones(S)), gamma=gamma, horizon=horizon, **parts)


@dataclass(frozen=True)
class Trajectories:
    """All trajectories of T steps at most: probability, what was drawn in order, and the gradient, one row each."""

    probability: np.ndarray
    drawn: list[tuple]
    g: np.ndarray

    @property
    def mean(self):
        return self.probability @ self.g

    @property
    def covariance(self):
        centred = self.g - self.mean
        return (centred.T * self.probability) @ centred

    def sources(self, X):
        """Start, actions, transitions, rewards: differences of E[E[<x, g> | what was drawn so far]^2] as one thing more is drawn."""
        e = self.g @ X.T
        squares = []
        for length in range(max(map(len, self.drawn)) + 1):
            sums = {}
            for p, drawn, value in zip(self.probability, self.drawn, e, strict=True):
                known = sums.setdefault(drawn[:length], [0.0, 0.0])
                known[0] += p
                known[1] = known[1] + p * value
            squares.append(sum(weighted**2 / p for p, weighted in sums.values()))
        added = np.diff(np.array(squares), axis=0)
        return np.stack([added[0], *(added[1 + kind :: 3].sum(axis=0) for kind in range(3))])


def enumerate_by_hand(mdp, actions, scores, *, T, lambda_, nu, values, final):
    """g = sum_t nu^t score_t sum_{k >= t} (gamma lambda)^(k - t) delta_k, `values` (T, S) before each step and `final` (S,) after the last."""
    S, A, gamma = mdp.S, mdp.A, mdp.gamma
    P = np.asarray(mdp.transition.todense() if sp.issparse(mdp.transition) else mdp.transition).reshape(S, A, S)
    found = []

    def rewards(s, a, after):
        if mdp.outcomes is not None:
            return [(c, x) for c, x in zip(mdp.outcomes.chance[s, a], mdp.outcomes.values, strict=True) if c > 0]
        if mdp.by_pair:
            return [(1.0, mdp.r[s, a])]
        r = mdp.r.toarray().reshape(S, A, S) if sp.issparse(mdp.r) else mdp.r
        return [(1.0, r[s, a, after] if after != END else mdp.r_end[s, a])]

    def gradient(steps):
        delta = []
        for t, (s, _, reward, after) in enumerate(steps):
            behind = 0.0 if after == END else (final[after] if t == T - 1 else values[t + 1][after])
            delta.append(reward + gamma * behind - values[t][s])
        advantage = [sum((gamma * lambda_) ** (k - t) * delta[k] for k in range(t, len(delta))) for t in range(len(delta))]
        return sum(nu**t * scores[s, a] * advantage[t] for t, (s, a, _, _) in enumerate(steps))

    def walk(s, p, drawn, steps):
        if s == END or len(steps) == T:
            found.append((p, drawn, gradient(steps)))
            return
        for a in np.flatnonzero(actions[s]):
            successors = [(after, P[s, a, after]) for after in np.flatnonzero(P[s, a])]
            if mdp.ends[s, a] > 0:
                successors.append((END, mdp.ends[s, a]))
            for after, chance in successors:
                for c, reward in rewards(s, a, after):
                    walk(after, p * actions[s, a] * chance * c, (*drawn, a, after, reward), [*steps, (s, a, reward, after)])

    for s in np.flatnonzero(mdp.mu):
        walk(s, mdp.mu[s], (s,), [])
    probability, drawn, g = zip(*found, strict=True)
    return Trajectories(np.array(probability), list(drawn), np.array(g))


@st.composite
def cases(draw):
    """A scene, numbers of an estimator of the GAE family, and its trajectories by hand.

    `cut`: the sampling ends rows after T steps and the estimator bootstraps there; else the model ends them.
    """
    S, A, T = draw(st.sampled_from([(1, 1, 2), (1, 2, 3), (2, 1, 3), (2, 2, 1), (2, 2, 2), (2, 2, 3), (3, 2, 2), (2, 3, 2)]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    cut, family = draw(st.booleans()), draw(st.sampled_from(["softmax", "direct", "log-linear"]))
    gamma, lambda_ = draw(st.sampled_from([0.0, 0.5, 0.9, 1.0])), draw(st.sampled_from([0.0, 0.6, 1.0]))
    mdp = model_of(
        rng, S=S, A=A, ends=draw(st.booleans()), reward=draw(st.sampled_from(["pair", "move", "noise"])), gamma=gamma,
        horizon=None if cut else T, sparse=draw(st.booleans()),
    )  # fmt: skip
    policy, other = policy_of(rng, family, S, A), policy_of(rng, "softmax", S, A)
    off, step_discount, by_step = draw(st.booleans()), draw(st.booleans()), draw(st.booleans())
    values = rng.normal(size=(T + 1, S)) if by_step else np.tile(rng.normal(size=S), (T + 1, 1))
    final = values[T] if cut else np.zeros(S)
    table = Table(values if by_step else values[0])
    sampler = other if off else policy
    scene = Scene.of(mdp, policy, sampler=other) if off else Scene.of(mdp, policy)
    nu = gamma if step_discount else 1.0
    known = enumerate_by_hand(mdp, sampler.probabilities, score(policy), T=T, lambda_=lambda_, nu=nu, values=values[:T], final=final)
    estimator = PolicyGradient(advantage=GAE(lambda_=lambda_, critic=table, step_discount=step_discount))
    sampling = (OffPolicy if off else OnPolicy)(draw(st.integers(1, 3)), horizon=T if cut else None)
    return SimpleNamespace(scene=scene, estimator=estimator, sampling=sampling, known=known, X=rng.normal(size=(3, policy.theta.size)))


@pytest.fixture(scope="session")
def by_hand():
    """The tools of this file, as one namespace."""
    return SimpleNamespace(Table=Table, enumerate=enumerate_by_hand, model=model_of, policy=policy_of)


@pytest.fixture(scope="session")
def small_cases():
    """`cases` as a fixture, for tests that draw from it."""
    return cases()
