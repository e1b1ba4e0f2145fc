"""Create, rename, change and delete IAM users, groups and roles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Self
from uuid import UUID

from iam.aws.session import Aws
from iam.changes import trust_policies
from iam.changes.access_effects import AccessEffect
from iam.changes.operations.base import AwsCall
from iam.changes.operations.facts import HOUR, EntityInMirror
from iam.changes.operations.lifecycle import (
    Create,
    CreatePrincipal,
    Delete,
    NewPrincipalParams,
    Rename,
    account_quota,
    creation,
    removal,
    renaming,
)
from iam.changes.operations.params import Blank
from iam.changes.operations.principal_mentions import named_by
from iam.changes.operations.spec import HIGH, NORMAL, SERVICE_LINKED, OperationSpec, refuse
from iam.changes.operations.subject import OnSubject, SubjectParams
from iam.changes.risks import TRUST_OPENED
from iam.changes.world import ChangeWorld
from iam.directory.models import RuleKind, TeamRule
from iam.directory.services import follow_rename
from iam.mirror.models import Account, EntityState, Kind
from iam.mirror.refresh import MadeUser
from iam.policy.index.rows import GroupRow

NOT_READ: Final = (
    "Keys and certificates of {name} aren’t fully synced yet. If AWS has some that aren’t "
    "listed here, the last step fails "
    "with an error."
)
OTHER_USER_ID: Final = (
    "A user recreated under this name has a new unique ID: "
    "trust policies that name this user don’t apply to it."
)


class CreateUser(CreatePrincipal):
    spec = creation(
        Kind.USER,
        state={"path": "path", "boundary": "boundary", "tags": "tags"},
        parameters={
            "UserName": "name",
            "Path": "path",
            "PermissionsBoundary": "boundary?",
            "Tags": "tag_list?",
        },
        quota=account_quota("users", name="UsersQuota", usual=5000),
    )

    def handle_response(self, call: AwsCall, response: Mapping[str, Any]) -> dict[str, Any]:
        """Also keep AWS’s time of creation: at that time the user had no MFA device."""
        kept = super().handle_response(call, response)
        created = response.get("User", {}).get("CreateDate")
        if kept and created is not None:
            kept["made_at"] = created.isoformat()
        self.load_results(kept)
        return kept

    def load_results(self, results: Mapping[str, Any]) -> None:
        aws_id = results.get("ids", {}).get(self.inputs.subject_arn)
        if aws_id and "made_at" in results:
            self.made = MadeUser(aws_id, datetime.fromisoformat(results["made_at"]))


class UpdateUser(Rename):
    spec = renaming(Kind.USER)

    def read_back(self, aws: Aws, *, cause_id: UUID | None) -> None:
        """Keep the user's links to people under the new ARN."""
        super().read_back(aws, cause_id=cause_id)
        subject = self.subject()
        if subject is not None and subject.arn != self.inputs.subject_arn:
            follow_rename(self.inputs.subject_arn, new_arn=subject.arn)

    def effect(self) -> AccessEffect:
        """Policies refer to the ARN, which changes."""
        user = self.subject()
        named = named_by(user) if user else ()
        return AccessEffect(notes=named, confidential=named)


class DeleteUser(Delete):
    spec = removal(
        CreateUser.spec,
        undo_caveat=(
            "It is recreated with a new unique ID: trust policies and resource-based policies that "
            "name it don’t apply to the new one."
        ),
    )

    def effect(self) -> AccessEffect:
        user = self.subject()
        if user is None:
            return AccessEffect()
        unread = () if user.detail_at else (NOT_READ.format(name=user.name),)
        named = named_by(user)
        return AccessEffect(notes=(*unread, *named, OTHER_USER_ID), confidential=named)


class NewGroupParams(SubjectParams):
    path: str


