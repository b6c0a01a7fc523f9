"""A theorem of the book: one page, with the derivation in steps that are checked, and with its instances as a claim.

    PAGE = Page(
        title="Policy gradient theorem, finite horizon",
        claim=Claim(id="T02", kind="identity", statement="D V_n(s) = ...", left=..., right=..., cases=..., assumes={...}, mutants={...}, relation=Exact(), level="rational"),
        words="The derivative of the value is ...", free=("pi may be unnormalised",), derivation=steps,
        coq=("T02_policy_gradient_finite",), functions=("pgtheory.tabular.exact.rational:policy_gradient",),
    )

The page is the row of the registry. What is proved for all finite problems, the kernel says (`kernel/`), never the page: its steps are identities of symbols on
one shape (level S), its instances exact numbers (level R).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from pgtheory.proofs.claim import Claim
from pgtheory.tabular.errors import InvalidArgument


@dataclass(frozen=True, eq=False)
class Step:
    """One line of a derivation: why the two sides are equal, as symbols.

    Attributes:
        why: the reason, in words.
        left, right: elements of a ring or field of symbols, or nested lists of them; equal as normal forms.
    """

    why: str
    left: Any
    right: Any


@dataclass(frozen=True, eq=False, kw_only=True)
class Page:
    """A theorem.

    Attributes:
        title: its name in the field.
        claim: id, statement, source; left and right side on exact instances; for each assumption a counterexample without it; mutants of the statement.
        words: the statement in words.
        coq: its names in the Coq files.
        functions: module:function of the library functions that it is about; each carries the line `Theorem: T12.` in its docstring.
        free: what it does not need, though one might think so.
        derivation: makes the steps; none where the kernel's proof has no symbols of one shape to show.

    Raises:
        InvalidArgument: the claim is no theorem's.
    """

    title: str
    claim: Claim
    words: str
    coq: tuple[str, ...]
    functions: tuple[str, ...]
    free: tuple[str, ...] = ()
    derivation: Callable[[], Iterable[Step]] | None = None

    def __post_init__(self) -> None:
        if not self.id.startswith("T"):
            raise InvalidArgument(f"the page {self.title!r} has the claim {self.id}; a theorem has an id such as T12.")

    @property
    def id(self) -> str:
        """ "T12"."""
        return self.claim.id
