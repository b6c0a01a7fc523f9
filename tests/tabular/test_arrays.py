"""What arrays of all kinds share."""

import numpy as np
import pytest

from pgtheory.tabular.arrays import largest


@pytest.mark.parametrize("A", [1, 2, 16, 17])
def test_largest_entry_of_each_row_leaves_the_table_as_it_is(A):
    table = np.random.default_rng(0).normal(size=(50, A))
    table[3] = np.nan
    given = table.copy()

    np.testing.assert_array_equal(largest(table), table.max(axis=1))
    np.testing.assert_array_equal(table, given)
