"""An attribute that is computed once."""

from pgtheory.tabular.dynamics.lazy import once


class Counted:
    calls = 0

    @once
    def number(self) -> int:
        """How often it was computed."""
        self.calls += 1
        return self.calls


def test_attribute_is_computed_once_an_object():
    one, other = Counted(), Counted()

    assert (one.calls, one.number, one.number, one.calls, other.number) == (0, 1, 1, 1, 1)
    assert isinstance(Counted.number, once) and Counted.number.__doc__ == "How often it was computed."
