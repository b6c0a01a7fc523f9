"""How a command ends that has no answer: with one text on standard error and, where JSON was asked for, the same as one object on standard output."""

import json
import sys
from typing import Any, NoReturn

from rich.console import Console

from pgtheory.tabular.errors import NotConverged, PgtheoryError

err = Console(stderr=True, highlight=False)

INTERRUPTED = 130
"""Exit code of a command that the user stopped."""


def usage(problem: BaseException) -> bool:
    """Whether it is an error of typer's parser. Its classes are those of click or of a copy inside typer, by version; all have this method."""
    return hasattr(problem, "format_message")


def exit_code(problem: BaseException) -> int:
    """3 where an iteration ran out of steps, 130 for an interrupt, else 2; never 1, which means refuted."""
    return 3 if isinstance(problem, NotConverged) else INTERRUPTED if isinstance(problem, KeyboardInterrupt) else 2


def described(problem: BaseException) -> dict[str, Any]:
    """The error in types that JSON knows: the name of its class and its text."""
    if isinstance(problem, KeyboardInterrupt):
        return {"type": "KeyboardInterrupt", "text": "interrupted"}
    if usage(problem):
        return {"type": "UsageError", "text": problem.format_message()}  # type: ignore[attr-defined]
    if isinstance(problem, MemoryError):
        return {
            "type": "MemoryError",
            "text": f"not enough memory: {problem or 'none is left'}. Take a smaller problem (fewer states, actions or successors).",
        }
    if isinstance(problem, PgtheoryError):
        return {"type": type(problem).__name__, "text": str(problem)}
    return {"type": type(problem).__name__, "text": f"unexpected {type(problem).__name__}: {problem}. Please report it with the command."}


def say(problem: BaseException, *, of: str = "") -> None:
    """One text on standard error, after the name of what failed if there were several."""
    if usage(problem):
        problem.show()  # type: ignore[attr-defined]  # with the usage of the command
        return
    told = described(problem)
    kind = f"{told['type']}: " if isinstance(problem, PgtheoryError) else ""
    err.print(f"{of}{': ' if of else ''}{kind}{told['text']}", markup=False, soft_wrap=True)


def fail(problem: BaseException) -> NoReturn:
    """End the process: `{"error": {"type": ..., "text": ...}, "exit_code": ...}` on standard output with --json, so that what reads it always reads one document."""
    say(problem)
    code = exit_code(problem)
    if "--json" in sys.argv[1:]:
        print(json.dumps({"error": described(problem), "exit_code": code}, indent=2))
    sys.exit(code)
