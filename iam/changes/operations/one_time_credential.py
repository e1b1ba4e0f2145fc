"""Create an access key or a service-specific credential. AWS shows the secret once, so the call is made once,
and the secret is sealed for one person.

A call whose response was lost is never repeated. A credential that exists then, and didn't when the change
was planned, is reported: no one knows its secret, and a person must delete it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Self

from iam.changes.operations.base import AwsCall, Image, Operation
from iam.changes.operations.params import Blank, IdText
from iam.changes.operations.sealed_secret import accepted, seal_for
from iam.changes.operations.spec import HIGH, PermanentLoss, Quota
from iam.changes.operations.user_credential import (
    ABSENT,
    ACCESS_KEY,
    ACTIVE,
    SERVICE_CREDENTIAL,
    CredentialParams,
    CredentialSort,
    CredentialSpec,
    DeleteCredential,
    NewCredential,
    OfSort,
    OnCredential,
    UserParams,
    owned,
)
from iam.mirror.models import Entity, EntityState, valid_at


class GivenParams(UserParams):
    """The seal of the secret and its recipient, and the IDs of the existing credentials, separated
    by spaces.
    """

    sealed_id: IdText
    recipient_id: IdText
    recipient_name: str
    known: Blank


_SECRETS: Final = ("SecretAccessKey", "ServicePassword", "ServiceCredentialSecret")
"""The keys under which AWS's response can have the secret."""


class WithSecret(OfSort):
    inputs: Any

    def handle_response(self, call: AwsCall, response: Mapping[str, Any]) -> dict[str, Any]:
        sort = self.spec.sort
        made = response[sort.word]
        aws_id = str(made[sort.id_parameter])
        secret = str(next(filter(None, map(made.get, _SECRETS))))
        seal_for(self.inputs, secret, account=self.account, purpose=f"{sort.slug}.secret", label=aws_id)
        return {"credential_id": aws_id}


class GivenOnce(WithSecret, NewCredential):
    initial = {"ids": []}
    inputs: GivenParams

    def desired_state(self) -> Image:
        """One more credential. AWS assigns its ID, which `satisfied` finds by the seal."""
        return {"ids": self.inputs.known.split(), "more": 1}

    def satisfied(self, image: Image) -> bool:
        """True if the seal was released for a credential that AWS shows."""
        return any(credential_id in image["ids"] for credential_id in self.created_ids())

    def created_ids(self) -> tuple[str, ...]:
        secret = accepted(self.inputs.sealed_id)
        return () if secret is None else (secret.label,)

    def image_of(self, subject: Entity) -> Image:
        return {"ids": self.ids_in_mirror(subject)}

    def drift_message(self, image: Image, *, before: Image) -> str:
        strange = [credential_id for credential_id in image["ids"] if credential_id not in before["ids"]]
        if not strange:
            return ""
        return (
            f"{self.inputs.user_name} has the {self.spec.sort.noun} {', '.join(strange)}, which "
            "didn’t exist when this was requested. "
            "If this change created it, its secret is lost: deactivate it, delete it, and request a new one."
        )

    @property
    def power(self) -> str:
        """What anyone who has the credential can do."""
        return f"do whatever {self.inputs.user_name} can"

    def inverse(self, before: Image) -> Operation | None:
        return next((self.deletion(credential_id) for credential_id in self.created_ids()), None)


def _creation(sort: CredentialSort, *, reading: str, **rest: Any) -> CredentialSpec:
    """The spec of an operation that creates a credential; `reading` says how its secret can be read."""
    return CredentialSpec(
        slug=f"{sort.slug}.create",
        sort=sort,
        no_op=f"This {sort.noun} already exists.",
        counted=("Create", sort.short_noun or sort.noun),
        notes=(
            f"Anyone who has the {sort.noun} can {{power}} until it is deactivated or deleted.",
            f"Only {{recipient_name}} can read the secret, {reading}, within 24 hours.",
        ),
        call=f"Create{sort.word}",
        is_idempotent=False,
        weight=HIGH,
        **rest,
    )


KEYS_PER_USER: Final = 2


class CreateAccessKey(GivenOnce):
    spec = _creation(
        ACCESS_KEY,
        reading="in one browser",
        title="Create an access key for {user_name}",
        quota=Quota(
            "Access keys afterwards",
            "{user_name} has {used} access keys, and AWS allows {limit}. Delete an unused one first.",
            usual=KEYS_PER_USER,
            name="AccessKeysPerUserQuota",
        ),
        parameters={"UserName": "user_name"},
        sentence="Creates an access key. Only {recipient_name} can read its secret, once, within 24 hours",
    )

    _going: frozenset[str] = frozenset()

    @classmethod
    def of(cls, user: Entity, /, *more: Any, instead_of: str = "", **rest: Any) -> Self:
        """Return the operation for a user of the mirror. `instead_of` is the ID of a key that the same set
        deletes first.
        """
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

    def ids_in_mirror(self, user: Entity) -> list[str]:
        return [key_id for key_id in super().ids_in_mirror(user) if key_id not in self._going]


