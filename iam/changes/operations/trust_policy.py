"""Say anew who may assume a role."""

from __future__ import annotations

from dataclasses import replace

from iam.changes.operations import trust
from iam.changes.operations.base import AccessEffect
from iam.changes.operations.facts import EntityInMirror
from iam.changes.operations.spec import HIGH, NORMAL, SERVICE_LINKED, OperationSpec, refuse
from iam.changes.operations.subject import OnSubject, SubjectParams
from iam.changes.risks import TRUST_OPENED
from iam.changes.world import ChangeWorld
from iam.mirror.models import Kind


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
        return trust.refusal_of(self.inputs.document, account=self.account)

    def notes(self) -> tuple[str, ...]:
        return tuple(trust.said_of(self.text_now, self.inputs.document))

    def risks(self) -> tuple[str, ...]:
        return (TRUST_OPENED,) if trust.lets_in_more(self.text_now, self.inputs.document) else ()

    def sensitivity(self, effect: AccessEffect) -> str:
        return HIGH if self.risks() else NORMAL

    def simulate(self, world: ChangeWorld) -> None:
        world.doubt(f"Who can assume {self.inputs.name} is not analyzed. Compare the two trust policies.")
        row = world.principal(self.inputs.subject_arn)
        if row is not None:
            world.put_principal(replace(row, trust=world.text(self.inputs.document)))
