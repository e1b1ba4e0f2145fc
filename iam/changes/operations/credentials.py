"""The operations on the credentials of users."""

from __future__ import annotations

from typing import Final

from iam.changes.operations.access_key import ActivateAccessKey, DeactivateAccessKey, DeleteAccessKey
from iam.changes.operations.base import Operation
from iam.changes.operations.login_profile import DeleteLoginProfile

CREDENTIALS: Final[tuple[type[Operation], ...]] = (
    DeactivateAccessKey,
    ActivateAccessKey,
    DeleteAccessKey,
    DeleteLoginProfile,
)
