"""All trajectories of a finite model."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from jaxtyping import Bool, Float, Int

from pgtheory.tabular.errors import InvalidArgument, TooLarge
from pgtheory.tabular.models.mdp import MDP, entries
from pgtheory.tabular.policies.policy import Policy


@dataclass(frozen=True, eq=False, kw_only=True)
class Paths:
    """K trajectories of at most T steps, right-padded (state 0, action 0, reward 0, mask False).

    Attributes:
        state, action, reward, mask: step by step.
        last: state after the last step; -1 if the episode terminated.
        truncated: True if the trajectory was cut at the sampling horizon.
        start: first state.
        chance: product of the start, transition, ending and reward probabilities: everything but the policy.
    """

    state: Int[np.ndarray, "K T"]
    action: Int[np.ndarray, "K T"]
    reward: Float[np.ndarray, "K T"]
    mask: Bool[np.ndarray, "K T"]
    last: Int[np.ndarray, "K"]
    truncated: Bool[np.ndarray, "K"]
    start: Int[np.ndarray, "K"]
    chance: Float[np.ndarray, "K"]
    shape: tuple[int, int]

    def __len__(self) -> int:
        return len(self.start)

    def log_probability(self, policy: Policy) -> Float[np.ndarray, "K"]:
        """log of the probability under a policy. Cost O(K T)."""
        steps = np.where(self.mask, policy.log_probabilities[self.state, self.action], 0.0)
        return np.log(self.chance) + steps.sum(axis=1)

    def probability(self, policy: Policy) -> Float[np.ndarray, "K"]:
        """Probability under a policy; the K numbers sum to one. A product, so that rational probabilities stay exact to a few roundings."""
        steps = np.where(self.mask, policy.probabilities[self.state, self.action], 1.0)
        return self.chance * steps.prod(axis=1)

    @cached_property
    def length(self) -> Int[np.ndarray, "K"]:
        """Number of steps."""
        return self.mask.sum(axis=1)

    def total(self, gamma: float = 1.0) -> Float[np.ndarray, "K"]:
        """Discounted return of each trajectory."""
        return self.reward @ gamma ** np.arange(self.reward.shape[1])

    @cached_property
    def visits(self) -> sp.csr_array:
        """(K, S*A): how often each pair (s, a) occurs. The score of a trajectory is the pullback of its row."""
        k, t = np.nonzero(self.mask)
        S, A = self.shape
        entries = (np.ones(len(k)), (k, self.state[k, t] * A + self.action[k, t]))
        return sp.coo_array(entries, shape=(len(self), S * A)).tocsr()


def enumerate_paths(mdp: MDP, *, horizon: int | None = None, limit: int = 200_000) -> Paths:
    """All trajectories of positive chance, shortest first, then in the order of their start, actions and next states.

    With `horizon` a trajectory that is still running after that many steps is cut: truncated, with `last` the state it stands in.
    The model's own horizon terminates it instead. Cost: time and memory O(K T), K the number of trajectories.

    Raises:
        InvalidArgument: the model may run for ever and no horizon was given.
        TooLarge: there are more than `limit` trajectories.
    """
    steps = min((h for h in (horizon, mdp.horizon) if h is not None), default=None)
    bound = steps if steps is not None else mdp.S
    moves = _moves(mdp)
    level = {"start": np.flatnonzero(mdp.mu), "at": np.flatnonzero(mdp.mu), "chance": mdp.mu[mdp.mu > 0]}
    tables = {name: np.zeros((len(level["at"]), 0), dtype=dtype) for name, dtype in (("state", int), ("action", int), ("reward", float))}
    finished: list[dict] = []
    for t in range(bound):
        parent, move = _successors(level["at"], moves)
        if len(parent) + sum(len(part["start"]) for part in finished) > limit:
            raise TooLarge(
                f"the model has more than {limit} trajectories of {t + 1} steps. Enumerate a shorter horizon, or use a law by Monte Carlo "
                '(`method="monte-carlo"`) instead.'
            )
        tables = {
            "state": np.column_stack([tables["state"][parent], moves["state"][move]]),
            "action": np.column_stack([tables["action"][parent], moves["action"][move]]),
            "reward": np.column_stack([tables["reward"][parent], moves["reward"][move]]),
        }
        start, chance, at = level["start"][parent], level["chance"][parent] * moves["chance"][move], moves["next"][move]
        over = at < 0
        cut = np.zeros_like(over)
        if steps is not None and t + 1 == steps:
            cut = ~over if mdp.horizon != steps else cut
            over = np.ones_like(over)
        last = np.where(cut, at, -1)
        if steps is not None and t + 1 == steps and not cut.any():
            tables, start, chance, at = _merged(tables, start, chance)
            over, cut, last = at < 0, np.zeros(len(at), dtype=bool), at
        finished.append(
            {**{k: v[over] for k, v in tables.items()}, "start": start[over], "chance": chance[over], "last": last[over], "truncated": cut[over]}
        )
        tables = {k: v[~over] for k, v in tables.items()}
        level = {"start": start[~over], "at": at[~over], "chance": chance[~over]}
        if not len(level["at"]):
            break
    else:
        raise InvalidArgument(
            "the model can run for more than any number of steps and no horizon was given, so its trajectories cannot be enumerated. "
            "Give the sampling a horizon (trajectories are cut there) or the model one (they end there)."
        )
    return _padded(finished, mdp)


def count_paths(mdp: MDP, *, horizon: int | None = None, limit: float = np.inf) -> Float[np.ndarray, "S"]:
    """Number of trajectories of positive chance from each state, without forming one; infinite if they may run for ever or rewards have no finite law.

    Trajectories that `enumerate_paths` merges, for they differ in a last state that nobody sees, count apart. The count stops where it exceeds `limit` from every first
    state of mu. Cost: O(nnz) a step, once a model: the counts of a horizon and a limit are kept with it.
    """
    known = mdp.__dict__.setdefault("_path_counts", {})
    if (horizon, limit) not in known:
        known[horizon, limit] = _counted(mdp, horizon, limit)
        known[horizon, limit].setflags(write=False)
    return known[horizon, limit]


def _counted(mdp: MDP, horizon: int | None, limit: float) -> Float[np.ndarray, "S"]:
    if mdp.r2 is not None and mdp.outcomes is None:
        return np.full(mdp.S, np.inf)
    values = np.ones(mdp.S * mdp.A) if mdp.outcomes is None else np.count_nonzero(mdp.outcomes.chance, axis=2).ravel()
    positive = sp.csr_array(mdp.transition, copy=True)
    positive.data = (positive.data > 0).astype(float)
    positive.eliminate_zeros()
    choices = sp.csr_array((values.astype(float), np.arange(mdp.S * mdp.A), np.arange(0, mdp.S * mdp.A + 1, mdp.A)), shape=(mdp.S, mdp.S * mdp.A))
    ends = choices @ (mdp.ends > 0).ravel().astype(float)
    edges = choices @ positive
    steps = min((h for h in (horizon, mdp.horizon) if h is not None), default=None)
    # After S steps without a horizon, whoever still runs has met a state twice and may do so for ever.
    count, start = np.full(mdp.S, np.inf if steps is None else 1.0), mdp.mu > 0
    for _ in range(mdp.S if steps is None else steps):
        before = count
        with np.errstate(over="ignore"):
            count = edges @ count + ends
        # Without a horizon a state is counted as soon as all its successors are: if no state was, the rest can meet itself again.
        if count[start].min() > limit if steps is not None else np.array_equal(np.isinf(count), np.isinf(before)):
            break
    return count


def _moves(mdp: MDP) -> dict[str, np.ndarray]:
    """Every (s, a, next or end, reward) of positive chance, ordered by s, then a, then next state, the end last."""
    P = sp.coo_array(mdp.transition)
    keep = P.data > 0
    pair, following, chance = P.row[keep], P.col[keep], P.data[keep]
    r = mdp.r
    if mdp.by_pair:
        reward = r.ravel()[pair]
        end_reward = r
    else:
        reward = entries(r if sp.issparse(r) else r.reshape(-1, mdp.S), pair, following)
        end_reward = np.zeros((mdp.S, mdp.A)) if mdp.r_end is None else mdp.r_end
    ending = np.flatnonzero(mdp.ends > 0)
    pair = np.concatenate([pair, ending])
    following = np.concatenate([following, np.full(len(ending), -1)])
    chance = np.concatenate([chance, mdp.ends.ravel()[ending]])
    reward = np.concatenate([reward, end_reward.ravel()[ending]])
    if mdp.outcomes is not None:
        law = mdp.outcomes.chance.reshape(-1, len(mdp.outcomes.values))[pair]
        i, k = np.nonzero(law)
        pair, following, chance, reward = pair[i], following[i], chance[i] * law[i, k], mdp.outcomes.values[k]
    elif mdp.r2 is not None:
        raise InvalidArgument(
            "the reward is random (r2 is given) but its law is not: trajectories cannot be enumerated. Give `outcomes` instead of r2."
        )
    order = np.lexsort((reward, np.where(following < 0, mdp.S, following), pair))
    pair = pair[order]
    first = np.searchsorted(pair // mdp.A, np.arange(mdp.S + 1))
    return {
        "state": pair // mdp.A,
        "action": pair % mdp.A,
        "next": following[order],
        "chance": chance[order],
        "reward": reward[order],
        "first": first,
    }


def _successors(at: np.ndarray, moves: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """(parent, move) for every move out of every state in `at`."""
    counts = moves["first"][at + 1] - moves["first"][at]
    parent = np.repeat(np.arange(len(at)), counts)
    offset = np.arange(len(parent)) - np.repeat(np.cumsum(counts) - counts, counts)
    return parent, moves["first"][at][parent] + offset


def _merged(tables: dict[str, np.ndarray], start: np.ndarray, chance: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray, np.ndarray]:
    """Trajectories that end at the model's horizon and differ in a next state alone, which nobody sees, as one."""
    rows = np.column_stack([start, tables["state"], tables["action"], tables["reward"]])
    _, first, same = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    return {name: table[first] for name, table in tables.items()}, start[first], np.bincount(same.ravel(), chance), np.full(len(first), -1)


def _padded(finished: list[dict], mdp: MDP) -> Paths:
    T = finished[-1]["state"].shape[1]
    pad = lambda part, name: np.pad(part[name], ((0, 0), (0, T - part[name].shape[1])))
    arrays = {name: np.concatenate([pad(part, name) for part in finished]) for name in ("state", "action", "reward")}
    flat = {name: np.concatenate([part[name] for part in finished]) for name in ("start", "chance", "last", "truncated")}
    length = np.concatenate([np.full(len(part["start"]), part["state"].shape[1]) for part in finished])
    mask = np.arange(T) < length[:, None]
    return Paths(**arrays, **flat, mask=mask, shape=(mdp.S, mdp.A))
