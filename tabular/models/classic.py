"""Small decision processes that teach one thing each. `problems.py` gives them ids."""

import numpy as np

from pgtheory.tabular.arrays import require_between, require_count
from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.models.bandit import Bandit
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.models.token_tree import TokenTree


def two_state(gamma: float = 0.9) -> MDP:
    """Two states, two actions, never ends: the smallest process with everything in it.

    Its four deterministic policies have values on a non-convex polytope; at theta = 0 the softmax gradient is
    [[-0.013346, 0.013346], [0.536551, -0.536551]].
    Source: this library; the polytopes of such processes are drawn in Dadashi et al. (2019), "The value function polytope".
    """
    P = np.array([[[0.75, 0.25], [0.99, 0.01]], [[0.2, 0.8], [0.8, 0.2]]])
    return MDP(P=P, r=np.array([[-0.5, -0.25], [0.5, 0.25]]), mu=np.array([0.5, 0.5]), gamma=gamma)


def chain(S: int = 5, gamma: float = 0.9) -> MDP:
    """S states in a row; right moves on, left moves back (or stays at the first); right from the last ends with reward 1, all else pays 0.

    A uniform policy reaches the reward after a time of order S^2, and gradients at the start vanish with gamma^S.
    Source: Agarwal, Kakade, Lee, Mahajan (2021), Proposition 4.1, with one wrong action in the place of three.
    """
    S = require_count("S", S)
    P, r, s = np.zeros((S, 2, S)), np.zeros((S, 2)), np.arange(S)
    P[s, 0, np.maximum(s - 1, 0)] = 1
    P[s[:-1], 1, s[1:]] = 1
    r[-1, 1] = 1
    return MDP(P=P, r=r, mu=np.eye(S)[0], gamma=gamma)


def lock(S: int = 8, A: int = 2) -> MDP:
    """A combination lock: in each of S states action 0 goes on, any other ends with 0; the last right action ends with 1. Undiscounted.

    Softmax gradient ascent from the uniform policy, whose return is A^-S, needs a number of steps that grows like A^S.
    Source: the standard example of sparse reward, Kakade (2003), Section 8.6; used by Klein, Weissmann and Doering (2024) for the plateau.
    """
    S, A = require_count("S", S), require_count("A", A, least=2)
    P, r = np.zeros((S, A, S)), np.zeros((S, A))
    P[np.arange(S - 1), 0, np.arange(1, S)] = 1
    r[-1, 0] = 1
    return MDP(P=P, r=r, mu=np.eye(S)[0])


