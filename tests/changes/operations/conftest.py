"""The stage on which each operation is tried."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest
from botocore.exceptions import ClientError

from tests.changes.conftest import Scene
from tests.changes.operations.stage import Stage


@pytest.fixture
def stage(scene: Scene) -> Iterator[Stage]:
    """See Stage. A password policy that a test leaves behind would bind the passwords of the next."""
    yield Stage(scene)
    scene.standin.control("faults/clear", {})
    with suppress(ClientError):
        scene.aws.iam.delete_account_password_policy()
