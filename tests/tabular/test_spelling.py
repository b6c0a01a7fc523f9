"""What somebody may have meant."""

from pgtheory.tabular.spelling import did_you_mean

KNOWN = ["natural", "natural-entropy", "mirror", "naturalist", "naturally"]


def test_at_most_three_names_that_look_alike_nearest_first():
    text = did_you_mean("natrual", KNOWN)

    assert text.startswith(" Did you mean 'natural' or ")
    assert text.endswith("?")
    assert text.count("'") == 6


def test_nothing_where_no_name_is_near_enough():
    assert did_you_mean("newton", KNOWN) == ""
    assert did_you_mean("mirr", KNOWN) == " Did you mean 'mirror'?"
    assert did_you_mean("mirr", KNOWN, cutoff=0.9) == ""
