"""The stage on which each operation is tried."""

from __future__ import annotations

import pytest

from tests.changes.conftest import Scene
from tests.changes.operations.stage import Stage


@pytest.fixture
def stage(scene: Scene) -> Stage:
    """See Stage."""
    return Stage(scene)
