"""What somebody may have meant who misspelt a name."""

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(name: str, known: Iterable[str], *, cutoff: float = 0.6) -> str:
    """The known names that look like `name`, at most three, as a sentence after a space; empty where none does.

    Args:
        name: what was given.
        known: what there is.
        cutoff: likeness from 0 to 1 that is asked for.

    >>> did_you_mean("natrual", ["natural", "mirror"])
    " Did you mean 'natural'?"
    >>> did_you_mean("newton", ["natural", "mirror"]) or " There are: natural, mirror."
    ' There are: natural, mirror.'
    """
    near = get_close_matches(name, known, n=3, cutoff=cutoff)
    return f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
