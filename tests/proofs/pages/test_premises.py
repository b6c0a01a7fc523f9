"""A counterexample drops one premise and no other, and the conclusion fails on it."""

import pytest

from pgtheory.proofs.claim import Case
from pgtheory.proofs.pages.premises import by_hand, holding, without
from pgtheory.tabular.errors import InvalidArgument

PREMISES = {"x is positive": lambda case: case.x > 0, "y is positive": lambda case: case.y > 0}
PRODUCT_FAILS = lambda case: case.x * case.y <= 0


def given(x, y):
    return by_hand({name: lambda: Case("by hand", x=x, y=y) for name in PREMISES}, PREMISES, PRODUCT_FAILS)["x is positive"]


def test_case_by_hand_is_handed_on_as_it_is():
    assert (given(-1, 2)().x, given(-1, 2)().label) == (-1, "by hand")


@pytest.mark.parametrize(
    ("x", "y"), [(1, 2), (1, -2), (-1, -2)], ids=["all premises hold", "another premise is dropped", "two are dropped, and the conclusion holds"]
)
def test_case_by_hand_that_proves_nothing_is_refused(x, y):
    with pytest.raises(InvalidArgument, match="'by hand' is no counterexample without the premise 'x is positive'"):
        given(x, y)()


def test_idle_premise_is_named():
    premises = {**PREMISES, "x is not 7": lambda case: case.x != 7}
    stream = lambda: (Case("a case", x=x, y=1) for x in range(1, 9))

    with pytest.raises(InvalidArgument, match="without the premise 'x is not 7'"):
        without("x is not 7", stream, premises, PRODUCT_FAILS)


def test_too_few_cases_are_refused():
    with pytest.raises(InvalidArgument, match="only 2 satisfy x is positive, y is positive"):
        holding((Case("a case", x=x, y=1) for x in range(3)), PREMISES, 3)
