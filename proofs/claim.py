"""A claim: one sentence that a machine can check, with its source, its cases, and what refutes it when it should.

    Claim(
        id="P043.C1", kind="identity",
        statement="the exact Polyak step moves the logit difference of a two-armed softmax bandit by 1 / (c p)",
        left=lambda case: ..., right=lambda case: 1 / (case.c * case.p), cases=lambda: [Case("p = 1/2", ...)],
        assumes={"two arms": lambda: Case("three arms", ...)},
    )

The two sides are computed by different means: a test records which functions each of them executes. For each assumption there is a case in which it does not
hold and the claim is refuted; a claim that assumes nothing has mutants, other right sides, that are refuted on its own cases.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Literal, get_args

from pgtheory.proofs.headline import Headline
from pgtheory.proofs.relations import Equal, Relation
from pgtheory.tabular.errors import InvalidArgument

Kind = Literal[
    "identity", "unbiased", "biased by exactly", "variance equals", "variance less than", "bound", "rate", "fixed point", "monotone", "counterexample"
]

Level = Literal["proof", "symbolic", "rational", "ball", "float"]
"""How sure: kernel-checked for all instances, a symbolic identity on one shape, exact rationals, certified balls, floating point. Only the first is a proof."""

LETTER = {"proof": "P", "symbolic": "S", "rational": "R", "ball": "B", "float": "N"}
"""The levels in one letter."""

Value = object
"""A number or an array."""


class Case(SimpleNamespace):
    """One instance: a label, and whatever the sides need by name."""

    def __init__(self, label: str, **parts: object) -> None:
        super().__init__(label=label, **parts)


Side = Callable[[Case], Value]


@dataclass(frozen=True, eq=False, kw_only=True)
class Claim:
    """One checkable sentence.

    Attributes:
        id: paper and number, "P043.C1"; of a theorem of the book "T12".
        kind: what sort of statement it is.
        statement: the sentence, formulas included.
        left, right: the two sides, from a case.
        relation: what they must satisfy.
        cases: makes the cases; all must satisfy the relation.
        assumes: assumption -> makes a case in which it does not hold; there the relation must fail.
        mutants: name -> another right side, wrong on purpose; the relation must fail on at least one case. Required where nothing is assumed.
        source: where the statement comes from, if not from the paper as a whole.
        level: how sure the check is; "proof" is not for a claim to say.
        needs: modules without which the claim is not checked.
        corrects: what the paper (or its usual reading) says instead, where the statement was found wrong and is corrected here.
        theorem: id of the theorem that implies the statement; the claim is as sure as that, once the kernel has accepted it.

    Raises:
        InvalidArgument: a malformed id, an unknown kind or level, nothing that could refute the claim.
    """

    id: str
    kind: Kind
    statement: str
    left: Side
    right: Side
    relation: Relation = field(default_factory=Equal)
    cases: Callable[[], Iterable[Case]]
    assumes: Mapping[str, Callable[[], Case]] = field(default_factory=dict)
    mutants: Mapping[str, Side] = field(default_factory=dict)
    source: str = ""
    level: Level = "float"
    needs: tuple[str, ...] = ()
    corrects: str = ""
    theorem: str = ""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"P\d{3}\.C\d+|T\d\d", self.id):
            raise InvalidArgument(
                f"the id of a claim is {self.id!r}, expected the form P043.C1, a paper's number and the claim's, or T12 for a theorem."
            )
        if self.theorem and not re.fullmatch(r"T\d\d", self.theorem):
            raise InvalidArgument(f"{self.id} is implied by the theorem {self.theorem!r}, expected an id such as T12.")
        for name, known in (("kind", get_args(Kind)), ("level", get_args(Level)[1:])):
            if getattr(self, name) not in known:
                raise InvalidArgument(f"{name} of {self.id} is {getattr(self, name)!r}; known are {', '.join(known)}.")
        if not self.assumes and not self.mutants:
            raise InvalidArgument(f"nothing can refute {self.id}: give a case for each assumption in `assumes`, or wrong right sides in `mutants`.")

    @property
    def paper(self) -> str:
        """Id of the paper."""
        return self.id.partition(".")[0]


@dataclass(frozen=True, eq=False, kw_only=True)
class Paper:
    """A paper as it stands here.

    Attributes:
        id, slug, title, authors, year, family: what it is.
        claims: its claims, in order.
        code: what implements it: a word -> module:attribute.
        headline: its main experiment in small, if that is built.
        notes: what is not checked here and why, where statements were corrected.
    """

    id: str
    slug: str
    title: str
    authors: str
    year: int
    family: str
    claims: tuple[Claim, ...]
    code: Mapping[str, str] = field(default_factory=dict)
    headline: Headline | None = None
    notes: str = ""

    def __post_init__(self) -> None:
        strangers = [claim.id for claim in self.claims if claim.paper != self.id]
        if strangers:
            raise InvalidArgument(f"{', '.join(strangers)} stand in the file of {self.id}.")
        ids = [claim.id for claim in self.claims]
        if len(set(ids)) < len(ids):
            raise InvalidArgument(f"the claims of {self.id} have the ids {', '.join(ids)}: each id once.")
