"""The command about rates: `pgtheory rate`."""

import json
from typing import Annotated

import typer

from pgtheory.cli import Picture, app, array, out, progress, saved


@app.command()
def rate(
    update: Annotated[
        str,
        typer.Argument(
            help="Built-in update (gradient, natural, mirror, projected, ...), or file.py:function, theta -> theta; with --optimiser a loss."
        ),
    ],
    problem: Annotated[
        str | None, typer.Option(help="Named problem, Gymnasium id, or a .npz/.json file; default one that suits the theorem.")
    ] = None,
    theorem: Annotated[str | None, typer.Option(help="Name or id of a theorem; default that of a built-in update.")] = None,
    steps: Annotated[int | None, typer.Option(help="Number of steps; default as many as show the rate on the default problem, else 1000.")] = None,
    gamma: Annotated[float | None, typer.Option(help="Another discount.")] = None,
    theta: Annotated[str | None, typer.Option(help="First point as a Python list; default that of the theorem.")] = None,
    optimiser: Annotated[
        str | None, typer.Option(help="UPDATE is a loss, trained exactly by this torch optimiser: sgd, adam, adamw, rmsprop.")
    ] = None,
    learning_rate: Annotated[float, typer.Option(help="Learning rate of the optimiser.")] = 0.1,
    group: Annotated[int, typer.Option(help="Completions a prompt that the loss sees.")] = 4,
    plot: Picture = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Run an update with exact gradients: the rate that its gaps show, beside the bound of a theorem with all its constants."""
    from pgtheory.rating import LARGE, rate_picture
    from pgtheory.rating import rate as rated

    target: object = update
    if optimiser is not None:
        from pgtheory.tabular.models.problems import problem as problem_named
        from pgtheory.training import training_step

        problem = problem or LARGE
        target = training_step(update, problem_named(problem), optimiser=optimiser, learning_rate=learning_rate, group=group)
    with progress(f"running {update}", quiet=as_json) as say:
        found = rated(
            target, name=update.rpartition(":")[2] + (f" by {optimiser}" if optimiser else ""), problem=problem, theorem=theorem, steps=steps, gamma=gamma, theta=None if theta is None else array(theta),
            progress=lambda state: say(f"step {state.t}"),
        )  # fmt: skip
    if plot is not None:
        saved(rate_picture(found), plot)
    if as_json:
        print(json.dumps(found.to_dict(), indent=2))
    else:
        out.print(found.as_rich())
    raise typer.Exit(found.exit_code)
