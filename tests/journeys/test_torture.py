"""A small torture of the change pipeline on PostgreSQL and Redis; `make bench` has the one of 2,000
changes.
"""

from __future__ import annotations

import pytest

from tests.bench.changes.site import why_missing
from tests.bench.changes.torture import torture


def test_whatever_breaks_each_change_is_applied_once_or_ends_with_a_reason() -> None:
    if reason := why_missing():
        pytest.skip(f"torture of changes ({reason})")

    torture_outcome = torture(changes=24, accounts=2, every=1.0, longest=240, breaks_for=45)

    assert torture_outcome.problems() == []
    assert torture_outcome.applied >= 18
    assert sum(torture_outcome.done.values()) >= 2, torture_outcome.done
