"""Small random stacks, and the return written out: independent of everything under test."""

from collections.abc import Callable

import numpy as np
import pytest

from pgtheory.tabular.dynamics.stack import Stack


@pytest.fixture(scope="session")
def stacks() -> Callable[..., Stack]:
    """stacks(N, S, A): rows of P sum to 1, 3/4 or less; discounts from 0 to 1, where 1 only stands on problems whose every row ends."""

    def build(N: int = 5, S: int = 3, A: int = 3, *, seed: int = 0, gammas: tuple[float, ...] = (0.9, 0.5, 1.0, 0.0, 0.99)) -> Stack:
        rng = np.random.default_rng(seed)
        P = rng.dirichlet(np.ones(S), size=(N, S, A))
        gamma = np.array([gammas[n % len(gammas)] for n in range(N)])
        P *= np.where(gamma == 1, 0.75, 1.0)[:, None, None, None]
        P[:, 0, 0] *= 0.5
        return Stack(P=P, r=rng.normal(size=(N, S, A)), mu=rng.dirichlet(np.ones(S), size=N), gamma=gamma)

    return build


@pytest.fixture(scope="session")
def return_of() -> Callable:
    """J of one problem at a table pi, complex or real, with the reward r - tau log pi - kl log(pi / ref): mu (I - gamma P_pi)^-1 r_pi."""

    def value(stack: Stack, n: int, pi: np.ndarray, *, tau: float = 0.0, kl: float = 0.0, ref: np.ndarray | None = None) -> complex:
        reward = stack.r[n] - (tau * np.log(pi) if tau else 0) - (kl * (np.log(pi) - np.log(ref)) if ref is not None else 0)
        P_pi = sum(pi[:, a, None] * stack.P[n, :, a] for a in range(stack.A))
        return complex(stack.mu[n] @ np.linalg.solve(np.eye(stack.S) - stack.gamma[n] * P_pi, (pi * reward).sum(axis=1)))

    return value


@pytest.fixture(scope="session")
def slope_of() -> Callable:
    """Derivatives of a holomorphic f with respect to each entry of theta, by complex steps: no truncation, no cancellation."""

    def slopes(f: Callable[[np.ndarray], complex], theta: np.ndarray) -> np.ndarray:
        steps = np.eye(theta.size).reshape(theta.size, *theta.shape)
        return np.array([complex(f(theta + 1e-30j * e)).imag / 1e-30 for e in steps]).reshape(theta.shape)

    return slopes


@pytest.fixture(scope="session")
def softmax() -> Callable[[np.ndarray], np.ndarray]:
    """exp theta, normalised over the last axis; complex theta too."""
    return lambda theta: np.exp(theta) / np.exp(theta).sum(axis=-1, keepdims=True)
