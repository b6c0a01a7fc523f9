"""The commands about papers and theorems: `pgtheory verify`, `pgtheory papers`, `pgtheory reproduce`."""

import json
from typing import Annotated

import typer

from pgtheory.cli import Picture, app, out, progress, saved


@app.command()
def verify(
    names: Annotated[
        list[str] | None, typer.Argument(help="Claims (P043.C1), papers (P043), families, theorems (T02), or all (the default).", show_default=False)
    ] = None,
    cases: Annotated[bool, typer.Option("--cases", help="Show every case, every dropped assumption and every mutant.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Re-check claims and theorems: both sides on every case, that each fails without its assumptions, and what the proof kernel says."""
    from pgtheory.verifying import verify as check_claims

    with progress("verifying", quiet=as_json) as say:
        found = check_claims(names or [], say)
    if as_json:
        print(json.dumps(found.to_dict(), indent=2))
    else:
        out.print(found.detail() if cases else found.as_rich())
    raise typer.Exit(found.exit_code)


@app.command()
def papers(
    id: Annotated[str | None, typer.Argument(help="A paper, such as P043; none: the index.", show_default=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """The index of papers: claims, code, main experiment. Their status is `pgtheory verify`."""
    from pgtheory.verifying import paper_rows, papers_dict, papers_rich

    found = paper_rows(id)
    if as_json:
        print(json.dumps(papers_dict(found), indent=2))
    else:
        out.print(papers_rich(found, alone=id is not None))


@app.command()
def reproduce(
    id: Annotated[str, typer.Argument(help="A paper, such as P043.")],
    plot: Picture = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """The main experiment of a paper in small: table, picture, and whether the numbers point where the paper says."""
    from pgtheory.reproducing import draw
    from pgtheory.reproducing import reproduce as run

    with progress(f"reproducing {id}", quiet=as_json) as say:
        found = run(id, say)
    if plot is not None:
        saved(draw(found), plot)
    if as_json:
        print(json.dumps(found.to_dict(), indent=2))
    else:
        out.print(found.as_rich())
    raise typer.Exit(found.exit_code)