def random_walk(S: int = 5) -> MDP:
    """S states in a row, actions left and right, both ends end; leaving to the right pays 1. Undiscounted, start in the middle.

    The uniform policy is worth (s + 1) / (S + 1) in state s = 0 .. S-1.
    Source: Sutton and Barto (2018), Example 6.2, with the coin flip made an action.
    """
    S = require_count("S", S)
    P, r, s = np.zeros((S, 2, S)), np.zeros((S, 2)), np.arange(S)
    P[s[1:], 0, s[:-1]] = 1
    P[s[:-1], 1, s[1:]] = 1
    r[-1, 1] = 1
    return MDP(P=P, r=r, mu=np.eye(S)[S // 2])


def short_corridor() -> MDP:
    """Three states in a row, -1 a step, undiscounted; in the middle one the actions are reversed. Right from the last ends.

    With one table for all states (`tied`) the best policy is stochastic: right with probability 2 - sqrt 2, worth -(6 + 4 sqrt 2).
    Source: Sutton and Barto (2018), Example 13.1.
    """
    P = np.array([[[1, 0, 0], [0, 1, 0]], [[0, 0, 1], [1, 0, 0]], [[0, 1, 0], [0, 0, 0]]])
    return MDP(P=P, r=np.full((3, 2), -1.0), mu=np.eye(3)[0])


def river_swim(S: int = 6, gamma: float = 0.95) -> MDP:
    """Swim left with the current, or right against it; 0.005 for staying at the left bank, 1 at the right one. Never ends.

    The small reward is near and sure, the large one far and slow: a local optimum for every method that explores little.
    Source: Strehl and Littman (2008), with the probabilities of Osband, Russo, Van Roy (2013).
    """
    S = require_count("S", S, least=2)
    P, r, s = np.zeros((S, 2, S)), np.zeros((S, 2)), np.arange(S)
    P[s, 0, np.maximum(s - 1, 0)] = 1
    inner = s[1:-1]
    P[inner, 1, inner - 1], P[inner, 1, inner], P[inner, 1, inner + 1] = 0.05, 0.6, 0.35
    P[0, 1, :2] = 0.4, 0.6
    P[-1, 1, -2:] = 0.4, 0.6
    r[0, 0], r[-1, 1] = 0.005, 1.0
    return MDP(P=P, r=r, mu=np.eye(S)[0], gamma=gamma)


def loop(T: int = 4, gamma: float = 0.9) -> MDP:
    """Two states that are visited again and again, with chance in a move, an end of its own and a horizon of T steps.

    Small enough to enumerate, and it tells an estimator that confuses a state with a time step from one that does not.
    Source: this library.
    """
    P = np.array([[[0.5, 0.5], [0.0, 1.0]], [[1.0, 0.0], [0.0, 0.25]]])
    return MDP(P=P, r=np.array([[1.0, 0.0], [-0.5, 2.0]]), mu=np.array([0.75, 0.25]), gamma=gamma, horizon=T)


def coin(T: int = 1, p: float = 0.5) -> MDP:
    """One state, T flips, reward 1 for action 1 and 0 for action 0. With T = 1: two completions, one of them right.

    p is the probability of action 1 at the point where the problem is looked at, `theta("coin/p=0.3")`; the model does not depend on it.
    At p = 1/2 the variance of reward-to-go with a value baseline is T(T-1)/32.
    Source: this library.
    """
    require_open("p", p)
    return MDP(P=np.ones((1, 2, 1)), r=np.array([[0.0, 1.0]]), mu=np.ones(1), horizon=T)


def coin_theta(T: int = 1, p: float = 0.5) -> np.ndarray:
    """Logits (1, 2) of the policy that takes action 1 with probability p."""
    require_open("p", p)
    return np.log([[1 - p, p]])


def bandit(K: int = 3) -> Bandit:
    """K arms that pay 1, (K-1)/K, ..., 1/K without noise. Source: this library."""
    K = require_count("K", K)
    return Bandit(r=np.arange(K, 0, -1) / K)


def bernoulli_bandit(K: int = 3) -> Bandit:
    """K arms that pay 0 or 1, with mean K/(K+1), ..., 1/(K+1): noise that no baseline removes. Source: this library."""
    K = require_count("K", K)
    return Bandit(r=np.arange(K, 0, -1) / (K + 1), bernoulli=True)


def tokens(V: int = 3, T: int = 2, prompts: int = 1) -> TokenTree:
    """Completions of at most T tokens out of V, the last of which ends; reward 1 for exactly one token `prompt mod (V-1)`, else 0.

    Lengths vary, rewards tie, a group can have zero variance.  Source: this library.
    """
    V = require_count("V", V, least=2)
    return TokenTree(vocabulary=V, limit=T, prompts=prompts, reward=lambda prompt, completion: float(completion.count(prompt % (V - 1)) == 1))


def garnet(S: int = 100, A: int = 4, b: int = 5, gamma: float = 0.95, seed: int = 0) -> MDP:
    """A random process: each (s, a) moves to b distinct states, with the spacings of b - 1 uniform cuts as probabilities; r[s, a] is normal. Never ends.

    The seed is part of the id; the draw is vectorised, O(S^2 A) memory.
    Source: Archibald, McKinnon, Thomas (1995); rewards as in Bhatnagar, Sutton, Ghavamzadeh, Lee (2009).
    """
    S, A, b = require_count("S", S), require_count("A", A), require_count("b", b)
    if b > S:
        raise InvalidArgument(f"b is {b}, but there are only S = {S} states to move to. Give b <= S.")
    rng = np.random.default_rng(require_count("seed", seed, least=0))
    following = np.argsort(rng.random((S * A, S)), axis=1)[:, :b]
    cuts = np.sort(rng.random((S * A, b - 1)), axis=1)
    chance = np.diff(cuts, axis=1, prepend=0.0, append=1.0)
    P = np.zeros((S * A, S))
    np.put_along_axis(P, following, chance, axis=1)
    return MDP(P=P.reshape(S, A, S), r=rng.standard_normal((S, A)), mu=np.full(S, 1 / S), gamma=gamma)


def require_open(name: str, value: float) -> None:
    """Refuse a probability that no softmax reaches."""
    if require_between(name, value, 0, 1) in (0, 1):
        raise InvalidArgument(f"{name} is {value}; it must lie strictly between 0 and 1, where a softmax policy reaches it.")
