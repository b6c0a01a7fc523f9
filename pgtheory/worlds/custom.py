"""Worlds of a problem that the user names."""

from dataclasses import replace

import numpy as np

from pgtheory.tabular.errors import InvalidArgument, UnknownProblem
from pgtheory.tabular.models.bandit import Bandit
from pgtheory.tabular.models.mdp import as_mdp
from pgtheory.tabular.models.problems import problem as problem_named
from pgtheory.tabular.models.problems import theta as theta_named
from pgtheory.tabular.models.token_tree import TokenTree
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.episodes import OnPolicy
from pgtheory.tabular.sampling.groups import Groups
from pgtheory.worlds.default import LOOP_OFF_POLICY, OFF_POLICY, OLD_DIFFERS, RARE_OFF_POLICY, TAIL, TINY, TOKENS, WorldSpec, default_worlds
from pgtheory.worlds.world import World, floats, rational_table

POINTS = (0, 1, 2)


def world_named(name: str) -> World:
    """The default or tiny world with this id.

    Raises:
        UnknownProblem: there is none; the text lists them.
    """
    known: dict[str, WorldSpec] = {
        spec.id: spec
        for spec in (*TOKENS, OFF_POLICY, RARE_OFF_POLICY, OLD_DIFFERS, *default_worlds("episodes", ("gamma",)), TAIL, LOOP_OFF_POLICY, *TINY)
    }
    if name not in known:
        raise UnknownProblem(f"no world is called {name!r}. There are: {', '.join(known)}.")
    return known[name].build()


def custom_worlds(
    problem: object, *, setting: str, gamma: float | None, group: int | None, theta: np.ndarray | None, horizon: int | None, drawn: int | None = None
) -> list[World]:
    """Worlds of one problem: token problems with groups of `group` and of one more (a constant is told apart by two sizes);
    decision processes with one and two episodes a batch.

    Raises:
        InvalidArgument: the setting of the function does not fit the problem, or episodes may run for ever and no horizon is given.
    """
    if isinstance(problem, str) and problem.startswith("world:"):
        return [world_named(problem.removeprefix("world:"))]
    model = problem_named(problem) if isinstance(problem, str) else problem
    label = problem if isinstance(problem, str) else type(model).__name__
    mdp = as_mdp(model)
    if gamma is not None or horizon is not None:
        mdp = replace(mdp, gamma=mdp.gamma if gamma is None else gamma, horizon=mdp.horizon if horizon is None else horizon)
        model = mdp
    tables = [floats(rational_table(mdp.S, mdp.A, j)) for j in POINTS]
    if theta is None and isinstance(problem, str):
        theta = theta_named(problem)
    if theta is not None:
        if np.size(theta) != mdp.S * mdp.A:
            raise InvalidArgument(f"theta has {np.size(theta)} numbers, the problem has S A = {mdp.S * mdp.A} logits (S = {mdp.S}, A = {mdp.A}).")
        current = (Softmax(np.reshape(np.asarray(theta, dtype=float), (mdp.S, mdp.A))),)
    else:
        current = tuple(Softmax.of(table) for table in tables)
    ref = Softmax.of(floats(rational_table(mdp.S, mdp.A, 6)))
    option = label + (f" --horizon {horizon}" if horizon is not None else "") + (f" --gamma {gamma:g}" if gamma is not None else "")
    if setting == "tokens":
        sizes = (group, group + 1) if group is not None else (3, 4)
        return [
            World(
                id=f"{label}/G={G}",
                setting="tokens",
                model=model,
                sampling=Groups(G, prompts=drawn),
                current=current,
                ref=ref,
                critic=np.zeros(mdp.S),
            )
            for G in sizes
        ]
    if mdp.horizon is None and not isinstance(model, Bandit | TokenTree) and _may_run_for_ever(mdp):
        raise InvalidArgument(
            f"episodes of {label} may run for ever, so that they cannot be enumerated. Give a horizon (--horizon T) after which they end."
        )
    return [
        World(
            id=f"{label}/B={B}",
            problem=option,
            setting="episodes",
            model=model,
            sampling=OnPolicy(B),
            current=current,
            ref=ref,
            critic=np.linspace(-1, 1, mdp.S),
        )
        for B in (1, 2)
    ]


def _may_run_for_ever(mdp) -> bool:
    """Whether the graph of positive transitions has a cycle: powers of an acyclic one vanish after S steps."""
    reach = (np.abs(mdp.kernel(np.full((mdp.S, mdp.A), 1 / mdp.A))) > 0).astype(float)
    at = (mdp.mu > 0).astype(float)
    for _ in range(mdp.S):
        at = np.minimum(at @ reach, 1)
        if not at.any():
            return False
    return True
