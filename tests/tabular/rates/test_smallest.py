"""The smallest problem that refutes a conjecture."""

from dataclasses import replace

import numpy as np
import pytest

from pgtheory.tabular.models.classic import lock
from pgtheory.tabular.rates.registry import THEOREMS
from pgtheory.tabular.rates.smallest import smallest_violation

LOCK = THEOREMS["lock-plateau"]


def conjecture(bound):
    """The gap of softmax gradient ascent with step 1 is at most `bound(t)`."""
    return replace(LOCK, bound=lambda run, k: np.full(run.value.shape, bound), quantity=lambda run: run.gap, side="upper")


@pytest.mark.parametrize("family", ["lock", lock])
def test_smallest_lock_that_is_not_open_after_50_steps(family):
    """ "The gap is below 1/2 after 50 steps": true for locks of up to some length; the first for which it is not is found, and it is the first."""
    found = smallest_violation(conjecture(0.5), family, range(1, 20), 50)

    assert found is not None
    assert found.quantity > found.bound == 0.5
    assert smallest_violation(conjecture(0.5), family, range(1, found.size), 50) is None
    # By hand: 1/J falls by at most 2 H a step, so that a lock with 2^H - 100 H > 2 is shut for certain; and the found one is not longer than the first of these.
    assert found.size <= next(H for H in range(1, 20) if 2**H - 100 * H > 2)


def test_theorem_itself_is_never_violated():
    assert smallest_violation(LOCK, "lock", range(1, 12), 30) is None
