"""How far an average over N steps is from the average reward because of where the chain starts."""

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.arrays import freeze, require_count, require_shape
from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.models.mdp import as_mdp
from pgtheory.tabular.policies.policy import Policy
from pgtheory.tabular.solve.average import unichain


def start_bias(model: object, policy: Policy, N: int, *, f: Float[np.ndarray, "S"] | None = None) -> tuple[float, float]:
    """E[(1/N) sum_{t<N} f(s_t)] - d . f from the model's start law, and a bound of its absolute value that holds from every start.

    mu (1/N) sum_{t<N} P^t f - d f = mu (I - P^N) D f / N,  hence at most (max D f - min D f) / N <= 2 max|D f| / N. No mixing time enters: it holds for
    periodic chains too. f is the mean reward of the policy unless given. Cost: one `unichain` and N products with the moves.
    Source: Suttle et al. (2023) study it by mixing times; with the deviation matrix, Puterman (1994), Theorem 8.2.3 and Appendix A.

    Raises:
        InvalidArgument: N is no count, f is no function of the state, or the model ends.
        Multichain: the policy has two closed classes.

    >>> from pgtheory.tabular.models.mdp import MDP
    >>> from pgtheory.tabular.policies.direct import Direct
    >>> cycle = MDP(P=[[[0.0, 1.0]], [[1.0, 0.0]]], r=[[1.0], [0.0]], mu=[1.0, 0.0])
    >>> [start_bias(cycle, Direct([[1.0], [1.0]]), N) for N in (1, 2, 3)]
    [(0.5, 0.5), (0.0, 0.25), (0.16666666666666666, 0.16666666666666666)]
    """
    mdp, N = as_mdp(model), require_count("N", N)
    chain = unichain(mdp, policy)
    reward = (policy.probabilities * mdp.mean_reward).sum(axis=1) if f is None else freeze("f", f, error=InvalidArgument)
    require_shape("f", reward, (mdp.S,), "S", error=InvalidArgument)
    later = mdp.mu
    for _ in range(N):
        later = later @ chain.K
    deviation = chain.deviation(reward)
    return float((mdp.mu - later) @ deviation) / N, float(np.ptp(deviation)) / N
