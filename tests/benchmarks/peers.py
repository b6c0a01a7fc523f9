"""Figures of solvers that are not installed for this benchmark, measured once on another machine; they are scaled by the bandwidth of the memory, and marked so."""

BANDWIDTH = 31.0
"""GB/s of the triad on the machine where these were measured."""

NOTED = {
    "garnet/100": ("storm", 1.6e-3),
    "garnet/100000": ("madupite", 0.9),
    "lake/32": ("storm", 4.4e-3),
    "lake/100": ("storm", 0.051),
    "lake/316": ("storm", 1.6),
    "queue/1000": ("storm", 0.028),
    "dense/1000": ("madupite", 0.024),
    "dense/4000": ("madupite", 0.33),
}
"""Cell -> the faster of storm 2.0 (sound value iteration, policy iteration) and madupite (GMRES policy iteration; its error of V could not be checked: 5e-7 or less)."""


def scaled(cell: str, triad: float) -> tuple[str, float] | None:
    """Name and seconds on a machine with this bandwidth."""
    if cell not in NOTED:
        return None
    name, seconds = NOTED[cell]
    return name, seconds * BANDWIDTH / triad
