"""Random small scenes and the two independent roads to a derivative: complex steps through a formula written out here, and differences."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import strategies as st

from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.models.token_tree import TokenTree
from pgtheory.tabular.policies.direct import Direct
from pgtheory.tabular.policies.log_linear import LogLinear, tied
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.scene import Scene

FAMILIES = ("softmax", "direct", "log-linear", "tied")


def positive_rows(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Distributions with entries i / n, i from 1 to 6: bounded away from zero, so that derivatives are of order one."""
    weights = rng.integers(1, 7, size=shape).astype(float)
    return weights / weights.sum(axis=-1, keepdims=True)


def policy_of(rng: np.random.Generator, family: str, S: int, A: int):
    pi = positive_rows(rng, S, A)
    if family == "softmax":
        return Softmax.of(pi)
    if family == "direct":
        return Direct(pi)
    if family == "tied":
        return tied(np.log(pi[: (S + 1) // 2]), rows=[s // 2 for s in range(S)])
    return LogLinear(rng.integers(-2, 3, size=3) / 2, rng.integers(-1, 2, size=(S, A, 3)).astype(float))


def mdp_of(rng: np.random.Generator, *, horizon: int | None, gamma: float, sparse: bool) -> MDP:
    """Every action ends the episode with probability at least 1/10; every state but the last may be the first."""
    import scipy.sparse as sp

    S, A = rng.integers(1, 4, size=2)
    weights = rng.integers(0, 4, size=(S, A, S + 1)).astype(float)
    weights[..., -1] += 1
    P = (weights / weights.sum(axis=-1, keepdims=True))[..., :-1]
    r = rng.integers(-4, 5, size=(S, A)) / 2
    mu = np.append(rng.integers(1, 4, size=S - 1), 0.0 if S > 1 else 1.0)
    return MDP(P=sp.csr_array(P.reshape(S * A, S)) if sparse else P, r=r, mu=mu / mu.sum(), gamma=gamma, horizon=horizon)


def tree_of(rng: np.random.Generator, *, binary: bool) -> TokenTree:
    """One or two prompts; every prompt has a success and a failure."""
    shape = {"vocabulary": 2, "limit": int(rng.integers(1, 4)), "prompts": int(rng.integers(1, 3))}
    completions = TokenTree(**shape, reward=lambda *_: 0.0).completions
    tables = []
    for _ in range(shape["prompts"]):
        values = rng.integers(0, 2, size=len(completions)).astype(float) if binary else rng.integers(-3, 4, size=len(completions)) / 2
        if binary:
            values[:2] = rng.permutation([0.0, 1.0])
        tables.append(dict(zip(completions, values, strict=True)))
    mu = rng.integers(1, 4, size=shape["prompts"]).astype(float)
    return TokenTree(**shape, reward=tuple(tables), mu=mu / mu.sum())


@st.composite
def scenes_of(draw: st.DrawFn, kinds: tuple[str, ...], families: tuple[str, ...] = FAMILIES) -> Scene:
    """A scene of one of the kinds: "stationary" (no horizon), "finite" (horizon), "tree", "binary tree". Roles: sampler sometimes fixed, ref always."""
    kind, family = draw(st.sampled_from(kinds)), draw(st.sampled_from(families))
    sparse, gamma, horizon = draw(st.booleans()), draw(st.sampled_from([1.0, 0.9, 0.5, 0.0])), draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    if kind in ("stationary", "finite"):
        model: object = mdp_of(rng, horizon=horizon if kind == "finite" else None, gamma=gamma, sparse=sparse)
    else:
        model = tree_of(rng, binary=kind == "binary tree")
    mdp = getattr(model, "mdp", model)
    sampler = policy_of(rng, "softmax", mdp.S, mdp.A) if draw(st.booleans()) else None
    return Scene.of(model, policy_of(rng, family, mdp.S, mdp.A), sampler=sampler, ref=policy_of(rng, "softmax", mdp.S, mdp.A))


@pytest.fixture(scope="session")
def scenes() -> Callable[..., st.SearchStrategy[Scene]]:
    """scenes("finite", "tree") is a strategy."""
    return lambda *kinds, **rest: scenes_of(kinds, **rest)


def complex_table(policy, theta: np.ndarray) -> np.ndarray:
    """pi(a|s) at complex parameters, by its definition."""
    if isinstance(policy, Direct):
        return theta.reshape(policy.theta.shape)
    logits = policy.features @ theta if isinstance(policy, LogLinear) else theta.reshape(policy.theta.shape)
    raised = np.exp(logits)
    return raised / raised.sum(axis=1, keepdims=True)


@pytest.fixture(scope="session")
def complex_gradient() -> Callable:
    """Gradient of formula(pi), holomorphic in the table pi: the imaginary part at theta + 1e-30 i, which has no truncation and no cancellation."""

    def gradient(scene: Scene, formula: Callable[[np.ndarray], complex]) -> np.ndarray:
        policy, theta = scene.policy(), np.ravel(scene.point["theta"])
        return np.array([complex(formula(complex_table(policy, theta + 1e-30j * e))).imag / 1e-30 for e in np.eye(theta.size)])

    return gradient


@pytest.fixture(scope="session")
def along() -> Callable:
    """The determined part of a gradient: for the direct parametrisation its projection on the simplex, else all of it."""
    return lambda scene, g: scene.policy().tangent(g) if isinstance(scene.policy(), Direct) else g


def direction(scene: Scene, seed: int) -> np.ndarray:
    """A direction of length 1 in theta; along the simplex for the direct parametrisation."""
    policy = scene.policy()
    u = np.random.default_rng(seed).normal(size=policy.theta.size)
    u = policy.tangent(u) if isinstance(policy, Direct) else u
    size = np.linalg.norm(u)
    return u / size if size > 1e-9 else np.zeros_like(u)


@pytest.fixture(scope="session")
def differences() -> Callable:
    """(direction u, d/dx f(theta + x u) at 0, its error): central differences at four steps, extrapolated three times (Richardson).

    The first step is 1/16, for the direct parametrisation at most a quarter of the smallest probability. The error is the change by the last extrapolation
    and the rounding of f, 2^-48 of its size, divided by the smallest step.
    """

    def slope(scene: Scene, f: Callable[[Scene], np.ndarray | float], *, seed: int = 0) -> tuple[np.ndarray, np.ndarray, float]:
        u, theta = direction(scene, seed), scene.point["theta"]
        h = min(1 / 16, scene.policy().probabilities.min() / 4) if isinstance(scene.policy(), Direct) else 1 / 16
        at = lambda x: np.asarray(f(scene.at(theta=theta + x * u.reshape(theta.shape))))
        steps = h / 2.0 ** np.arange(4)
        row = [(at(x) - at(-x)) / (2 * x) for x in steps]
        for level in (1, 2, 3):
            previous, row = row, [(4**level * fine - coarse) / (4**level - 1) for coarse, fine in pairwise(row)]
        error = abs(row[0] - previous[-1]).max() + 2.0**-48 * (1 + abs(at(0)).max()) / steps[-1]
        return u, row[0], float(error)

    return slope


@pytest.fixture(scope="session")
def assert_derivatives(differences, along) -> Callable:
    """The gradient against differences of the value, the Hessian against differences of the gradient, and its symmetry."""

    def check(objective, scene: Scene, *, seed: int = 0) -> None:
        u, slope, error = differences(scene, objective.value, seed=seed)
        assert abs(objective.gradient(scene) @ u - slope) <= 10 * error
        u, slope, error = differences(scene, lambda moved: along(moved, objective.gradient(moved)), seed=seed + 1)
        hessian = objective.hessian(scene)
        assert abs(along(scene, hessian @ u) - slope).max() <= 10 * error
        assert abs(hessian - hessian.T).max() <= 1e-13 * (1 + abs(hessian).max())
        assert error < 1e-6, "the differences themselves are too coarse to show anything"

    return check