class CreateGroup(Create):
    spec = creation(
        Kind.GROUP,
        state={"path": "path"},
        parameters={"GroupName": "name", "Path": "path"},
        sentence="Creates group {name} without members",
        quota=account_quota("groups", name="GroupsQuota", usual=300),
    )

    inputs: NewGroupParams

    def simulate(self, world: ChangeWorld) -> None:
        world.put_group(GroupRow(world.make(self.inputs.subject_arn), self.inputs.name))


class UpdateGroup(Rename):
    spec = renaming(Kind.GROUP)

    def notes(self) -> tuple[str, ...]:
        """The teams whose rules use the name of the group."""
        if self.inputs.new_name == self.inputs.name:
            return ()
        rules = TeamRule.objects.filter(kind=RuleKind.GROUP, value=self.inputs.name)
        rules = rules.filter(account_id__in=["", self.account.account_id])
        names = sorted(set(rules.values_list("team__name", flat=True)))
        if not names:
            return ()
        return (f"{', '.join(names)} use this name in their team rules. Add the new name to those rules.",)


class DeleteGroup(Delete):
    spec = removal(CreateGroup.spec)


OTHER_ROLE_ID: Final = (
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
    """Also the trust policy, the description, and the maximum session duration in seconds."""

    trust: str
    description: Blank
    max_session: str


class CreateRole(CreatePrincipal):
    """Creates a role, with its trust policy, boundary and tags from the start."""

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
        """Return the operation in an account; `trust` is the text of the trust policy, `boundary` the ARN of
        a managed policy.
        """
        return super().of(account, **((settings or RoleSettings()).params | rest))

    @property
    def seconds(self) -> int:
        return int(self.inputs.max_session)

    def refusal(self) -> str:
        if self.inputs.path.startswith(trust_policies.SERVICE_LINKED):
            return "only AWS services create roles under /aws-service-role/."
        return trust_policies.refusal_of(self.inputs.trust, account=self.account) or super().refusal()

    def notes(self) -> tuple[str, ...]:
        return tuple(trust_policies.said_of("", self.inputs.trust))

    def risks(self) -> tuple[str, ...]:
        is_open = trust_policies.is_open(self.inputs.trust, account=self.account, path=self.inputs.path)
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
        """Also the previous maximum session duration."""
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
        notes = ("Running sessions of this role stop working.", *named, OTHER_ROLE_ID)
        return AccessEffect(notes=notes, confidential=named)


class TrustParams(SubjectParams):
    document: str


class ReplaceTrustPolicy(OnSubject):
    excluded = ("{slug}",)
    spec = OperationSpec(
        slug="trust_policy.replace",
        family="role-trust",
        subject_kind=Kind.ROLE.value,
        title="Update trust policy of role {name}",
        no_op="The trust policy of {name} already has this text.",
        counted=("Update the trust policy of", "role"),
        state={"trust": "document", "text": "document"},
        call="UpdateAssumeRolePolicy",
        parameters={"RoleName": "name", "PolicyDocument": "document"},
        sentence="Replaces the trust policy of {name}",
        inverse="trust_policy.replace",
        requirements=(
            refuse(SERVICE_LINKED, "{name} is a service-linked role. Only its service can assume it."),
        ),
    )

    inputs: TrustParams

    @property
    def text_now(self) -> str:
        role = self.subject()
        return EntityInMirror(role).trust if role else ""

    def refusal(self) -> str:
        return trust_policies.refusal_of(self.inputs.document, account=self.account)

    def notes(self) -> tuple[str, ...]:
        return tuple(trust_policies.said_of(self.text_now, self.inputs.document))

    def risks(self) -> tuple[str, ...]:
        return (TRUST_OPENED,) if trust_policies.lets_in_more(self.text_now, self.inputs.document) else ()

    def sensitivity(self, effect: AccessEffect) -> str:
        return HIGH if self.risks() else NORMAL

    def simulate(self, world: ChangeWorld) -> None:
        world.doubt(f"Who can assume {self.inputs.name} is not analyzed. Compare the two trust policies.")
        row = world.principal(self.inputs.subject_arn)
        if row is not None:
            world.put_principal(replace(row, trust=world.text(self.inputs.document)))
