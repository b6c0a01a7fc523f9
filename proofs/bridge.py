"""The bridge: Coq proves that its own definition, on a rational instance, has the value that Python's function returned.

A theorem is about the V of its Coq file. Here the V of Coq, not a copy of it, is unfolded on a random instance in fractions, and the equation "V = number of the library"
is handed to the kernel as a lemma: sums are written out, arithmetic is normalised by `field`, and a number that is wrong has no proof. One lemma a definition
and instance; instances are small, since a definition by sums over paths is unfolded path by path.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from pgtheory.proofs.kernel import sources as files
from pgtheory.proofs.kernel.prover import Build, NoProver, Store, cache_folder, coq, find

LIMIT = 300.0
"""Seconds that one span may take: a wrong number of many digits may keep Coq busy, which is as good as a refusal."""

PREAMBLE = """From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp.algebra_tactics Require Import ring.
From PG Require Import Evaluation.
{requires}
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.
"""


@dataclass(frozen=True, kw_only=True)
class Equation:
    """One lemma: the Coq term has this value.

    Attributes:
        name: of the lemma; later lemmas of the instance may use it.
        term: the definition applied to the instance, in Coq.
        value: what Python's function returned.
        proof: the tactics that unfold the term.
    """

    name: str
    term: str
    value: Fraction
    proof: str


@dataclass(frozen=True, kw_only=True)
class Span:
    """One definition and the Python functions that it is compared with.

    Attributes:
        definitions: names in Coq, file and definition: "FiniteHorizon.V".
        functions: module:function of what is compared.
        instance: random numbers -> text of definitions for Coq, and the equations.
    """

    definitions: tuple[str, ...]
    functions: tuple[str, ...]
    instance: Callable[[np.random.Generator], tuple[str, Sequence[Equation]]]

    @property
    def files(self) -> tuple[str, ...]:
        """The Coq files behind it."""
        return tuple(dict.fromkeys(name.partition(".")[0] for name in self.definitions))


@dataclass(frozen=True, kw_only=True)
class Crossing:
    """What came of one span: the equations that Coq accepted, or what it says against them; `checked` is False without a prover."""

    span: Span
    equations: Sequence[Equation]
    complaint: str = ""
    checked: bool = True


def literal(x: Any) -> str:
    """A fraction, or nested lists of them, as Coq writes them.

    >>> literal([Fraction(-1, 2), 3])
    '[:: - 1%:~R / 2%:~R; 3%:~R / 1%:~R]'
    """
    if isinstance(x, list | tuple):
        return f"[:: {'; '.join(map(literal, x))}]"
    q = Fraction(x)
    return f"{'- ' if q < 0 else ''}{whole(abs(q.numerator))} / {whole(q.denominator)}"


def whole(n: int) -> str:
    """A natural number, by its digits in base 100: Coq's own numerals are unary, and a million would not end.

    >>> whole(12345)
    '((1%:~R * 100%:~R + 23%:~R) * 100%:~R + 45%:~R)'
    """
    return f"{n}%:~R" if n < 100 else f"({whole(n // 100)} * 100%:~R + {n % 100}%:~R)"


def table(name: str, values: Any) -> str:
    """Nested lists as a function of ordinals."""
    shape, part = [], values
    while isinstance(part, list | tuple):
        shape.append(len(part))
        part = part[0]
    return f"Definition {name} := @table{len(shape)} {' '.join(map(str, shape))} {literal(values)}."


def script(span: Span, setting: str, equations: Sequence[Equation]) -> str:
    """The Coq file of one instance."""
    requires = "\n".join(f"From PG Require {name}." for name in span.files)
    lemmas = [f"Lemma {e.name} : {e.term} = {literal(e.value)}. Proof. {e.proof} Qed." for e in equations]
    return "\n".join([PREAMBLE.format(requires=requires), setting, *lemmas, ""])


def cross(
    spans: Sequence[Span], *, seed: int = 0, store: Store | None = None, compiling: bool = True, say: Callable[[str], None] = lambda _: None
) -> list[Crossing]:
    """Lets Coq prove the equations of every span on a random instance. Without `compiling` files that are not stored are not built, and nothing is checked.

    Cost: seconds a span.
    """
    rng = np.random.default_rng(seed)
    made = [(span, *span.instance(rng)) for span in spans]
    try:
        prover = find()
    except NoProver as error:
        return [Crossing(span=span, equations=equations, complaint=str(error), checked=False) for span, _, equations in made]
    found = []
    sources = files.read()
    with Build(prover, store or Store(cache_folder()), compiling=compiling) as build:
        build.make(files.closure({"Evaluation", *(name for span in spans for name in span.files)}, sources), say)
        if build.absent:
            missing = f"not built on this machine yet: {', '.join(sorted(build.absent))}"
            return [Crossing(span=span, equations=equations, complaint=missing, checked=False) for span, _, equations in made]
        for number, (span, setting, equations) in enumerate(made):
            path = Path(f"Bridge{number}.v")
            (build.folder / path).write_text(script(span, setting, equations), encoding="utf8")
            answer = coq(build.folder, str(path), prover, limit=LIMIT)
            complaint = "" if answer.returncode == 0 else answer.stderr.strip()[-600:]
            found.append(Crossing(span=span, equations=equations, complaint=complaint))
            say(f"{', '.join(span.definitions)}: {'refused' if complaint else f'{len(equations)} equations'}")
    return found
