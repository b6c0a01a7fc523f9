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
    problem: Annotated[str, typer.Option(help="Named problem, Gymnasium id, or a .npz/.json file.")] = "sparse-garnet/S=10,A=4,b=3,gamma=0.9,seed=0",
    theorem: Annotated[str | None, typer.Option(help="Name or id of a theorem; default that of a built-in update.")] = None,
    steps: Annotated[int, typer.Option(help="Number of steps.")] = 1000,
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
    from pgtheory.functions.load import load_target
    from pgtheory.rating import BUILTIN, rate_picture
    from pgtheory.rating import rate as rated

    target: object = update if update in BUILTIN or ":" not in update else load_target(update)[0]
    if optimiser is not None:
        from pgtheory.tabular.models.problems import problem as problem_named
        from pgtheory.training import training_step

        loss = target if callable(target) else update
        target = training_step(loss, problem_named(problem), optimiser=optimiser, learning_rate=learning_rate, group=group)
    with progress(f"running {update}", quiet=as_json) as say:
        found = rated(
            target, name=update.rpartition(":")[2] + (f" by {optimiser}" if optimiser else ""), problem=problem, theorem=theorem, steps=steps, gamma=gamma, theta=None if theta is None else array(theta),
            progress=lambda state: say(f"step {state.t} of {steps}"),
        )  # fmt: skip
    if as_json:
        print(json.dumps(found.to_dict(), indent=2))
    else:
        out.print(found.as_rich())
    if plot is not None:
        saved(rate_picture(found), plot)
    raise typer.Exit(found.exit_code)
