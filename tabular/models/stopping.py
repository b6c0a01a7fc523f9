"""Geometric stopping: a discount as a chance that the episode stops, which is how episodes of a discounted problem are sampled."""

from dataclasses import replace

from pgtheory.tabular.arrays import ROUNDING
from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.laws.transitions import Rewards
from pgtheory.tabular.models.augmentation import Augmented
from pgtheory.tabular.models.mdp import MDP, as_mdp


def with_stopping(model: object) -> Augmented:
    """The undiscounted model whose episode stops with probability 1 - gamma after each step: P <- gamma P, gamma <- 1.

    E[sum_{t < L} r_t] = E[sum_t gamma^t r_t], L the random length, so that value, gradient and discounted visits are those of the given model; the states
    are the same, and the lift is the identity. A step is stopped after it has paid: r[s, a] is the reward of a stopped step too, and of r[s, a, s'] it is
    the reward of the move that was not made any more. Ending thus is a mixture,

        E[r^i; end | s, a] = (1 - gamma) E[r^i | s, a] + gamma E[r^i; end of the given model | s, a],    i = 1, 2,

    whose second moment is more than the square of its mean: r2 and r2_end are set, and trajectories of such a model cannot be enumerated.
    Horizon, r2 and outcomes are kept. With gamma = 1 nothing changes. Cost O(nnz). Source: Puterman (1994), Section 5.3.

    Raises:
        InvalidArgument: 1 - gamma is positive, but below the slack of a sum of probabilities: the end would be lost.

    >>> half = MDP(P=[[[1.0]]], r=[[1.0]], mu=[1.0], gamma=0.5)
    >>> with_stopping(half).model.ends
    array([[0.5]])
    """
    mdp = as_mdp(model)
    gamma = mdp.gamma
    if gamma == 1:
        return Augmented(mdp, lambda policy: policy)
    if 1 - gamma <= ROUNDING:
        raise InvalidArgument(
            f"gamma is 1 - {1 - gamma:.3g}. with_stopping would end episodes with that probability, which a row of P cannot show: sums of probabilities "
            f"are exact to {ROUNDING:g} only. Take gamma = 1, or a smaller one."
        )
    stopped: MDP = replace(mdp, P=gamma * mdp.P, gamma=1.0)
    if mdp.by_pair:
        return Augmented(stopped, lambda policy: policy)
    rewards = Rewards(mdp)
    given, (r_end, r2_end) = rewards.transitions(), rewards.at_end
    chance = 1 - gamma + gamma * mdp.ends
    mixture = lambda every, ending: ((1 - gamma) * every + gamma * mdp.ends * ending) / chance
    r2 = mdp.r * mdp.r if mdp.r2 is None else mdp.r2  # type: ignore[operator]
    return Augmented(
        replace(stopped, r2=r2, r_end=mixture(given.mean, r_end), r2_end=mixture(given.square, r2_end)),
        lambda policy: policy,
    )
