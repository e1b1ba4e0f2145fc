"""Say anew who may assume a role.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAssumeRolePolicy.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from iam.aws.reads.single import EntityNow
from iam.changes.operations import trust
from iam.changes.operations.base import AccessEffect, Image, Operation
from iam.changes.operations.lifecycle import state_of
from iam.changes.operations.spec import HIGH, NORMAL, OperationSpec
from iam.changes.operations.subject import OnSubject, SubjectParams, names_of
from iam.changes.risks import TRUST_OPENED
from iam.changes.world import ChangeWorld
from iam.mirror.models import Document, Entity, Kind
from iam.mirror.pull.transform.principals import document_digest


@dataclass(frozen=True, slots=True)
class TrustParams(SubjectParams):
    """The whole new text."""

    document: str


class ReplaceTrustPolicy(OnSubject):
    """Gives a role another trust policy."""

    spec = OperationSpec(
        slug="trust_policy.replace",
        family="role-trust",
        subject_kind=Kind.ROLE.value,
        title="Update trust policy of role {name}",
        no_op="The trust policy of {name} already has this text.",
        counted=("Update the trust policy of", "role"),
        call="UpdateAssumeRolePolicy",
        parameters={"RoleName": "name", "PolicyDocument": "document"},
        sentence="Replaces the trust policy of {name}",
    )

    params_type = TrustParams
    inputs: TrustParams

    @classmethod
    def of(cls, role: Entity, *, text: str) -> Self:
        """The operation on a role of the mirror."""
        return cls(role.account, TrustParams(**names_of(role), document=text))

    def excludes(self, slug: str, params: Mapping[str, Any]) -> bool:
        """Each is planned on the text of now, so only one can be open at a time."""
        return slug == self.slug

    def desired_state(self) -> Image:
        return _image(self.inputs.document)

    def satisfied(self, image: Image) -> bool:
        """The policy says it, however it is laid out."""
        return bool(image.get("trust") == self.desired_state()["trust"])

    def can_proceed(self, image: Image, *, before: Image) -> bool:
        return bool(image.get("trust") == before["trust"])

    def image_of(self, subject: Entity) -> Image:
        return _image(self.text_now(subject))

    def image_now(self, now: EntityNow) -> Image:
        return _image(now.trust)

    def text_now(self, subject: Entity | None) -> str:
        """What the mirror has of it; empty where it was not read."""
        state = state_of(subject) if subject else None
        return state.document.text if state and state.document else ""

    def problems(self) -> list[str]:
        """Also what is wrong with the text."""
        if f":role{trust.SERVICE_LINKED}" in self.inputs.subject_arn:
            return [f"{self.inputs.name} is a service-linked role. Only its service can assume it."]
        return trust.problems_of(self.inputs.document, account=self.account) or super().problems()

    def effect(self) -> AccessEffect:
        before = self.text_now(self.subject())
        return AccessEffect(notes=tuple(trust.said_of(before, self.inputs.document)))

    def risks(self) -> tuple[str, ...]:
        before = self.text_now(self.subject())
        return (TRUST_OPENED,) if trust.opens(before, self.inputs.document) else ()

    def sensitivity(self, effect: AccessEffect) -> str:
        """High when somebody is let in whom the former text did not let in."""
        return HIGH if self.risks() else NORMAL

    def simulate(self, world: ChangeWorld) -> None:
        row = world.principal(self.inputs.subject_arn)
        if row is not None:
            world.put_principal(replace(row, trust=world.text(self.inputs.document)))

    def inverse(self, before: Image) -> Operation | None:
        """None when the former text was never read."""
        document = Document.objects.filter(digest=before["text"]).first()
        if document is None or self.satisfied(before):
            return None
        return ReplaceTrustPolicy(self.account, replace(self.inputs, document=document.text))


def _image(text: str) -> Image:
    return {"trust": trust.trust_meaning(text), "text": document_digest(text)}
