"""What operations share that make a credential of which AWS shows the secret once: a call is made once, and
its secret is sealed for one person.

A call of which the answer was lost is never repeated. A credential that is there then, and was not when this
was planned, is named: its secret is known to nobody, and a person deletes it.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from iam.changes.operations.base import AwsCall, Image, Operation
from iam.changes.operations.params import Blank, IdText
from iam.changes.operations.sealed_secret import accepted, seal_for
from iam.changes.operations.user_credential import NewCredential, OfSort, UserParams, owned
from iam.mirror.models import Entity


class GivenParams(UserParams):
    """Which seal the secret goes under, for whom, and the ids of the credentials that are there already,
    with blanks between."""

    sealed_id: IdText
    recipient_id: IdText
    recipient_name: str
    known: Blank


class WithSecret(OfSort):
    purpose: ClassVar[str]
    """What the secret is sealed as."""
    inputs: Any

    @abstractmethod
    def given_in(self, response: Mapping[str, Any]) -> tuple[str, str]:
        """The id and the secret in AWS's answer."""

    def handle_response(self, call: AwsCall, response: Mapping[str, Any]) -> dict[str, Any]:
        aws_id, secret = self.given_in(response)
        seal_for(self.inputs, secret, account=self.account, purpose=self.purpose, label=aws_id)
        return {"credential_id": aws_id}


class GivenOnce(WithSecret, NewCredential):
    initial = {"ids": []}
    inputs: GivenParams

    def desired_state(self) -> Image:
        """AWS assigns the id of the new one, which `satisfied` finds by its seal."""
        return {"ids": self.inputs.known.split(), "more": 1}

    def satisfied(self, image: Image) -> bool:
        """The seal was released for a credential that AWS shows."""
        secret = accepted(self.inputs.sealed_id)
        return secret is not None and secret.label in image["ids"]

    def image_of(self, subject: Entity) -> Image:
        return {"ids": sorted(owned(subject, self.kind))}

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
        """What anyone who holds it can do."""
        return f"do whatever {self.inputs.user_name} can"

    def inverse(self, before: Image) -> Operation | None:
        secret = accepted(self.inputs.sealed_id)
        return None if secret is None else self.deletion(secret.label)
