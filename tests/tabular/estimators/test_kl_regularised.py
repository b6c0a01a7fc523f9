"""KL-regularised weights: what is refused. That they estimate what they should is P025.C1."""

import pytest

from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.estimators.kl_regularised import KLRegularised


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ({"divergence": "jensen", "beta": 0.1}, "reverse unnormalised"),
        ({"divergence": "reverse", "beta": -0.1}, "beta is -0.1"),
        ({"divergence": "reverse", "beta": float("nan")}, "beta is nan"),
        ({"divergence": "reverse", "beta": 0.1, "mass": 2.0}, "mass is 2.0"),
        ({"divergence": "reverse unnormalised", "beta": 0.1, "mass": 0.0}, "mass is 0.0"),
    ],
)
def test_bad_parameters_are_refused(parts, text):
    with pytest.raises(InvalidArgument, match=text):
        KLRegularised(**parts)
