"""The theorems by name.

An id names one theorem in the whole project: T01 to T62 are those of the book of theorems, and a theorem here that is one of them has its id; the others count from T63 on.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.rates import adaptive, backward, committal, domination, improvement, natural, rollouts, slow_chain, softmax, stochastic
from pgtheory.tabular.rates.theorem import Theorem
from pgtheory.tabular.spelling import did_you_mean

ALL = (
    softmax.BANDIT, softmax.SOFTMAX, softmax.ENTROPY, softmax.LOWER, softmax.PLATEAU, slow_chain.SLOW_CHAIN,
    natural.NATURAL, natural.MIRROR, natural.PROJECTED_Q, natural.GROWING, natural.NATURAL_ENTROPY, natural.ITERATION, natural.DIFFERENCE,
    domination.LOJASIEWICZ, domination.DOMINATION, domination.PROJECTED, improvement.TRUST_REGION, improvement.NATURAL_IMPROVES,
    adaptive.NORMALISED, adaptive.POLYAK, committal.COMMITTAL,
    stochastic.REINFORCE, stochastic.SNR, stochastic.RECURSIVE, stochastic.TRANSPORTED, stochastic.RECURSIVE_COMMITS, stochastic.TRANSPORTED_COMMITS, backward.BACKWARD, rollouts.ROLLOUTS,
)  # fmt: skip

THEOREMS: Mapping[str, Theorem] = MappingProxyType({theorem.name: theorem for theorem in ALL})
"""Name -> theorem, by subject."""


def theorem_named(name: str) -> Theorem:
    """The theorem with this name or id.

    Raises:
        InvalidArgument: there is none.
    """
    found = {**THEOREMS, **{theorem.id: theorem for theorem in ALL}}
    if name not in found:
        if re.fullmatch(r"T\d+", str(name)):
            ids = ", ".join(sorted(theorem.id for theorem in ALL))
            raise InvalidArgument(
                f"no theorem with the id {name!r} bounds a run; those that do are {ids}. What else is proved: `pgtheory verify ID`."
            )
        hint = did_you_mean(str(name), found) or f" There are: {', '.join(THEOREMS)}."
        raise InvalidArgument(f"no theorem is called {name!r}.{hint}")
    return found[name]