SERVICES: Final = {
    "codecommit.amazonaws.com": "CodeCommit",
    "cassandra.amazonaws.com": "Amazon Keyspaces",
    "bedrock.amazonaws.com": "Amazon Bedrock",
    "logs.amazonaws.com": "CloudWatch Logs",
}
WITH_AGE: Final = frozenset({"bedrock.amazonaws.com", "logs.amazonaws.com"})
"""Services whose credentials can expire."""


class CredentialServiceParams(GivenParams):
    """The service, as AWS names it, and the number of days until expiry (blank: none)."""

    service_name: str
    age_days: Blank

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.age_days:
            int(self.age_days)


class CreateServiceCredential(GivenOnce):
    spec = _creation(
        SERVICE_CREDENTIAL,
        reading="once",
        title="Create {service} credential for {user_name}",
        parameters={"UserName": "user_name", "ServiceName": "service_name", "CredentialAgeDays": "days?"},
        sentence="Creates a credential for {service}. Only {recipient_name} can read its secret, once, "
        "within 24 hours",
        quota=Quota(
            "Credentials for the service afterwards",
            "{user_name} has {used} credentials for {service}, and AWS allows {limit}. Delete one first.",
            usual=2,
        ),
    )

    inputs: CredentialServiceParams

    @classmethod
    def of(cls, user: Entity, /, *more: Any, service: str, age_days: int = 0, **rest: Any) -> Self:
        return super().of(user, service_name=service, age_days=str(age_days or ""), **rest)

    @property
    def service(self) -> str:
        return SERVICES.get(self.inputs.service_name, self.inputs.service_name)

    @property
    def power(self) -> str:
        return f"use {self.service} with the permissions of {self.inputs.user_name}"

    @property
    def days(self) -> int:
        """Days until the credential expires; 0 if it doesn't."""
        return int(self.inputs.age_days or 0)

    def used_by(self, user: Entity) -> int:
        rows = EntityState.objects.filter(
            valid_at(None), kind=self.kind, entity__owner=user, entity__gone_at__isnull=True
        )
        services = [attrs.get("ServiceName") for attrs in rows.values_list("attrs", flat=True)]
        return services.count(self.inputs.service_name)

    def refusal(self) -> str:
        if self.inputs.service_name not in SERVICES:
            known = ", ".join(SERVICES)
            return (
                f"{self.inputs.service_name} doesn’t support service-specific credentials. These "
                f"services do: {known}."
            )
        if self.inputs.age_days and self.inputs.service_name not in WITH_AGE:
            return f"Credentials for {self.service} can’t have an expiry."
        return ""


class ResetParams(CredentialParams):
    """The seal of the new secret, and its recipient."""

    sealed_id: IdText
    recipient_id: IdText
    recipient_name: str


class ResetServiceCredential(WithSecret, OnCredential):
    """Gives a credential a new password. If the response was lost, a person must request another reset."""

    spec = CredentialSpec(
        slug="service_credential.reset",
        sort=SERVICE_CREDENTIAL,
        status_after=ACTIVE,
        title="Reset password of {label} of {user_name}",
        no_op="It is already reset.",
        counted=("Reset the password of", "service credential"),
        notes=(
            "The old password stops working.",
            "Only {recipient_name} can read the new password, once, within 24 hours.",
        ),
        call="ResetServiceSpecificCredential",
        parameters={"UserName": "user_name", "ServiceSpecificCredentialId": "credential_id"},
        sentence="Creates a new password. Only {recipient_name} can read it, once, within 24 hours",
        is_idempotent=False,
        weight=HIGH,
        loss=PermanentLoss(
            "Reset the password of a service-specific credential",
            "AWS never shows the old password, so it can’t be restored.",
            "Create a second credential, and deactivate this one when nothing uses it.",
        ),
    )

    inputs: ResetParams

    def satisfied(self, image: Image) -> bool:
        """AWS shows no difference; the seal tells whether AWS has returned a new password."""
        return image["status"] != ABSENT and accepted(self.inputs.sealed_id) is not None

    def can_proceed(self, image: Image, *, before: Image) -> bool:
        return bool(image["status"] != ABSENT)
