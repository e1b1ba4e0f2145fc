"""The operations on users, groups, roles, instance profiles and what names them; a new one is added here by hand."""

from __future__ import annotations

from typing import Final

from iam.changes.operations.base import Operation
from iam.changes.operations.user import CreateUser, DeleteUser, UpdateUser

PRINCIPALS: Final[tuple[type[Operation], ...]] = (CreateUser, UpdateUser, DeleteUser)
