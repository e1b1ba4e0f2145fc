"""A small AWS for the tests that read it, and nothing left over in the process from one test to the next."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from iam.mirror import snapshot
from tests.iam.mirror.pull.conftest import account, pull, world

__all__ = ["account", "pull", "world"]


@pytest.fixture(autouse=True)
def _nothing_is_kept() -> Iterator[None]:
    """Rows of a test go with its transaction, and what was made of them with it."""
    snapshot.forget()
    yield
    snapshot.forget()
