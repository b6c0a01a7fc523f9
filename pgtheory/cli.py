"""The command line: `pgtheory check`, `pgtheory solve`; the others are in `claim_commands.py`, `rate_commands.py` and `sweep_commands.py`."""

import ast
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from pgtheory.failing import INTERRUPTED, described, err, fail, say
from pgtheory.pipes import unread_stdout
from pgtheory.tabular.errors import InvalidArgument, PgtheoryError

app = typer.Typer(
    name="pgtheory", help="Exact ground truth for policy gradients. Exit codes: 0 holds, 1 refuted, 2 bad use, 3 undecided or not checked.",
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None,
)  # fmt: skip

out = Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=150)


@app.callback()
def root() -> None:
    """Exact ground truth for policy gradients."""


def setting(text: str) -> tuple[str, Any]:
    """NAME=VALUE as a pair; the value is a Python literal if it is one, else text.

    Raises:
        InvalidArgument: there is no `=`.
    """
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise InvalidArgument(f"--set {text!r} is not of the form NAME=VALUE.")
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return name, {"true": True, "false": False, "none": None}.get(value.lower(), value)


@contextmanager
def progress(title: str, *, quiet: bool) -> Iterator[Callable[[str], None]]:
    """A line on the terminal that says what is being done; nothing without a terminal."""
    if quiet or not err.is_terminal:
        yield lambda _: None
        return
    with err.status(title) as status:
        yield lambda text: status.update(f"{title}: {text}")


def ready_to_plot(path: Path | None) -> Path | None:
    """Find out before the work whether a picture can be written, where one is asked for: the file is opened, and removed again if it was not there.

    Raises:
        InvalidArgument: the folder does not exist, the ending is no picture's, or the file cannot be written.
        MissingExtra: matplotlib is not installed.
    """
    if path is None:
        return None
    from pgtheory.plots import pyplot

    plt = pyplot()
    figure = plt.figure()
    endings = figure.canvas.get_supported_filetypes()
    plt.close(figure)
    if not path.parent.is_dir():
        raise InvalidArgument(f"--plot {path}: there is no folder {str(path.parent)!r}.")
    if path.suffix.lstrip(".") not in endings:
        raise InvalidArgument(f"--plot {path}: the ending is none of {', '.join(sorted(endings))}.")
    try:
        new = not path.exists()
        path.open("ab").close()
        if new:
            path.unlink()
    except OSError as problem:
        raise unwritable(path, problem) from None
    return path


def unwritable(path: Path, problem: OSError) -> InvalidArgument:
    """The error of a picture that cannot be written."""
    return InvalidArgument(f"--plot {path}: the picture cannot be written there ({problem.strerror}). Give another path.")


Picture = Annotated[Path | None, typer.Option("--plot", help="Write a picture to this file (.png, .svg, .pdf).", callback=ready_to_plot)]
"""The option --plot of every command: refused before any work if it cannot be had."""


