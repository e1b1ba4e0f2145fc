"""Make a credential of a user inactive, active again, or delete it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final, Self

from iam.changes.operations.base import Image, Operation
from iam.changes.operations.credential_sorts import WITH_STATUS, CredentialSort, CredentialSpec
from iam.changes.operations.spec import HIGH
from iam.changes.operations.user_credential import ABSENT, ACTIVE, INACTIVE, OnCredential, owned
from iam.mirror.models import Entity


def _spec_of(sort: CredentialSort, verb: str, **rest: Any) -> CredentialSpec:
    return CredentialSpec(
        slug=f"{sort.slug}.{verb.lower()}",
        family=sort.kind.value,
        sort=sort,
        title=f"{verb} {{label}} of {{user_name}}",
        counted=(verb, sort.short_noun),
        **rest,
    )


def _deactivate(sort: CredentialSort) -> CredentialSpec:
    return _spec_of(
        sort,
        "Deactivate",
        status_after=INACTIVE,
        no_op="The {label} is already inactive.",
        notes=(f"Applications that use this {sort.noun} stop working.",),
        call=f"Update{sort.word}",
        parameters={"UserName": "user_name", sort.id_parameter: "credential_id", "Status": "status_after"},
        sentence="The {label} stops working, but isn’t deleted",
        inverse=f"{sort.slug}.activate",
    )


def _activate(sort: CredentialSort) -> CredentialSpec:
    return _spec_of(
        sort,
        "Activate",
        status_after=ACTIVE,
        no_op="The {label} is already active.",
        notes=(f"Anyone who has this {sort.noun} can do whatever {{user_name}} can.",),
        call=f"Update{sort.word}",
        parameters={"UserName": "user_name", sort.id_parameter: "credential_id", "Status": "status_after"},
        sentence="The {label} works again",
        weight=HIGH,
        inverse=f"{sort.slug}.deactivate",
    )


def _delete(sort: CredentialSort) -> CredentialSpec:
    return _spec_of(
        sort,
        "Delete",
        no_op="The {label} no longer exists.",
        notes=(f"Applications that use this {sort.noun} stop working.",),
        call=f"Delete{sort.word}",
        parameters={"UserName": "user_name", sort.id_parameter: "credential_id"},
        sentence="Permanently deletes the {label}",
        loss=sort.loss,
    )


ACTIVATE: Final[Mapping[str, CredentialSpec]] = {sort.kind: _activate(sort) for sort in WITH_STATUS}
DEACTIVATE: Final[Mapping[str, CredentialSpec]] = {sort.kind: _deactivate(sort) for sort in WITH_STATUS}
DELETE: Final[Mapping[str, CredentialSpec]] = {sort.kind: _delete(sort) for sort in WITH_STATUS}
"""By the kind of the credential."""


class SetStatus(OnCredential):
    SPECS: ClassVar[tuple[CredentialSpec, ...]] = (*ACTIVATE.values(), *DEACTIVATE.values())

    @property
    def status_after(self) -> str:
        return self.spec.status_after

    def restoration(self, before: Image) -> Operation | None:
        """None also where the credential was not there."""
        return super().restoration(before) if before["status"] in (ACTIVE, INACTIVE) else None


class DeleteCredential(OnCredential):
    SPECS: ClassVar[tuple[CredentialSpec, ...]] = tuple(DELETE.values())

    @classmethod
    def of(cls, credential: Entity) -> Self:
        """The operation on a credential of the mirror. Raises ValueError for one that belongs to no user
        of it."""
        return super().of(DELETE[credential.kind], credential)

    @property
    def alternative(self) -> str:
        user = self.subject()
        status = owned(user, self.kind).get(self.inputs.credential_id) if user else None
        if status == INACTIVE:
            return "It is already inactive, so it can’t be used. Keep it as long as it may be needed again."
        return super().alternative

    def image_of(self, subject: Entity) -> Image:
        return {"status": owned(subject, self.kind).get(self.inputs.credential_id, ABSENT)}

    def can_proceed(self, image: Image, *, before: Image) -> bool:
        """A credential that was made inactive meanwhile is still the one to delete; one that came alive is
        in use."""
        return image == before or image["status"] == INACTIVE
