"""Whether the order of the rows matters."""

import numpy as np
import pytest

from pgtheory.functions.binding import bind
from pgtheory.functions.invariance import invariant


def first_of_the_best(rewards, mask):
    """Ties go to the first row: only data sets with ties show it."""
    return (np.arange(len(rewards)) == rewards.argmax()) * (rewards - np.sort(rewards)[-2] + 1)


def micro_batches(rewards):
    """Two micro-batches of three rows, each with a mean of its own: neighbours within a group stay together, groups do not mix."""
    halves = rewards.reshape(2, -1)
    return (halves - halves.mean(axis=1, keepdims=True)).ravel()


def split_groups(rewards):
    """Micro-batches that cut through the groups."""
    parts = rewards.reshape(3, 2)
    return (parts - parts.mean(axis=1, keepdims=True)).ravel()


def row_number(rewards):
    return rewards * np.arange(len(rewards))


def middle_row(rewards):
    """The same read backwards."""
    return rewards * np.array([1, 2, 1, 1, 2, 1])


@pytest.mark.parametrize(("target", "expected"), [("trl_names:grpo", True), ("advantages:standardised", True), ("verl_names:grpo_advantage", True)])
def test_symmetric_functions(probe, load, target, expected):
    assert invariant(bind(load(target), probe), *probe("tokens")) is expected


@pytest.mark.parametrize(
    ("function", "expected"), [(first_of_the_best, False), (micro_batches, True), (split_groups, False), (row_number, False), (middle_row, False)]
)
def test_functions_that_look_at_the_order(probe, function, expected):
    """Micro-batches of whole groups do not depend on the order within a group."""
    assert invariant(bind(function, probe, kind="advantage"), *probe("tokens")) is expected