@app.command()
def check(
    targets: Annotated[
        list[str] | None,
        typer.Argument(help="Built-in name, file.py:function or package.module:function; none: all built-in estimators.", show_default=False),
    ] = None,
    problem: Annotated[str | None, typer.Option(help="Named problem, .npz/.json file, or world:ID; default: the default worlds.")] = None,
    objective: Annotated[str | None, typer.Option(help="Objective whose gradient is wanted: J, pass@4, E[max of 2], log p, ...")] = None,
    gamma: Annotated[float | None, typer.Option(help="Discount of the problem.")] = None,
    group: Annotated[int | None, typer.Option(help="Completions a prompt.")] = None,
    theta: Annotated[str | None, typer.Option(help="Logits of the current policy as a Python list.")] = None,
    horizon: Annotated[int | None, typer.Option(help="Steps after which episodes end.")] = None,
    as_: Annotated[str | None, typer.Option("--as", help="loss, gradient or advantage, where the return type does not decide.")] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", help="NAME=VALUE of a parameter that is not data; may be repeated.")] = None,
    convention: Annotated[str | None, typer.Option(help="Preset of argument names: trl, verl, openrlhf, batch.")] = None,
    advantage: Annotated[str | None, typer.Option(help="A separate advantage function, file.py:function, composed with the loss.")] = None,
    micro_batch: Annotated[
        int | None, typer.Option(help="Rows of a micro-batch: the function is called on each, and the results are averaged.")
    ] = None,
    drawn: Annotated[int | None, typer.Option(help="Prompts drawn at random for a batch; default: every prompt once.")] = None,
    up_to_scale: Annotated[bool, typer.Option("--up-to-scale", help="Accept any positive constant.")] = False,
    compare: Annotated[bool, typer.Option("--compare", help="Compare the laws of two targets.")] = False,
    time_limit: Annotated[float, typer.Option(help="Seconds that one call of the function may take.")] = 10.0,
    plot: Picture = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """An exact verdict on estimators: unbiased for what, at which variance, and where it goes wrong."""
    options: dict[str, Any] = {
        "problem": problem, "group": group, "kind": as_, "settings": dict(map(setting, settings or [])), "convention": convention,
        "advantage": advantage, "time_limit": time_limit,
    }  # fmt: skip
    if not targets:
        raise typer.Exit(check_all(plot, as_json))
    if compare:
        if plot is not None:
            raise InvalidArgument("--compare draws no picture. Leave out --plot, or --compare.")
        raise typer.Exit(compare_two(targets, options, as_json))
    from pgtheory.checking import check as check_one
    from pgtheory.report import as_rich

    logits = None if theta is None else array(theta)
    found: dict[str, Any] = {}
    failed: dict[str, PgtheoryError] = {}
    for target in targets:
        with progress(f"checking {target}", quiet=as_json) as tell:
            try:
                found[target] = check_one(
                    target,
                    objective=objective,
                    gamma=gamma,
                    theta=logits,
                    horizon=horizon,
                    up_to_scale=up_to_scale,
                    micro_batch=micro_batch,
                    drawn=drawn,
                    progress=tell,
                    **options,
                )
            except PgtheoryError as reason:
                if len(targets) == 1:
                    raise
                say(reason, of=target)
                failed[target] = reason
                continue
        if not as_json:
            out.print(as_rich(found[target]))
            out.print()
    if plot is not None and found:
        from pgtheory.plots import verdict_picture

        saved(verdict_picture(next(iter(found.values()))), plot)
    if as_json:
        rows = [found[target].to_dict() if target in found else {"name": target, "error": described(failed[target])} for target in targets]
        print(json.dumps(rows if len(targets) > 1 else rows[0], indent=2))
    raise typer.Exit(2 if failed else worst(v.exit_code for v in found.values()))


def worst(codes: Iterable[int]) -> int:
    """One exit code for several verdicts: a refutation before an undecided one, that before an acquittal."""
    found = set(codes)
    return next(code for code in (1, 3, 0) if code in found)


def check_all(plot: Path | None, as_json: bool) -> int:
    """The table of all built-in estimators; 0 iff each gets the verdict that it declares."""
    from pgtheory.table import as_table, rows

    found = []
    with progress("checking the built-in estimators", quiet=as_json) as say:
        for row in rows(lambda name, i, n: say(f"{i + 1} of {n}, {name}")):
            found.append(row)
    wrong = [row for row in found if not row.agrees]
    if plot is not None:
        from pgtheory.plots import table_picture

        saved(table_picture(found), plot)
    if as_json:
        print(json.dumps({"agrees": not wrong, "estimators": [row.to_dict() for row in found]}, indent=2))
    else:
        out.print(as_table(found))
        print(f"\n{len(found) - len(wrong)} of {len(found)} estimators got the verdict that they declare.")
        print("One in detail: pgtheory check group-std.   Yours: pgtheory check path/to/file.py:function")
    return 1 if wrong else 0


def compare_two(targets: list[str], options: dict[str, Any], as_json: bool) -> int:
    """Compare two targets.

    Raises:
        InvalidArgument: there are not two.
    """
    from pgtheory.comparing import compare

    if len(targets) != 2:
        raise InvalidArgument(f"--compare takes two targets, not {len(targets)}.")
    with progress("comparing", quiet=as_json):
        found = compare(*targets, **options)
    if as_json:
        print(json.dumps(found.to_dict(), indent=2))
    else:
        out.print({True: "SAME LAW", False: "DIFFERENT", None: "UNDECIDED"}[found.same] + "  " + found.text)
        for row in found.worlds:
            out.print(f"  {row['world']:<44} equal {row['equal']:<14} total variance {row['variances'][0]:.6g} against {row['variances'][1]:.6g}")
    return found.exit_code


@app.command()
def solve(
    problem: Annotated[str, typer.Argument(help="Named problem, Gymnasium id, or a .npz/.json file.")],
    gamma: Annotated[float | None, typer.Option(help="Another discount.")] = None,
    method: Annotated[
        str | None,
        typer.Option(
            help="policy-iteration, modified-policy-iteration, gauss-seidel, inexact-policy-iteration, value-iteration or linear-programming; none: chosen by structure."
        ),
    ] = None,
    tolerance: Annotated[float | None, typer.Option(help="Proven error of the value; none: as small as the method makes it.")] = None,
    criterion: Annotated[str, typer.Option(help="return, or average: the average reward of a model that never ends.")] = "return",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    every_state: Annotated[bool, typer.Option("--all", help="In the JSON of a large problem, too, value and policy of every state.")] = False,
) -> None:
    """The exact solution of a model: optimal value and policy with certified bounds, and the uniform policy beside it."""
    from pgtheory.solving import solve_problem

    with progress(f"solving {problem}", quiet=as_json):
        found = solve_problem(problem, gamma=gamma, method=method, tolerance=tolerance, criterion=criterion)
    if as_json:
        print(json.dumps(found.to_dict(every_state=every_state), indent=2))
    else:
        out.print(found.as_rich())
    raise typer.Exit(0 if found.proven else 3)


def array(text: str) -> Any:
    """A Python list as an array.

    Raises:
        InvalidArgument: it is none.
    """
    import numpy as np

    try:
        return np.array(ast.literal_eval(text), dtype=float)
    except (ValueError, SyntaxError, TypeError):
        raise InvalidArgument(f"--theta {text!r} is no list of numbers. Give one as in --theta '[[0, 1], [0.5, 0]]'.") from None


def saved(figure: Any, path: Path) -> None:
    """Write a figure.

    Raises:
        InvalidArgument: the file cannot be written.
    """
    try:
        figure.savefig(path, dpi=150)
    except OSError as problem:
        raise unwritable(path, problem) from None
    err.print(f"wrote {path}")


@unread_stdout()
def main() -> None:
    """Entry point: the library's errors become one text and exit code 2 (3 where an iteration ran out of steps); so does wrong usage."""
    try:
        code = app(standalone_mode=False) or 0
        if code == INTERRUPTED:  # what typer makes of it
            raise KeyboardInterrupt
    except (Exception, KeyboardInterrupt) as problem:  # never a code that means `refuted`
        fail(problem)
    sys.exit(code)


from pgtheory import claim_commands, rate_commands, sweep_commands  # noqa: E402, F401  # they register their commands on `app`, which must exist by then

if __name__ == "__main__":
    from pgtheory.cli import main as run  # not this second copy of the module, which has only half of the commands

    run()
