"""The command about many runs: `pgtheory sweep`."""

import json
import math
import os
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar
from rich.table import Table

from pgtheory.cli import app, err, out


@app.command()
def sweep(
    path: Annotated[Path, typer.Argument(help="File of results, one line of JSON a run; a sweep that was stopped goes on from it.")],
    update: Annotated[list[str], typer.Option(help="gradient, normalised, natural, mirror or momentum; may be repeated.")],
    problem: Annotated[list[str], typer.Option(help="Named problem; may be repeated.")],
    step: Annotated[list[float], typer.Option(help="Step size; may be repeated.")],
    seeds: Annotated[int, typer.Option(help="Random first points of each combination.")] = 1,
    spread: Annotated[float, typer.Option(help="Standard deviation of the first logits; 0: uniform policy.")] = 1.0,
    steps: Annotated[int, typer.Option(help="Steps of each run.")] = 1000,
    workers: Annotated[int, typer.Option(help="Processes; default one a core.")] = os.cpu_count() or 1,
    scheduler: Annotated[str | None, typer.Option(help="Address of a dask cluster to run on instead.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Run every combination of updates, problems, step sizes and seeds; results do not depend on the number of workers."""
    from pgtheory.sweeping import Progress, cells
    from pgtheory.sweeping import sweep as run

    plan = cells(update, problem, step, seeds, steps=steps, spread=spread)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[left]}"))
    with Bar(*columns, console=err, disable=as_json or not err.is_terminal) as bar:
        task = bar.add_task("runs", total=len(plan), left="")

        def report(now: Progress) -> None:
            begins = math.isnan(now.left)
            bar.update(task, completed=now.done, left="" if begins else f"about {now.left:.0f} s left")
            if begins and now.done:
                err.print(f"{now.done} of {now.total} runs are in {path} already.", markup=False, soft_wrap=True)

        try:
            found = run(plan, path, workers=workers, scheduler=scheduler, progress=report)
        except KeyboardInterrupt:
            err.print(
                f"{bar.tasks[0].completed:g} of {len(plan)} runs are in {path}; the same command goes on from there.", markup=False, soft_wrap=True
            )
            raise
    if as_json:
        print(json.dumps(found, indent=2))
    else:
        out.print(table(found))
        for reason in dict.fromkeys(record["error"] for record in found if "error" in record):
            err.print(reason, markup=False, soft_wrap=True)
    raise typer.Exit(3 if any("error" in record for record in found) else 0)


def table(found: list[dict[str, Any]]) -> Table:
    """A line a combination: the median of the last gap over its seeds, and the rates that were found."""
    rows: dict[tuple, list[dict[str, Any]]] = {}
    for record in found:
        cell = record["cell"]
        rows.setdefault((cell["update"], cell["problem"], cell["step"]), []).append(record)
    listing = Table(box=None, pad_edge=False)
    for name in ("update", "problem", "step", "runs", "median gap", "rates"):
        listing.add_column(name, justify="right" if name in ("step", "runs", "median gap") else "left")
    for (update, problem, step), records in rows.items():
        gaps = sorted(record["gap"][-1] for record in records if "gap" in record)
        kinds = [record.get("rate", "error") for record in records]
        rates = ", ".join(f"{kinds.count(kind)} {kind}" for kind in sorted(set(kinds)))
        listing.add_row(update, problem, f"{step:g}", str(len(records)), f"{gaps[len(gaps) // 2]:.3e}" if gaps else "-", rates)
    return listing
