"""Hypothesis strategies for small problems with rational numbers: what fails shrinks to a problem that can be checked by hand.

    from hypothesis import given
    from pgtheory import strategies as some

    @given(some.scenes())
    def test_property(scene): ...

Every probability is w / sum(w) with integer weights w of at most 7, every reward n / m with |n| <= 4 and m in {1, 2, 4}. Weights shrink towards equal
small integers, rewards towards zero, sizes towards their least.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp

from pgtheory.tabular.arrays import require_count
from pgtheory.tabular.errors import InvalidArgument, MissingExtra
from pgtheory.tabular.models.bandit import Bandit
from pgtheory.tabular.models.mdp import MDP, as_mdp
from pgtheory.tabular.models.token_tree import TokenTree
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.scene import Scene

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

LARGEST = 7
"""Largest weight of an outcome."""

DISCOUNTS = {
    "discounted": (Fraction(1, 2), Fraction(0), Fraction(3, 4), Fraction(9, 10)),
    "finite": (Fraction(1), Fraction(1, 2), Fraction(9, 10)),
    "episodic": (Fraction(1), Fraction(1, 2), Fraction(9, 10)),
}
"""Kind of a decision process -> its discounts, the simplest first."""


def distributions(n: int) -> "SearchStrategy[tuple[Fraction, ...]]":
    """Positive distributions over n outcomes, p_i = w_i / sum_j w_j with w_i in 1..7, as fractions that sum to one; the simplest is uniform.

    Raises:
        InvalidArgument: n is no positive integer.
        MissingExtra: hypothesis is not installed.
    """
    st = _hypothesis()
    return st.tuples(*[st.integers(1, LARGEST)] * require_count("n", n)).map(normalised)


def thetas(S: int, A: int) -> "SearchStrategy[np.ndarray]":
    """Logits (S, A) of rational policies: theta[s, a] = log pi(a|s).

    Raises:
        InvalidArgument: S or A is no positive integer.
        MissingExtra: hypothesis is not installed.
    """
    return _hypothesis().tuples(*[distributions(require_count("A", A))] * require_count("S", S)).map(lambda rows: np.log(_floats(rows)))


def policies(S: int, A: int) -> "SearchStrategy[Softmax]":
    """Softmax policies with rational probabilities.

    Raises:
        InvalidArgument: S or A is no positive integer.
        MissingExtra: hypothesis is not installed.
    """
    return thetas(S, A).map(Softmax)


def mdps(*, max_states: int = 3, max_actions: int = 3, kind: str = "discounted", sparse: bool = False) -> "SearchStrategy[MDP]":
    """Decision processes that every policy can be evaluated on.

    P[s, a, t] = w_t / (w_end + sum_u w_u) with weights in 0..7, w_end the weight of the end of the episode.

    Args:
        max_states, max_actions: largest sizes; the least is one.
        kind: "discounted" (gamma < 1), "finite" (a horizon of 1 to 3 steps) or "episodic" (w_end >= 1: each step may be the last).
        sparse: whether P is stored as a sparse matrix.

    Raises:
        InvalidArgument: a size is no positive integer, or the kind is unknown.
        MissingExtra: hypothesis is not installed.
    """
    if kind not in DISCOUNTS:
        raise InvalidArgument(f"kind is {kind!r}. There are: {', '.join(DISCOUNTS)}.")
    require_count("max_states", max_states)
    require_count("max_actions", max_actions)
    st = _hypothesis()

    def build(draw: Callable[[Any], Any]) -> MDP:
        S, A = draw(st.integers(1, max_states)), draw(st.integers(1, max_actions))
        row = st.tuples(st.integers(int(kind == "episodic"), LARGEST), *[st.integers(0, LARGEST)] * S)
        rows = draw(st.tuples(*[row] * (S * A)))
        P = _floats([[Fraction(w, sum(weights) or 1) for w in weights[1:]] for weights in rows])
        return MDP(
            P=sp.csr_array(P) if sparse else P.reshape(S, A, S),
            r=_floats(draw(_tables(S, A))),
            mu=_floats(draw(distributions(S))),
            gamma=float(draw(st.sampled_from(DISCOUNTS[kind]))),
            horizon=draw(st.integers(1, 3)) if kind == "finite" else None,
        )

    return _built(build)


def bandits(*, max_arms: int = 3, max_contexts: int = 2, bernoulli: bool = False) -> "SearchStrategy[Bandit]":
    """Bandits of two arms or more, in one context or more.

    Args:
        max_arms, max_contexts: largest sizes.
        bernoulli: whether rewards are 0 or 1, with a mean in (0, 1).

    Raises:
        InvalidArgument: max_arms is below two, or max_contexts below one.
        MissingExtra: hypothesis is not installed.
    """
    require_count("max_arms", max_arms, least=2)
    require_count("max_contexts", max_contexts)
    st = _hypothesis()

    def build(draw: Callable[[Any], Any]) -> Bandit:
        C, K = draw(st.integers(1, max_contexts)), draw(st.integers(2, max_arms))
        chance = distributions(2).map(lambda pair: pair[0])
        r = draw(_tables(C, K, entry=chance if bernoulli else None))
        return Bandit(r=_floats(r), mu=_floats(draw(distributions(C))), bernoulli=bernoulli)

    return _built(build)


def token_trees(*, max_vocabulary: int = 3, max_limit: int = 2, max_prompts: int = 2, binary: bool = False) -> "SearchStrategy[TokenTree]":
    """Token trees with a reward for each completion of each prompt.

    Args:
        max_vocabulary, max_limit, max_prompts: largest sizes; the least are 2, 1 and 1.
        binary: whether rewards are 0 or 1.

    Raises:
        InvalidArgument: a largest size is below the least.
        MissingExtra: hypothesis is not installed.
    """
    require_count("max_vocabulary", max_vocabulary, least=2)
    require_count("max_limit", max_limit)
    require_count("max_prompts", max_prompts)
    st = _hypothesis()

    def build(draw: Callable[[Any], Any]) -> TokenTree:
        sizes = {"vocabulary": draw(st.integers(2, max_vocabulary)), "limit": draw(st.integers(1, max_limit)), "end": draw(st.booleans())}
        prompts = draw(st.integers(1, max_prompts))
        completions = TokenTree(**sizes, reward={}).completions
        values = draw(_tables(prompts, len(completions), entry=st.integers(0, 1) if binary else None))
        reward = tuple(dict(zip(completions, map(float, row), strict=True)) for row in values)
        return TokenTree(**sizes, reward=reward, prompts=prompts, mu=_floats(draw(distributions(prompts))))

    return _built(build)


def scenes(models: "SearchStrategy[Any] | None" = None, *, off_policy: bool = False, ref: bool = False) -> "SearchStrategy[Scene]":
    """A model with a softmax policy that moves with theta, and constant policies for other roles.

    Args:
        models: where the model comes from; default bandits, decision processes with a horizon, and token trees.
        off_policy: whether another policy sampled.
        ref: whether there is a reference policy.

    Raises:
        MissingExtra: hypothesis is not installed.
    """
    st = _hypothesis()
    source = models if models is not None else st.one_of(bandits(), mdps(kind="finite"), token_trees())

    def build(draw: Callable[[Any], Any]) -> Scene:
        model = draw(source)
        mdp = as_mdp(model)
        play = policies(mdp.S, mdp.A)
        return Scene.of(model, draw(play), sampler=draw(play) if off_policy else None, ref=draw(play) if ref else None)

    return _built(build)


def normalised(weights: tuple[int, ...]) -> tuple[Fraction, ...]:
    """w_i / sum_j w_j.

    >>> normalised((1, 2))
    (Fraction(1, 3), Fraction(2, 3))
    """
    return tuple(Fraction(w, sum(weights)) for w in weights)


def _hypothesis() -> Any:
    """The module hypothesis.strategies."""
    try:
        import hypothesis.strategies as st
    except ImportError:
        raise MissingExtra("strategies need hypothesis: pip install 'pgtheory[dev]'.") from None
    return st


def _built(build: Callable[[Callable[[Any], Any]], Any]) -> Any:
    """The strategy of what a function of `draw` returns."""
    return _hypothesis().composite(lambda draw: build(draw))()


def _tables(rows: int, columns: int, *, entry: Any = None) -> Any:
    """Tables of rewards n / m, or of another entry."""
    st = _hypothesis()
    entry = entry if entry is not None else st.builds(Fraction, st.integers(-4, 4), st.sampled_from((1, 2, 4)))
    return st.tuples(*[st.tuples(*[entry] * columns)] * rows)


def _floats(table: Any) -> np.ndarray:
    """A table of fractions as an array."""
    return np.array(table, dtype=float)
