"""Delete a non-default version of a managed policy, restore a version's text as a new version, or undo a new
version for which the oldest of five versions was deleted.

AWS never reuses a version number, so a restored text has another number.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from iam.changes.operations.base import AwsCall, Image, Operation
from iam.changes.operations.facts import former_text
from iam.changes.operations.managed_policy import OnPolicy
from iam.changes.operations.policy_content import MAX_VERSIONS, document_meaning, versions_of
from iam.changes.operations.policy_version import CreatePolicyVersion, OtherText, PolicyParams, TextParams
from iam.changes.operations.spec import OF_AWS, OperationSpec, Quota
from iam.changes.operations.subject import SubjectParams
from iam.mirror.models import Document, Entity, PolicyVersion
from iam.mirror.pull.transform.principals import document_digest


class FormerParams(SubjectParams):
    """The text, by the digest of its document; `version` is the number that it has or had."""

    version: str
    digest: str


class FormerVersion(OnPolicy):
    inputs: FormerParams

    @cached_property
    def text(self) -> str:
        return Document.objects.get(digest=self.inputs.digest).text

    def version_since(self, before: Image, text: str) -> PolicyVersion | None:
        """A non-default version with this text that did not exist before; None if there is none."""
        subject = self.subject()
        if subject is None:
            return None
        rows = versions_of(subject, is_default=False, document=document_digest(text))
        return rows.exclude(version_id__in=before["versions"]).select_related("policy__account").first()

    def refusal(self) -> str:
        if OF_AWS in self.inputs.subject_arn:
            return f"{self.inputs.name} is managed by AWS, so only AWS can change it."
        return ""


class DeletePolicyVersion(FormerVersion):
    spec = OperationSpec(
        slug="policy.delete_version",
        family="policy-version",
        title="Delete version {version} of policy {name}",
        no_op="{name} no longer has version {version}.",
        counted=("Delete", "policy version"),
        call="DeletePolicyVersion",
        parameters={"PolicyArn": "subject_arn", "VersionId": "version"},
        sentence="Deletes {version} of {name}, which isn’t the default version. Gatehouse keeps its text",
        inverse="policy.restore_version",
        undo_caveat="Its text is restored as a version with another number.",
    )

    def desired_state(self) -> Image:
        return {"without": self.inputs.version}

    def satisfied(self, image: Image) -> bool:
        return self.inputs.version not in image.get("versions", ())

    def can_proceed(self, image: Image, *, before: Image) -> bool:
        """True if the policy exists and the version is not its default; other changes to the policy don't
        matter.
        """
        return bool(image.get("exists")) and image["default"] != self.inputs.version

    def refusal(self) -> str:
        subject, version = self.subject(), self.inputs.version
        rows = versions_of(subject, version_id=version, is_default=True)
        if subject is not None and rows.exists():
            return (
                f"{version} is the default version of {self.inputs.name}. Set another version as "
                "default first."
            )
        return super().refusal()


class RestorePolicyVersion(FormerVersion):
    spec = OperationSpec(
        slug="policy.restore_version",
        family="policy-version",
        title="Restore version {version} of policy {name}",
        no_op="{name} already has a version with this text.",
        counted=("Restore", "policy version"),
        call="CreatePolicyVersion",
        parameters={"PolicyArn": "subject_arn", "PolicyDocument": "text", "SetAsDefault": False},
        sentence="{name} gets a version with the text of {version}, not as default",
        quota=Quota(
            "Versions afterwards",
            "{name} has {used} versions, and AWS keeps {limit}. Delete one first.",
            usual=MAX_VERSIONS,
        ),
        is_idempotent=False,
    )

    def desired_state(self) -> Image:
        return {"with": document_meaning(self.text)}

    def satisfied(self, image: Image) -> bool:
        return document_meaning(self.text) in image.get("documents", ())

    def can_proceed(self, image: Image, *, before: Image) -> bool:
        """True while there is room for a version; other changes to the policy don't matter."""
        return bool(image.get("exists")) and len(image["versions"]) < MAX_VERSIONS

    def used_by(self, policy: Entity) -> int:
        return versions_of(policy).count()

    def restoration(self, before: Image) -> Operation | None:
        made = self.version_since(before, self.text)
        return None if made is None else DeletePolicyVersion.of(made.policy, version=made)


class ReplacedParams(FormerParams):
    """`version` and `digest` become the default again, `made` is deleted, `lost` and `lost_digest` are
    restored.
    """

    made: str
    lost: str
    lost_digest: str


class TakeBackVersion(FormerVersion, OtherText):
    """Makes the former version the default, deletes the version that replaced it, and restores the text of
    the version that was deleted to make room.
    """

    spec = OperationSpec(
        slug="policy.take_back_version",
        family="policy-version",
        title="Set {version} as default version of policy {name}, and restore the text of {lost}",
        no_op="{name} already has the text of {version} as default, and keeps the text of {lost}.",
        counted=("Undo the new version of", "policy|policies"),
        is_idempotent=False,
    )

    inputs: ReplacedParams

    @cached_property
    def lost_text(self) -> str:
        return Document.objects.get(digest=self.inputs.lost_digest).text

    def calls(self) -> tuple[AwsCall, ...]:
        params = self.inputs
        return (
            self._call(
                "SetDefaultPolicyVersion",
                f"{params.version} becomes the default version of {params.name}",
                VersionId=params.version,
            ),
            self._call(
                "DeletePolicyVersion",
                f"Deletes {params.made}, which is no longer the default. Gatehouse keeps its text",
                VersionId=params.made,
            ),
            self._call(
                "CreatePolicyVersion",
                f"{params.name} gets a version with the text of {params.lost}, not as default",
                PolicyDocument=self.lost_text,
                SetAsDefault=False,
            ),
        )

    def _call(self, operation: str, sentence: str, **params: Any) -> AwsCall:
        return AwsCall("iam", operation, {"PolicyArn": self.inputs.subject_arn, **params}, sentence)

    def desired_state(self) -> Image:
        return {
            "default": self.inputs.version,
            "without": self.inputs.made,
            "with": document_meaning(self.lost_text),
        }

    def satisfied(self, image: Image) -> bool:
        return all(self.is_done(call, image=image) for call in self.calls())

    def can_proceed(self, image: Image, *, before: Image) -> bool:
        """True if there is no unknown version, and none is missing except the one to delete."""
        if not image.get("exists") or image["default"] not in (before["default"], self.inputs.version):
            return False
        known, there = set(before["versions"]), set(image["versions"])
        return known - {self.inputs.made} <= there <= known

    def is_done(self, call: AwsCall, *, image: Image) -> bool:
        if call.operation == "SetDefaultPolicyVersion":
            return bool(image.get("default") == self.inputs.version)
        if call.operation == "DeletePolicyVersion":
            return self.inputs.made not in image.get("versions", ())
        return document_meaning(self.lost_text) in image.get("documents", ())

    def may_repeat(self, call: AwsCall) -> bool:
        return call.operation != "CreatePolicyVersion"

    def restoration(self, before: Image) -> Operation | None:
        """Create the text that was undone as the default version again, in the place of the restored one."""
        policy = self.subject()
        if policy is None:
            return None
        texts = dict(zip(before["versions"], before["texts"], strict=True))
        text = former_text(texts.get(before["default"], ""))
        if text is None:
            return None
        back = self.version_since(before, self.lost_text)
        drops = back.version_id if back else ""
        params = TextParams(**PolicyParams.names_of(policy), document=text, drops=drops)
        return CreatePolicyVersion(self.account, params)
