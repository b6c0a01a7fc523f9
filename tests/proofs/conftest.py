"""Which functions of the project a call executes."""

import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = tuple(f"{(ROOT / name)}/" for name in ("tabular", "deep", "proofs", "pgtheory"))
SHARED = ("tabular/models/", "tabular/policies/", "tabular/arrays.py", "tabular/errors.py", "tabular/scene.py")
"""What both sides of a claim may execute: models, policies and problems, the scene that holds them, and the validation at their door."""


@cache
def place_of(filename):
    """Path of a file within the project; None outside it, and for what both sides may share. Asked for at every call of a traced run: found once a file."""
    path = str(Path(filename).resolve())
    if not path.startswith(FOLDERS):
        return None
    name = Path(path).relative_to(ROOT).as_posix()
    return None if name.startswith(SHARED) else name


def place(code):
    """(file within the project, function) of a code object; None outside the project, and for what both sides may share."""
    name = place_of(code.co_filename)
    return None if name is None else (name, code.co_qualname, code.co_firstlineno)


@pytest.fixture
def executed():
    """Runs a call and returns the places of the project's functions that it executed."""

    def trace(call):
        found = set()

        def note(frame, event, arg):
            if event == "call" and (here := place(frame.f_code)) is not None:
                found.add(here)

        previous = sys.getprofile()
        sys.setprofile(note)
        try:
            call()
        finally:
            sys.setprofile(previous)
        return found

    return trace
