"""Make an access key for a user; make one inactive, active again, or delete it.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccessKey.html
https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAccessKey.html
https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteAccessKey.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Self
from uuid import UUID

from iam.changes.operations.base import Image, Operation, QuotaUse
from iam.changes.operations.credential_sorts import ACCESS_KEY, CredentialSpec
from iam.changes.operations.credential_status import DeleteCredential
from iam.changes.operations.one_time_credential import GivenOnce, GivenParams
from iam.changes.operations.quotas import quota_of
from iam.changes.operations.sealed_secret import Recipient
from iam.changes.operations.spec import HIGH
from iam.changes.operations.user_credential import (
    names_of,
    owned,
)
from iam.mirror.models import Entity, Kind

KEYS_PER_USER: Final = 2
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""


class CreateAccessKey(GivenOnce):
    """Makes a key."""

    spec = CredentialSpec(
        slug="access_key.create",
        sort=ACCESS_KEY,
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

    purpose = "access_key.secret"
    inputs: GivenParams
    _going: frozenset[str] = frozenset()

    @classmethod
    def of(cls, user: Entity, *, recipient: Recipient, sealed_id: UUID, instead_of: str = "") -> Self:
        """The operation for a user of the mirror; `instead_of` is the id of a key that is deleted before,
        in the same set."""
        params = GivenParams(
            **names_of(user),
            known=" ".join(
                sorted(key_id for key_id in owned(user, cls.spec.sort.kind) if key_id != instead_of)
            ),
            sealed_id=str(sealed_id),
            recipient_id=str(recipient.person_id),
            recipient_name=recipient.name,
        )
        return cls(user.account, params)

    def with_preceding(self, earlier: Sequence[Operation]) -> None:
        """A key that is deleted before leaves its room to this one."""
        self._going = frozenset(
            operation.inputs.credential_id
            for operation in earlier
            if isinstance(operation, DeleteCredential)
            and operation.kind == self.kind
            and operation.modified_arns() == self.modified_arns()
        )

    def image_of(self, user: Entity) -> Image:
        return {"ids": sorted(set(owned(user, self.kind)) - self._going)}

    def given_in(self, response: Mapping[str, Any]) -> tuple[str, str]:
        key = response["AccessKey"]
        return str(key["AccessKeyId"]), str(key["SecretAccessKey"])

    def quota(self) -> QuotaUse | None:
        """Keys of the user, active or not."""
        user = self.subject()
        if user is None:
            return None
        used = len(set(owned(user, self.kind)) - self._going)
        limit = quota_of(self.account, "AccessKeysPerUserQuota", default=KEYS_PER_USER)
        refusal = f"{user.name} has {used} access keys, and AWS allows {limit}. Delete an unused one first."
        return QuotaUse("Access keys afterwards", used=used, after=used + 1, limit=limit, refusal=refusal)
