"""Delete a version of a managed policy that does not hold, or keep its text as a version again.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicyVersion.html
https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicyVersion.html
Neither changes what anybody can do. AWS never gives the number of a version twice, so a text that comes back
has another number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Self

from iam.changes.operations.base import Image, Operation, QuotaUse
from iam.changes.operations.managed_policy import OF_AWS, OnPolicy
from iam.changes.operations.policy_content import MAX_VERSIONS, document_meaning
from iam.changes.operations.spec import OperationSpec
from iam.changes.operations.subject import SubjectParams, names_of
from iam.mirror.models import Document, Entity, Kind, PolicyVersion, valid_at
from iam.mirror.pull.transform.principals import document_digest


@dataclass(frozen=True, slots=True)
class FormerParams(SubjectParams):
    """Which text, by the key of its document; `version` is the number that it has, or had."""

    version: str
    digest: str


class FormerVersion(OnPolicy):
    """What both have in common."""

    params_type: ClassVar[type[SubjectParams]] = FormerParams
    inputs: FormerParams

    @classmethod
    def of(cls, policy: Entity, *, version: PolicyVersion) -> Self:
        """The operation on a version, of now or of before, of a policy of the mirror."""
        names = names_of(policy)
        params = FormerParams(**names, version=version.version_id, digest=version.document_id)
        return cls(policy.account, params)

    @cached_property
    def text(self) -> str:
        """What the version says; texts are never deleted from the mirror."""
        return Document.objects.get(digest=self.inputs.digest).text

    @property
    def arn(self) -> Mapping[str, str]:
        """The policy as calls name it."""
        return {"PolicyArn": self.inputs.subject_arn}

    def problems(self) -> list[str]:
        """Also whose the policy is."""
        if OF_AWS in self.inputs.subject_arn:
            return [f"{self.inputs.name} is managed by AWS, so only AWS can change it."]
        return super().problems()


class DeletePolicyVersion(FormerVersion):
    """Deletes a version that does not hold."""

    spec = OperationSpec(
        slug="policy.delete_version",
        family="policy-version",
        subject_kind=Kind.POLICY.value,
        title="Delete version {version} of policy {name}",
        no_op="{name} no longer has version {version}.",
        counted=("Delete", "policy version"),
        call="DeletePolicyVersion",
        parameters={"PolicyArn": "subject_arn", "VersionId": "version"},
        sentence="Deletes {version} of {name}, which isn’t the default version. Gatehouse keeps its text",
        undo_caveat="Its text is restored as a version with another number.",
    )

    def desired_state(self) -> Image:
        return {"without": self.inputs.version}

    def satisfied(self, image: Image) -> bool:
        return self.inputs.version not in image.get("versions", ())

    def can_proceed(self, image: Image, *, before: Image) -> bool:
        """The version does not hold, whatever else became of the policy."""
        return bool(image.get("exists")) and image["default"] != self.inputs.version

    def problems(self) -> list[str]:
        """AWS keeps the version that holds."""
        subject, version = self.subject(), self.inputs.version
        rows = PolicyVersion.objects.filter(valid_at(None), policy=subject, version_id=version)
        if subject is not None and rows.filter(is_default=True).exists():
            return [
                f"{version} is the default version of {self.inputs.name}. Set another version as "
                "default first."
            ]
        return super().problems()

    def inverse(self, before: Image) -> Operation | None:
        """The text as a version again, under another number."""
        return None if self.satisfied(before) else RestorePolicyVersion(self.account, self.inputs)


class RestorePolicyVersion(FormerVersion):
    """Keeps a former text as a version again, which does not hold."""

    spec = OperationSpec(
        slug="policy.restore_version",
        family="policy-version",
        subject_kind=Kind.POLICY.value,
        title="Restore version {version} of policy {name}",
        no_op="{name} already has a version with this text.",
        counted=("Restore", "policy version"),
        call="CreatePolicyVersion",
        parameters={"PolicyArn": "subject_arn", "PolicyDocument": "text", "SetAsDefault": False},
        sentence="{name} gets a version with the text of {version}, not as default",
        is_idempotent=False,
    )

    def desired_state(self) -> Image:
        return {"with": document_meaning(self.text)}

    def satisfied(self, image: Image) -> bool:
        """A version says it, whichever number it has."""
        return document_meaning(self.text) in image.get("documents", ())

    def can_proceed(self, image: Image, *, before: Image) -> bool:
        """There is room, whatever else became of the policy."""
        return bool(image.get("exists")) and len(image["versions"]) < MAX_VERSIONS

    def quota(self) -> QuotaUse | None:
        """Versions of the policy, now and afterwards."""
        subject = self.subject()
        if subject is None:
            return None
        used = PolicyVersion.objects.filter(valid_at(None), policy=subject).count()
        refusal = f"{subject.name} has {used} versions, and AWS keeps {MAX_VERSIONS}. Delete one first."
        return QuotaUse("Versions afterwards", used=used, after=used + 1, limit=MAX_VERSIONS, refusal=refusal)

    def inverse(self, before: Image) -> Operation | None:
        """Without the version that was made."""
        subject = self.subject()
        if subject is None or self.satisfied(before):
            return None
        rows = PolicyVersion.objects.filter(valid_at(None), policy=subject, is_default=False)
        made = rows.filter(document=document_digest(self.text)).exclude(version_id__in=before["versions"])
        version = made.first()
        return None if version is None else DeletePolicyVersion.of(subject, version=version)
