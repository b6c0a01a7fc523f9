"""The chain on which softmax policy gradient is slower than any exponential: each state is learned only long after the one before."""

import numpy as np

from pgtheory.tabular.arrays import require_count
from pgtheory.tabular.errors import InvalidModel
from pgtheory.tabular.models.mdp import MDP

SIDE = 0.3
"""p / (1 - gamma), the chance to go on by the third action: small enough that this action alone never reaches the level of its state."""


def slow_chain(H: int = 3, copies: int = 10, gamma: float = 0.9) -> MDP:
    """Stages 1 .. H, learned one after the other; in stage s action 1 is worth gamma^(2s) once stage s-1 is learned, and before less than the two others, which end.

    With tau_s = gamma^(2s/3)/2, r_s = gamma^(2s/3 + 5/6)/2 and p = 0.3 (1 - gamma), the actions 0, 1, 2 of a state

        buffer s (s = 1, 2; `copies` of each)   end with -gamma^(2s); end with gamma^(2s); as action 0
        adjoint s (s = 1 .. H-1)                end with gamma tau_s; to primary s (s <= 2: to a buffer s, each alike); as action 0
        primary s (s = 3 .. H)                  end with r_s + gamma^2 p tau_{s-2}; to adjoint s-1; r_s, and with chance p to adjoint s-2

    in this order, so that the last state is primary H. The first state is of each kind and stage with the same chance. V* is gamma^(2s), in the adjoint states gamma^(2s+1).
    Actions 0 and 2 of a primary state are nearly tied until stage s-2 is learned, and until then action 1 falls like 1/t; then 2 is better than 0, which makes action 1 rarer by
    a further square root; and when stage s-1 is learned and action 1 is best at last, its probability is of order t^(-3/2). See theorem `slow-chain`.

    gamma must be so large that gamma^(2H) > tau_H. Memory: (2 copies + 2H)^2 numbers.
    Source: Li, Wei, Chi, Gu and Chen (2021), section 3, from memory. Their booster states, which only keep the visits of a state from falling as copies are added, are
    replaced by the law of the first state; their buffers have 2 actions.

    Raises:
        InvalidModel: gamma is so small that going on is never better.
    """
    H, copies = require_count("H", H, least=3), require_count("copies", copies)
    if not (0 < gamma < 1) or gamma ** (2 * H) <= gamma ** (2 * H / 3) / 2:
        raise InvalidModel(
            f"gamma is {gamma}, expected a number below 1 and above {2 ** (-0.75 / H):.4g} = 2^(-3/(4 H)): else going on in stage {H} is not worth it."
        )
    p = SIDE * (1 - gamma)
    tau = lambda s: gamma ** (2 * s / 3) / 2
    adjoint = lambda s: 2 * copies + s - 1
    primary = lambda s: 2 * copies + H - 1 + s - 3
    S = primary(H) + 1
    P, r, mu = np.zeros((S, 3, S)), np.zeros((S, 3)), np.ones(S)
    for s in (1, 2):
        buffer = slice((s - 1) * copies, s * copies)
        r[buffer] = np.array([-1, 1, -1]) * gamma ** (2 * s)
        mu[buffer] /= copies
        P[adjoint(s), 1, buffer] = 1 / copies
    for s in range(1, H):
        r[adjoint(s), [0, 2]] = gamma * tau(s)
        if s > 2:
            P[adjoint(s), 1, primary(s)] = 1
    for s in range(3, H + 1):
        pay = gamma ** (2 * s / 3 + 5 / 6) / 2
        r[primary(s)] = pay + gamma**2 * p * tau(s - 2), 0, pay
        P[primary(s), 1, adjoint(s - 1)] = 1
        P[primary(s), 2, adjoint(s - 2)] = p
    return MDP(P=P, r=r, mu=mu / mu.sum(), gamma=gamma)
