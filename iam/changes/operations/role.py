"""Make IAM roles, change their description and longest session, and delete them.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateRole.html
https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRole.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final, Self

from iam.aws.reads.single import EntityNow
from iam.changes.operations import trust
from iam.changes.operations.base import AccessEffect, Image, Operation
from iam.changes.operations.lifecycle import Create, Delete, arn_of, state_of
from iam.changes.operations.principal_mentions import named_by
from iam.changes.operations.spec import HIGH, NORMAL, OperationSpec
from iam.changes.operations.subject import (
    ABSENT,
    OnSubject,
    SubjectParams,
    boundary_in_mirror,
    names_of,
    tags_in_mirror,
)
from iam.changes.risks import TRUST_OPENED
from iam.changes.world import ChangeWorld
from iam.mirror.models import Account, Document, Entity, EntityState, Kind
from iam.mirror.pull.transform.principals import document_digest
from iam.policy.index.rows import Grants, PrincipalRow

OTHER_ID: Final = (
    "A role recreated under this name has a new unique ID: resource-based policies and trust "
    "policies that name this role "
    "don’t apply to it."
)
HOUR: Final = 3600
"""The longest session of a role, in seconds, where nothing else was asked for."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What UpdateRole sets; `max_session` is in seconds."""

    description: str = ""
    max_session: int = HOUR

    @classmethod
    def of(cls, state: EntityState | None) -> Self:
        """As the mirror has them."""
        attrs: Mapping[str, Any] = state.attrs if state else {}
        return cls(str(attrs.get("Description") or ""), int(attrs.get("MaxSessionDuration") or HOUR))

    @property
    def params(self) -> dict[str, str]:
        """As an operation keeps them."""
        return {"description": self.description, "max_session": str(self.max_session)}

    @property
    def image(self) -> Image:
        """As an image has them."""
        return {"description": self.description, "max_session": self.max_session}


@dataclass(frozen=True, slots=True)
class NewRoleParams(SubjectParams):
    """Where the role is made, who may assume it, what it is for, its longest session in seconds, boundary
    (an ARN) and tags."""

    BLANK: ClassVar[frozenset[str]] = frozenset({"subject_id", "boundary", "description"})

    path: str
    trust: str
    description: str
    max_session: str
    boundary: str
    tags: dict[str, str]


class _Whole:
    """The image of a whole role: all that can be said when it is made. `text` is the key of the trust
    policy's document."""

    def image_of(self, subject: Entity) -> Image:
        state = state_of(subject)
        text = state.document.text if state and state.document else ""
        path = state.path if state else "/"
        return role_image(
            path=path,
            text=text,
            settings=Settings.of(state),
            boundary=boundary_in_mirror(subject),
            tags=tags_in_mirror(subject),
        )

    def image_now(self, now: EntityNow) -> Image:
        return role_image(
            path=now.path,
            text=now.trust,
            settings=Settings(now.description, now.max_session_duration or HOUR),
            boundary=now.boundary,
            tags=now.tags,
        )

    def satisfied(self, image: Image) -> bool:
        return without_text(image) == without_text(self.desired_state())  # type: ignore[attr-defined]

    def can_proceed(self, image: Image, *, before: Image) -> bool:
        return without_text(image) == without_text(before)


def role_image(*, path: str, text: str, settings: Settings, boundary: str, tags: Mapping[str, str]) -> Image:
    """A role that there is."""
    return {
        "exists": True,
        "path": path,
        "trust": trust.trust_meaning(text),
        "text": document_digest(text),
        "boundary": boundary,
        "tags": dict(tags),
        **settings.image,
    }


def without_text(image: Image) -> Image:
    """An image without the layout of its text."""
    return {key: value for key, value in image.items() if key != "text"}


