"""Exact ground truth for policy gradients.

Bring an estimator, a loss or an advantage function; `pgtheory.check` says what it is unbiased for, at which variance, and where it goes wrong.

    import pgtheory as pg

    model = pg.Bandit(r=[1.0, 0.0, 0.5])
    pg.gradient(model, pg.Softmax([[0.2, 0.0, -0.1]]))

Importing the package loads nothing else: a name is looked up where it lives when it is first used.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pgtheory import deep, proofs, tabular, testing
    from pgtheory.checking import check
    from pgtheory.face import gradient, law, value
    from pgtheory.tabular.models import problems
    from pgtheory.tabular.models.bandit import Bandit
    from pgtheory.tabular.models.mdp import MDP
    from pgtheory.tabular.models.token_tree import TokenTree
    from pgtheory.tabular.policies.direct import Direct
    from pgtheory.tabular.policies.log_linear import LogLinear
    from pgtheory.tabular.policies.softmax import Softmax
    from pgtheory.tabular.scene import Scene
    from pgtheory.tabular.solve.evaluation import evaluate
    from pgtheory.tabular.solve.optimal import optimal as solve
    from pgtheory.verdict import Verdict

__version__ = "0.1.0"

# Written out, because type checkers read no other form; tests hold it, the imports above and the table below together.
__all__ = [
    "MDP",
    "Bandit",
    "Direct",
    "LogLinear",
    "Scene",
    "Softmax",
    "TokenTree",
    "Verdict",
    "check",
    "deep",
    "evaluate",
    "gradient",
    "law",
    "problems",
    "proofs",
    "solve",
    "tabular",
    "testing",
    "value",
]

_HOME = {
    "MDP": "pgtheory.tabular.models.mdp:MDP",
    "Bandit": "pgtheory.tabular.models.bandit:Bandit",
    "Direct": "pgtheory.tabular.policies.direct:Direct",
    "LogLinear": "pgtheory.tabular.policies.log_linear:LogLinear",
    "Scene": "pgtheory.tabular.scene:Scene",
    "Softmax": "pgtheory.tabular.policies.softmax:Softmax",
    "TokenTree": "pgtheory.tabular.models.token_tree:TokenTree",
    "Verdict": "pgtheory.verdict:Verdict",
    "check": "pgtheory.checking:check",
    "deep": "pgtheory.deep",
    "evaluate": "pgtheory.tabular.solve.evaluation:evaluate",
    "gradient": "pgtheory.face:gradient",
    "law": "pgtheory.face:law",
    "problems": "pgtheory.tabular.models.problems",
    "proofs": "pgtheory.proofs",
    "solve": "pgtheory.tabular.solve.optimal:optimal",
    "tabular": "pgtheory.tabular",
    "testing": "pgtheory.testing",
    "value": "pgtheory.face:value",
}
"""Public name -> module, or module:attribute. A name with an attribute must not be the name of a module in this folder: importing the module
would replace the attribute."""

if not TYPE_CHECKING:  # a type checker that saw this function would accept every misspelt name

    def __getattr__(name):
        if name not in _HOME:
            raise AttributeError(f"module 'pgtheory' has no attribute {name!r}")
        from importlib import import_module

        module, _, attribute = _HOME[name].partition(":")
        found = import_module(module)
        globals()[name] = found = getattr(found, attribute) if attribute else found
        return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
