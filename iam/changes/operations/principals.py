"""The operations on users, groups, roles, instance profiles and what names them; a new one is added here by hand."""

from __future__ import annotations

from typing import Final

from iam.changes.operations.base import Operation
from iam.changes.operations.boundary import DeleteBoundary, PutBoundary
from iam.changes.operations.group import CreateGroup, DeleteGroup, UpdateGroup
from iam.changes.operations.instance_association import (
    AssociateProfile,
    DisassociateProfile,
    ReplaceProfile,
)
from iam.changes.operations.instance_profile import CreateInstanceProfile, DeleteInstanceProfile
from iam.changes.operations.profile_role import AddRoleToProfile, RemoveRoleFromProfile
from iam.changes.operations.role import CreateRole, DeleteRole, UpdateRole
from iam.changes.operations.role_sessions import RevokeSessions
from iam.changes.operations.service_linked_role import CreateServiceLinkedRole, DeleteServiceLinkedRole
from iam.changes.operations.tags import SetTags
from iam.changes.operations.trust_policy import ReplaceTrustPolicy
from iam.changes.operations.user import CreateUser, DeleteUser, UpdateUser

PRINCIPALS: Final[tuple[type[Operation], ...]] = (
    CreateUser,
    UpdateUser,
    DeleteUser,
    PutBoundary,
    DeleteBoundary,
    SetTags,
    CreateGroup,
    UpdateGroup,
    DeleteGroup,
    CreateRole,
    UpdateRole,
    DeleteRole,
    ReplaceTrustPolicy,
    RevokeSessions,
    CreateServiceLinkedRole,
    DeleteServiceLinkedRole,
    CreateInstanceProfile,
    DeleteInstanceProfile,
    AddRoleToProfile,
    RemoveRoleFromProfile,
    AssociateProfile,
    ReplaceProfile,
    DisassociateProfile,
)
