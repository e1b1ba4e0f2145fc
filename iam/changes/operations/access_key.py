"""Create an access key for a user; `credential_status.py` makes one inactive, active again, or deletes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Self

from iam.changes.operations.base import Image, Operation
from iam.changes.operations.credential_sorts import ACCESS_KEY, CredentialSpec
from iam.changes.operations.credential_status import DeleteCredential
from iam.changes.operations.one_time_credential import GivenOnce, GivenParams
from iam.changes.operations.spec import HIGH, Quota
from iam.changes.operations.user_credential import owned
from iam.mirror.models import Entity

KEYS_PER_USER: Final = 2


class CreateAccessKey(GivenOnce):
    spec = CredentialSpec(
        slug="access_key.create",
        sort=ACCESS_KEY,
        title="Create an access key for {user_name}",
        no_op="This access key already exists.",
        counted=("Create", "access key"),
        notes=(
            "Anyone who has the access key can {power} until it is deactivated or deleted.",
            "Only {recipient_name} can read the secret, in one browser, within 24 hours.",
        ),
        quota=Quota(
            "Access keys afterwards",
            "{user_name} has {used} access keys, and AWS allows {limit}. Delete an unused one first.",
            usual=KEYS_PER_USER,
            name="AccessKeysPerUserQuota",
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
    def of(cls, user: Entity, /, *more: Any, instead_of: str = "", **rest: Any) -> Self:
        """The operation for a user of the mirror; `instead_of` is the id of a key that is deleted before,
        in the same set."""
        known = sorted(set(owned(user, cls.spec.sort.kind)) - {instead_of})
        return super().of(user, known=" ".join(known), **rest)

    def with_preceding(self, earlier: Sequence[Operation]) -> None:
        self._going = frozenset(
            operation.inputs.credential_id
            for operation in earlier
            if isinstance(operation, DeleteCredential)
            and operation.kind == self.kind
            and operation.modified_arns() == self.modified_arns()
        )

    def image_of(self, subject: Entity) -> Image:
        return {"ids": sorted(set(owned(subject, self.kind)) - self._going)}

    def given_in(self, response: Mapping[str, Any]) -> tuple[str, str]:
        key = response["AccessKey"]
        return str(key["AccessKeyId"]), str(key["SecretAccessKey"])

    def used(self) -> int | None:
        user = self.subject()
        return None if user is None else len(set(owned(user, self.kind)) - self._going)
