"""Make an access key for a user; make one inactive, active again, or delete it.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccessKey.html
https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAccessKey.html
https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteAccessKey.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final, Self
from uuid import UUID

from iam.changes.operations.base import Image, Operation, Quota
from iam.changes.operations.given_once import GivenOnce, GivenParams
from iam.changes.operations.sealed_secret import Recipient
from iam.changes.operations.spec import HIGH, Loss, OperationSpec
from iam.changes.operations.user_credential import (
    ACTIVE,
    INACTIVE,
    DeleteCredential,
    OnCredential,
    SetStatus,
    account_quota,
    names_of,
    owned,
)
from iam.mirror.models import Entity, Kind
from iam.mirror.pull.sections import ACCESS_KEYS

KEYS_PER_USER: Final = 2
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""


class OnAccessKey(OnCredential):
    """What all share that are about a key that is there."""

    section = ACCESS_KEYS
    kind = Kind.ACCESS_KEY
    noun = "access key"
    word = "AccessKey"
    id_parameter = "AccessKeyId"
    id_field = "key_id"


class DeactivateAccessKey(OnAccessKey, SetStatus):
    """Makes a key inactive."""

    spec = OperationSpec(
        slug="access_key.deactivate",
        family="access-key",
        subject_kind=Kind.USER.value,
        title="",
        no_op="",
        counted=("Deactivate", "access key"),
    )

    status_after = INACTIVE


class ActivateAccessKey(OnAccessKey, SetStatus):
    """Makes a key active."""

    spec = OperationSpec(
        slug="access_key.activate",
        family="access-key",
        subject_kind=Kind.USER.value,
        title="",
        no_op="",
        counted=("Activate", "access key"),
    )

    status_after = ACTIVE
    other: ClassVar[type[SetStatus]] = DeactivateAccessKey


DeactivateAccessKey.other = ActivateAccessKey


class DeleteAccessKey(OnAccessKey, DeleteCredential):
    """Deletes a key."""

    spec = OperationSpec(
        slug="access_key.delete",
        family="access-key",
        subject_kind=Kind.USER.value,
        title="Delete {label} of {user_name}",
        no_op="The {label} no longer exists.",
        counted=("Delete", "access key"),
        notes=("Applications that use this access key stop working.",),
        call="DeleteAccessKey",
        parameters={"UserName": "user_name", "AccessKeyId": "credential_id"},
        sentence="Permanently deletes the {label}",
        loss=Loss(
            "Delete an access key",
            "AWS can’t restore a deleted access key. A new one has a different ID and secret.",
            "Deactivate it instead: it stops working immediately and can be reactivated.",
        ),
    )


class CreateAccessKey(GivenOnce):
    """Makes a key."""

    spec = OperationSpec(
        slug="access_key.create",
        family="access-key",
        subject_kind=Kind.USER.value,
        title="Create an access key for {user_name}",
        no_op="This access key already exists.",
        counted=("Create", "access key"),
        notes=(
            "Anyone who has the access key can {power} until it is deactivated or deleted.",
            "Only {recipient_name} can read the secret, once, within 24 hours.",
        ),
        call="CreateAccessKey",
        parameters={"UserName": "user_name"},
        sentence="Creates an access key. Its secret is sealed for {recipient_name}",
        is_idempotent=False,
        weight=HIGH,
    )

    section = ACCESS_KEYS
    kind = Kind.ACCESS_KEY
    noun = "access key"
    purpose = "access_key.secret"
    id_field = "key_id"
    way_back = DeleteAccessKey

    given: GivenParams

    _going: frozenset[str] = frozenset()

    @classmethod
    def of(cls, user: Entity, *, recipient: Recipient, sealed_id: UUID, instead_of: str = "") -> Self:
        """The operation for a user of the mirror; `instead_of` is the id of a key that is deleted before, in the same set."""
        given = GivenParams(
            **names_of(user),
            known=" ".join(sorted(one for one in owned(user, cls.kind) if one != instead_of)),
            sealed_id=str(sealed_id),
            recipient_id=str(recipient.person_id),
            recipient_name=recipient.name,
        )
        return cls(user.account, given)

    def follow(self, earlier: Sequence[Operation]) -> None:
        """A key that is deleted before leaves its room to this one."""
        self._going = frozenset(
            one.given.credential_id
            for one in earlier
            if isinstance(one, DeleteAccessKey) and one.touched() == self.touched()
        )

    def image_of(self, user: Entity) -> Image:
        return {"ids": sorted(set(owned(user, self.kind)) - self._going)}

    def given_in(self, response: Mapping[str, Any]) -> tuple[str, str]:
        key = response["AccessKey"]
        return str(key["AccessKeyId"]), str(key["SecretAccessKey"])

    def quota(self) -> Quota | None:
        """Keys of the user, active or not."""
        user = self.subject()
        if user is None:
            return None
        used = len(set(owned(user, self.kind)) - self._going)
        limit = account_quota(self.account, "AccessKeysPerUserQuota", usual=KEYS_PER_USER)
        refusal = f"{user.name} has {used} access keys, and AWS allows {limit}. Delete an unused one first."
        return Quota("Access keys afterwards", used=used, after=used + 1, limit=limit, refusal=refusal)