class CreateRole(_Whole, Create):
    """Makes a role, with trust policy, boundary and tags from the first moment."""

    spec = OperationSpec(
        slug="role.create",
        inverse="role.delete",
        family="role",
        subject_kind=Kind.ROLE.value,
        title="Create role {name}",
        no_op="The role {name} already exists with these settings.",
        counted=("Create", "role"),
        call="CreateRole",
        parameters={
            "RoleName": "name",
            "Path": "path",
            "AssumeRolePolicyDocument": "trust",
            "MaxSessionDuration": "seconds",
            "Description": "description?",
            "PermissionsBoundary": "boundary?",
            "Tags": "tag_list?",
        },
        sentence="Creates role {name}",
    )

    params_type = NewRoleParams
    inputs: NewRoleParams
    quota_name, quota_usual = "RolesQuota", 1000

    @classmethod
    def of(
        cls,
        account: Account,
        *,
        name: str,
        trust: str,
        path: str = "/",
        settings: Settings | None = None,
        boundary: str = "",
        tags: Mapping[str, str] | None = None,
    ) -> Self:
        """The operation in an account; `trust` is the text of the trust policy, `boundary` the ARN of a
        managed policy."""
        params = NewRoleParams(
            name=name,
            subject_arn=arn_of(account, kind=Kind.ROLE.value, name=name, path=path),
            subject_id="",
            path=path,
            trust=trust,
            boundary=boundary,
            tags=dict(tags or {}),
            **(settings or Settings()).params,
        )
        return cls(account, params)

    @property
    def settings(self) -> Settings:
        """What UpdateRole sets as well."""
        return Settings(self.inputs.description, int(self.inputs.max_session))

    def referenced_arns(self) -> tuple[str, ...]:
        return (self.inputs.boundary,) if self.inputs.boundary else ()

    @property
    def seconds(self) -> int:
        """The longest session."""
        return self.settings.max_session

    def desired_state(self) -> Image:
        params = self.inputs
        return role_image(
            path=params.path,
            text=params.trust,
            settings=self.settings,
            boundary=params.boundary,
            tags=params.tags,
        )

    def problems(self) -> list[str]:
        """Also what is wrong with the trust policy and the path."""
        if self.inputs.path.startswith(trust.SERVICE_LINKED):
            return ["only AWS services create roles under /aws-service-role/."]
        return trust.problems_of(self.inputs.trust, account=self.account) or super().problems()

    def effect(self) -> AccessEffect:
        return AccessEffect(notes=tuple(trust.said_of("", self.inputs.trust)))

    def simulate(self, world: ChangeWorld) -> None:
        params = self.inputs
        boundary = world.number(params.boundary) if params.boundary else None
        grants = Grants(boundary=boundary)
        number, text = world.make(params.subject_arn), world.text(params.trust)
        world.put_principal(
            PrincipalRow(number, params.subject_arn, grants=grants, tags=params.tags, trust=text)
        )

    def risks(self) -> tuple[str, ...]:
        is_open = trust.is_open(self.inputs.trust, account=self.account, path=self.inputs.path)
        return (TRUST_OPENED,) if is_open else ()

    def sensitivity(self, effect: AccessEffect) -> str:
        """High when somebody from outside may assume it."""
        return HIGH if self.risks() else NORMAL


@dataclass(frozen=True, slots=True)
class SettingsParams(SubjectParams):
    """What the role is for, and its longest session in seconds."""

    BLANK: ClassVar[frozenset[str]] = frozenset({"subject_id", "description"})

    description: str
    max_session: str


class UpdateRole(OnSubject):
    """Gives a role another description or another longest session."""

    spec = OperationSpec(
        slug="role.update",
        family="role",
        subject_kind=Kind.ROLE.value,
        title="Change settings of role {name}",
        no_op="Role {name} already has these settings.",
        counted=("Update the settings of", "role"),
        call="UpdateRole",
        parameters={"RoleName": "name", "Description": "description", "MaxSessionDuration": "seconds"},
        sentence="Sessions of {name} last {minutes} minutes at most",
    )

    params_type = SettingsParams
    inputs: SettingsParams

    @classmethod
    def of(cls, role: Entity, *, settings: Settings) -> Self:
        """The operation on a role of the mirror."""
        return cls(role.account, SettingsParams(**names_of(role), **settings.params))

    @property
    def settings(self) -> Settings:
        """What it sets."""
        return Settings(self.inputs.description, int(self.inputs.max_session))

    @property
    def seconds(self) -> int:
        """The longest session."""
        return self.settings.max_session

    @property
    def minutes(self) -> str:
        """The longest session in minutes, for people."""
        return f"{self.seconds // 60:,}"

    def desired_state(self) -> Image:
        return self.settings.image

    def initial_state(self) -> Image:
        return Settings().image

    def image_of(self, subject: Entity) -> Image:
        return Settings.of(state_of(subject)).image

    def image_now(self, now: EntityNow) -> Image:
        return Settings(now.description, now.max_session_duration or HOUR).image

    def inverse(self, before: Image) -> Operation | None:
        if before == self.desired_state():
            return None
        settings = Settings(str(before["description"]), int(before["max_session"]))
        return UpdateRole(self.account, replace(self.inputs, **settings.params))


class DeleteRole(_Whole, Delete):
    """Deletes a role."""

    spec = OperationSpec(
        slug="role.delete",
        family="role",
        subject_kind=Kind.ROLE.value,
        title="Delete role {name}",
        no_op="The role {name} is already deleted.",
        counted=("Delete", "role"),
        call="DeleteRole",
        parameters={"RoleName": "name"},
        sentence="Deletes role {name}",
        weight=NORMAL,
        undo_caveat=(
            "It is recreated with a new unique ID: trust policies and resource-based policies that "
            "name it don’t apply to the new one."
        ),
    )

    def problems(self) -> list[str]:
        """A service-linked role goes by another call."""
        if f":role{trust.SERVICE_LINKED}" in self.inputs.subject_arn:
            return [f"{self.inputs.name} is a service-linked role. Delete it as a service-linked role."]
        return super().problems()

    def effect(self) -> AccessEffect:
        role = self.subject()
        named = named_by(role) if role else ()
        notes = ("Running sessions of this role stop working.", *named, OTHER_ID)
        return AccessEffect(notes=notes, confidential=named)

    def inverse(self, before: Image) -> Operation | None:
        """A role of the same name, path, trust policy, settings, boundary and tags; its unique id is
        another."""
        if before == ABSENT:
            return None
        document = Document.objects.filter(digest=before["text"]).first()
        if document is None:
            return None
        return CreateRole.of(
            self.account,
            name=self.inputs.name,
            trust=document.text,
            path=str(before["path"]),
            settings=Settings(str(before["description"]), int(before["max_session"])),
            boundary=str(before["boundary"]),
            tags=before["tags"],
        )
