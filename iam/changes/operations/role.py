"""Make IAM roles, change their description and longest session, and delete them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from iam.changes.operations import trust
from iam.changes.operations.base import AccessEffect
from iam.changes.operations.facts import HOUR, EntityInMirror
from iam.changes.operations.lifecycle import (
    CreatePrincipal,
    Delete,
    NewPrincipalParams,
    account_quota,
    creation,
    removal,
)
from iam.changes.operations.params import Blank
from iam.changes.operations.principal_mentions import named_by
from iam.changes.operations.spec import HIGH, NORMAL, SERVICE_LINKED, OperationSpec, refuse
from iam.changes.operations.subject import OnSubject, SubjectParams
from iam.changes.risks import TRUST_OPENED
from iam.mirror.models import Account, EntityState, Kind

OTHER_ID: Final = (
    "A role recreated under this name has a new unique ID: resource-based policies and trust "
    "policies that name this role "
    "don’t apply to it."
)


@dataclass(frozen=True, slots=True)
class RoleSettings:
    """What UpdateRole sets; `max_session` is in seconds."""

    description: str = ""
    max_session: int = HOUR

    @classmethod
    def from_state(cls, state: EntityState | None) -> Self:
        attrs: Mapping[str, Any] = state.attrs if state else {}
        return cls(str(attrs.get("Description") or ""), int(attrs.get("MaxSessionDuration") or HOUR))

    @property
    def params(self) -> dict[str, str]:
        return {"description": self.description, "max_session": str(self.max_session)}


class NewRoleParams(NewPrincipalParams):
    """Also who may assume the role, what it is for, and its longest session in seconds."""

    trust: str
    description: Blank
    max_session: str


class CreateRole(CreatePrincipal):
    """Makes a role, with trust policy, boundary and tags from the first moment."""

    spec = creation(
        Kind.ROLE,
        state={
            "path": "path",
            "trust": "trust",
            "text": "trust",
            "boundary": "boundary",
            "tags": "tags",
            "description": "description",
            "max_session": "max_session",
        },
        parameters={
            "RoleName": "name",
            "Path": "path",
            "AssumeRolePolicyDocument": "trust",
            "MaxSessionDuration": "seconds",
            "Description": "description?",
            "PermissionsBoundary": "boundary?",
            "Tags": "tag_list?",
        },
        quota=account_quota("roles", name="RolesQuota", usual=1000),
    )

    inputs: NewRoleParams

    @classmethod
    def of(cls, account: Account, *more: Any, settings: RoleSettings | None = None, **rest: Any) -> Self:
        """The operation in an account; `trust` is the text of the trust policy, `boundary` the ARN of a
        managed policy."""
        return super().of(account, **((settings or RoleSettings()).params | rest))

    @property
    def seconds(self) -> int:
        return int(self.inputs.max_session)

    def refusal(self) -> str:
        if self.inputs.path.startswith(trust.SERVICE_LINKED):
            return "only AWS services create roles under /aws-service-role/."
        return trust.refusal_of(self.inputs.trust, account=self.account) or super().refusal()

    def notes(self) -> tuple[str, ...]:
        return tuple(trust.said_of("", self.inputs.trust))

    def risks(self) -> tuple[str, ...]:
        is_open = trust.is_open(self.inputs.trust, account=self.account, path=self.inputs.path)
        return (TRUST_OPENED,) if is_open else ()

    def sensitivity(self, effect: AccessEffect) -> str:
        return HIGH if self.risks() else NORMAL


class SettingsParams(SubjectParams):
    description: Blank
    max_session: str


class UpdateRole(OnSubject):
    spec = OperationSpec(
        slug="role.update",
        title="Change settings of role {name}",
        no_op="Role {name} already has these settings.",
        counted=("Update the settings of", "role"),
        state={"description": "description", "max_session": "max_session"},
        call="UpdateRole",
        parameters={"RoleName": "name", "Description": "description", "MaxSessionDuration": "seconds"},
        sentence="Sessions of {name} last {minutes} minutes at most",
        inverse="role.update",
    )

    initial = {"description": "", "max_session": HOUR}
    inputs: SettingsParams

    @property
    def seconds(self) -> int:
        return int(self.inputs.max_session)

    @property
    def minutes(self) -> str:
        return f"{self.seconds // 60:,}"

    def notes(self) -> tuple[str, ...]:
        """Also the longest session that it replaces."""
        role = self.subject()
        former_s = EntityInMirror(role).max_session_duration if role else 0
        if former_s in (0, self.seconds):
            return super().notes()
        return f"Until now: {former_s // 60:,} minutes at most.", *super().notes()


class DeleteRole(Delete):
    spec = removal(
        CreateRole.spec,
        requirements=(
            refuse(SERVICE_LINKED, "{name} is a service-linked role. Delete it as a service-linked role."),
        ),
        undo_caveat=(
            "It is recreated with a new unique ID: trust policies and resource-based policies that "
            "name it don’t apply to the new one. A limit of its sign-in sessions isn’t set again."
        ),
    )

    def effect(self) -> AccessEffect:
        role = self.subject()
        named = named_by(role) if role else ()
        notes = ("Running sessions of this role stop working.", *named, OTHER_ID)
        return AccessEffect(notes=notes, confidential=named)
