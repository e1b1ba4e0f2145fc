"""The operations on what an account has beside principals and policies; a new one is added here by hand."""

from __future__ import annotations

from typing import Final

from iam.changes.operations.account_alias import CreateAlias, DeleteAlias
from iam.changes.operations.base import Operation
from iam.changes.operations.password_policy import DeletePasswordPolicy, UpdatePasswordPolicy

ACCOUNT_WIDE: Final[tuple[type[Operation], ...]] = (
    CreateAlias,
    DeleteAlias,
    UpdatePasswordPolicy,
    DeletePasswordPolicy,
)
