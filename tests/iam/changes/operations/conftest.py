"""The stage on which each operation is tried."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.iam.changes.conftest import Scene
from tests.iam.changes.operations.stage import Stage


@pytest.fixture
def stage(scene: Scene) -> Iterator[Stage]:
    """See Stage."""
    yield Stage(scene)
    scene.standin.control("faults/clear", {})
