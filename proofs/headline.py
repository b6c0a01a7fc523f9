"""The main experiment of a paper, in small: a table, a picture, and the direction in which the numbers must point."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False, kw_only=True)
class Curve:
    """A line of the picture.

    Attributes:
        label: its name in the legend.
        x, y: the points.
        dashed: how it is drawn.
        group: lines of one group have one colour; default: a colour of its own.
        wide: drawn as a broad pale band, for a line on which others lie.
    """

    label: str
    x: np.ndarray
    y: np.ndarray
    dashed: bool = False
    group: str = ""
    wide: bool = False


@dataclass(frozen=True, eq=False, kw_only=True)
class Panel:
    """One set of axes: curves, names of the axes, and which axes are logarithmic ("", "x", "y", "xy")."""

    title: str
    curves: Sequence[Curve]
    x: str
    y: str
    log: str = ""


@dataclass(frozen=True, eq=False, kw_only=True)
class Result:
    """What the experiment found.

    Attributes:
        columns, rows: the table.
        panels: the picture.
        expected: each sentence about the direction -> whether it came out so.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    panels: Sequence[Panel]
    expected: Mapping[str, bool]


@dataclass(frozen=True, eq=False, kw_only=True)
class Headline:
    """The question of the experiment, and how it is run; `run` is given a function that takes a line of progress."""

    question: str
    run: Callable[[Callable[[str], None]], Result]
    needs: tuple[str, ...] = field(default=())
