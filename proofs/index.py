"""The papers and the theorems that are here, by id; a file is imported when it is asked for."""

import re
from collections.abc import Iterable
from importlib import import_module
from pkgutil import iter_modules

from pgtheory.proofs import pages as theorems
from pgtheory.proofs import papers as folder
from pgtheory.proofs.claim import LETTER, Claim, Paper
from pgtheory.proofs.theorem import Page
from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.spelling import did_you_mean


def paper_ids() -> tuple[str, ...]:
    """Ids of all papers, in order."""
    return tuple(sorted(module.name.upper() for module in iter_modules(folder.__path__) if not module.ispkg))


def paper(id: str) -> Paper:
    """The paper with this id.

    Raises:
        InvalidArgument: there is none.
    """
    if id.upper() not in paper_ids():
        hint = did_you_mean(id.upper(), paper_ids()) or f" There are {', '.join(paper_ids())}."
        raise InvalidArgument(f"no paper here is called {id!r}.{hint}")
    return import_module(f"{folder.__name__}.{id.lower()}").PAPER


def all_papers() -> tuple[Paper, ...]:
    """All papers."""
    return tuple(paper(id) for id in paper_ids())


def page_ids() -> tuple[str, ...]:
    """Ids of all theorems that have a page, in order."""
    return tuple(_page_files())


def page(id: str) -> Page:
    """The page of the theorem with this id.

    Raises:
        InvalidArgument: there is none.
    """
    if id.upper() not in page_ids():
        from pgtheory.tabular.rates.registry import ALL

        if id.upper() in {theorem.id for theorem in ALL}:
            use = f"pgtheory rate UPDATE --theorem {id.upper()}"
            raise InvalidArgument(
                f"{id.upper()} has no page: it is a bound that runs are held against, without a proof that a kernel checks. Use `{use}`."
            )
        raise InvalidArgument(f"no theorem here is called {id!r}. There are {', '.join(page_ids())}.")
    return import_module(f"{theorems.__name__}.{_page_files()[id.upper()]}").PAGE


def all_pages() -> tuple[Page, ...]:
    """All pages."""
    return tuple(page(id) for id in page_ids())


def theorem_table() -> str:
    """The table of all theorems, in Markdown: what is checked beside the kernel's proof, and what a theorem does not need."""
    cell = lambda text: text.replace("|", "\\|")
    rows = ["| id | theorem | statement | beside the proof | no need of |", "|---|---|---|---|---|"]
    for one in all_pages():
        evidence = LETTER[one.claim.level] if one.derivation is None else f"S {LETTER[one.claim.level]}"
        rows.append(f"| {one.id} | {cell(one.title)} | {cell(one.claim.statement)} | {evidence} | {cell('; '.join(one.free))} |")
    return "\n".join(rows)


def _page_files() -> dict[str, str]:
    """Id -> file: t02_policy_gradient is the page of T02."""
    names = sorted(module.name for module in iter_modules(theorems.__path__) if re.match(r"t\d\d_", module.name))
    return {name[:3].upper(): name for name in names}


def claims_named(names: Iterable[str]) -> list[Claim]:
    """The claims meant by names: a claim (P043.C1), a paper (P043), a family (convergence), a theorem (T02), "theorems", or "all". Each once, in their order.

    Raises:
        InvalidArgument: a name means nothing; the text says what there is.
    """
    found: dict[str, Claim] = {}
    for name in names:
        for claim in _meant(name.strip()):
            found[claim.id] = claim
    return list(found.values())


def _meant(name: str) -> Iterable[Claim]:
    if name.casefold() == "all":
        return [*(claim for one in all_papers() for claim in one.claims), *_meant("theorems")]
    if name.casefold() == "theorems":
        return [one.claim for one in all_pages()]
    head, dot, _ = name.upper().partition(".")
    if head in paper_ids():
        claims = paper(head).claims
        chosen = [claim for claim in claims if not dot or claim.id == name.upper()]
        if not chosen:
            raise InvalidArgument(f"{head} has no claim {name!r}; it has {', '.join(claim.id for claim in claims)}.")
        return chosen
    if re.fullmatch(r"T\d\d", head):
        return [page(head).claim]
    families = {one.family for one in all_papers()}
    if name.casefold() in families:
        return [claim for one in all_papers() if one.family == name.casefold() for claim in one.claims]
    hint = did_you_mean(name, [*paper_ids(), *page_ids(), *families, "theorems", "all"], cutoff=0.5)
    there = f" There are {', '.join(paper_ids())}; the families {', '.join(sorted(families))}; theorems; and all."
    raise InvalidArgument(f"{name!r} is no claim, paper, family or theorem.{hint or there}")
