"""Take back the text of a managed policy that drove out the oldest of five versions, and keep what the oldest
said as a version again.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_SetDefaultPolicyVersion.html
https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicyVersion.html
https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicyVersion.html
AWS never gives the number of a version twice, so the text that comes back has another number. It is not the
default before and after.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from iam.changes.operations.base import AccessEffect, AwsCall, Image, Operation
from iam.changes.operations.former_version import FormerParams, FormerVersion
from iam.changes.operations.policy_content import document_meaning
from iam.changes.operations.policy_version import (
    CreatePolicyVersion,
    TextParams,
    effect_of_text,
    sensitivity_of_text,
    weigh_text,
)
from iam.changes.operations.spec import OperationSpec
from iam.changes.world import ChangeWorld
from iam.mirror.models import Document, Entity, Kind, PolicyVersion, valid_at
from iam.mirror.pull.transform.principals import document_digest


@dataclass(frozen=True, slots=True)
class ReplacedParams(FormerParams):
    """`version` and `digest`: what is to hold again. `made`: the version that goes. `lost` and
    `lost_digest`: the one that comes back."""

    made: str
    lost: str
    lost_digest: str


class TakeBackVersion(FormerVersion):
    """Makes the former version the default, deletes the one that took its place, and keeps the text that
    was driven out."""

    spec = OperationSpec(
        slug="policy.take_back_version",
        family="policy-version",
        subject_kind=Kind.POLICY.value,
        title="Set {version} as default version of policy {name}, and restore the text of {lost}",
        no_op="{name} already has the text of {version} as default, and keeps the text of {lost}.",
        counted=("Undo the new version of", "policy|policies"),
        is_idempotent=False,
    )

    params_type = ReplacedParams
    inputs: ReplacedParams

    @cached_property
    def lost_text(self) -> str:
        """What the version said that was driven out."""
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
        return AwsCall(service="iam", operation=operation, params={**self.arn, **params}, sentence=sentence)

    def desired_state(self) -> Image:
        return {
            "default": self.inputs.version,
            "without": self.inputs.made,
            "with": document_meaning(self.lost_text),
        }

    def satisfied(self, image: Image) -> bool:
        return all(self.is_done(call, image=image) for call in self.calls())

    def can_proceed(self, image: Image, *, before: Image) -> bool:
        """No version that is not known is there, and none is gone but the one that has to go."""
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
        """Making a version is sent once."""
        return call.operation != "CreatePolicyVersion"

    def simulate(self, world: ChangeWorld) -> None:
        weigh_text(world, arn=self.inputs.subject_arn, text=self.text)

    def effect(self) -> AccessEffect:
        """A policy that is gone from the mirror gives an empty effect."""
        return effect_of_text(self.subject(), text=self.text)

    def sensitivity(self, effect: AccessEffect) -> str:
        """As with any other default text."""
        return sensitivity_of_text(effect)

    def inverse(self, before: Image) -> Operation | None:
        """The text that was taken back as the default again, in the place of the one that came back."""
        policy = self.subject()
        if policy is None or self.satisfied(before):
            return None
        text = self._text_of(policy, before)
        if text is None:
            return None
        rows = PolicyVersion.objects.filter(valid_at(None), policy=policy, is_default=False)
        back = rows.filter(document=document_digest(self.lost_text)).exclude(
            version_id__in=before["versions"]
        )
        drops = back.values_list("version_id", flat=True).first() or ""
        names = {"policy_name": policy.name, "policy_arn": policy.arn, "policy_id": policy.aws_id}
        return CreatePolicyVersion(self.account, TextParams(**names, document=text, drops=drops))

    def _text_of(self, policy: Entity, before: Image) -> str | None:
        texts = dict(zip(before["versions"], before["texts"], strict=True))
        document = Document.objects.filter(digest=texts.get(before["default"])).first()
        return None if document is None else document.text
