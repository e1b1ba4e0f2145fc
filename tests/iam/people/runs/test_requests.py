"""Batches keep what belongs together in one request."""

from __future__ import annotations

import pytest

from iam.people.runs.requests import batches


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([], []),
        ([1, 1, 1], [[1, 1, 1]]),
        ([2, 2, 1], [[2], [2, 1]]),
        ([5, 1], [[5], [1]]),
        ([1, 5], [[1], [5]]),
    ],
)
def test_an_item_is_never_divided_and_no_batch_is_empty(items: list[int], expected: list[list[int]]) -> None:
    assert [list(batch) for batch in batches(items, size=int, most=3)] == expected
