"""Change the text of a customer managed policy: create a new default version, or set a former version as
default.

A policy has at most five versions, so the oldest one that is not the default is deleted before a sixth is
created. Creating is not idempotent: each call creates another version. AWS never reuses a version number, so
a version never changes its text.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from functools import cached_property
from typing import Self
from uuid import UUID

from iam.aws.reads import policies
from iam.aws.reads.policies import number_of
from iam.aws.session import Aws
from iam.changes.access_effects import AccessEffect
from iam.changes.affected_principals import access_of
from iam.changes.operations.base import AwsCall, Image, Operation, restore
from iam.changes.operations.facts import former_text
from iam.changes.operations.identity import found_or_none, lost_identity
from iam.changes.operations.params import Blank, Params
from iam.changes.operations.policy_content import (
    MAX_VERSIONS,
    document_meaning,
    managed_text_problem,
    versions_of,
)
from iam.changes.operations.spec import HIGH, NORMAL, OperationSpec, Quota
from iam.changes.operations.subject import SubjectParams
from iam.changes.world import ChangeWorld
from iam.mirror.models import Document, Entity, Kind, PolicyVersion
from iam.mirror.pull.transform.principals import document_digest
from iam.mirror.refresh import reread_entity


class PolicyParams(Params):
    """The policy: its name and ARN, and its unique ID at the time of the request."""

    NAMES = {"name": "policy_name", "arn": "policy_arn", "aws_id": "policy_id"}

    policy_name: str
    policy_arn: str
    policy_id: str


class OtherText(Operation):
    @property
    @abstractmethod
    def text(self) -> str:
        """The policy's text afterwards."""

    def simulate(self, world: ChangeWorld) -> None:
        policy = world.policy(self.named("arn"))
        if policy is not None:
            world.put_policy(replace(policy, digest=world.text(self.text)))

    def effect(self) -> AccessEffect:
        """The effect on the principals that have the policy; empty if the mirror no longer has it."""
        policy = self.subject()
        if policy is None:
            return AccessEffect()
        return AccessEffect(access=access_of(policy, old=default_text(policy), text=self.text))

    def sensitivity(self, effect: AccessEffect) -> str:
        """High if a principal gains risky actions, if the text newly allows everything or changes to IAM, or
        if a deny is removed.
        """
        access = effect.access
        return HIGH if access and (access.risky or access.marks) else NORMAL


class DefaultText(OtherText):
    """An operation that changes only the default text of a policy."""

    excluded = ("policy.create_version", "policy.set_default_version", "policy.take_back_version")
    missing_message = "The policy no longer exists in AWS, as of the last sync."
    inputs: PolicyParams

    def desired_state(self) -> Image:
        return {"document": document_meaning(self.text)}

    def satisfied(self, image: Image) -> bool:
        """True if the default version has this text, regardless of its number."""
        return bool(image["document"] == document_meaning(self.text))

    def can_proceed(self, image: Image, *, before: Image) -> bool:
        """True if the default and the versions are the same, except that the version to delete may be gone
        already.
        """
        same = all(image[key] == before[key] for key in ("default", "document"))
        return same and set(before["versions"]) - {self.dropped_version} <= set(image["versions"]) <= set(
            before["versions"]
        )

    @property
    def dropped_version(self) -> str:
        """The version that is deleted first to make room; empty if there is none."""
        return ""

    def image_of(self, subject: Entity) -> Image:
        return state_in_mirror(subject)

    def identity_error(self, aws: Aws) -> str:
        params = self.inputs
        current = found_or_none(lambda: policies.policy_id(aws, arn=params.policy_arn))
        return lost_identity(f"Policy {params.policy_name}", current, expected=params.policy_id)

    def observe(self, aws: Aws) -> Image:
        """Two calls."""
        now = policies.policy_now(aws, arn=self.inputs.policy_arn)
        return _image(now.default, now.text, list(now.versions))

    def read_back(self, aws: Aws, *, cause_id: UUID | None) -> None:
        """Three calls and one for each version."""
        params = self.inputs
        reread_entity(
            self.account,
            aws,
            kind=Kind.POLICY.value,
            name=params.policy_name,
            arn=params.policy_arn,
            cause_id=cause_id,
        )

    def restoration(self, before: Image) -> Operation | None:
        """Set the former version as default if AWS still has it, else create a new version with its text."""
        policy = self.subject()
        if policy is None:
            return None
        kept = versions_of(policy, version_id=before["default"]).first()
        if kept is not None:
            return SetDefaultVersion.of(policy, version=kept)
        text = former_text(before["text"])
        return None if text is None else CreatePolicyVersion.of(policy, text=text)


class TextParams(PolicyParams):
    """The new text, and the version to delete first (empty: none)."""

    document: str
    drops: Blank


class CreatePolicyVersion(DefaultText):
    """Creates a new version of a policy and sets it as default."""

    spec = OperationSpec(
        slug="policy.create_version",
        family="policy-version",
        title="Update policy {policy_name}",
        no_op="{policy_name} already has this text.",
        counted=("Update", "policy|policies"),
        call="CreatePolicyVersion",
        parameters={"PolicyArn": "policy_arn", "PolicyDocument": "document", "SetAsDefault": True},
        sentence="{policy_name} gets a new default version",
        is_idempotent=False,
        quota=Quota(
            "Versions afterwards",
            "{policy_name} now has {used} versions, and AWS keeps {limit}. Reload the page.",
            usual=MAX_VERSIONS,
        ),
    )

    inputs: TextParams

    @classmethod
    def of(cls, policy: Entity, *, text: str) -> Self:
        """Return the operation on a policy of the mirror. It deletes the oldest non-default version if there
        is no room.
        """
        image = state_in_mirror(policy)
        others = [version for version in image["versions"] if version != image["default"]]
        drops = others[0] if len(image["versions"]) >= MAX_VERSIONS else ""
        return super().of(policy, document=text, drops=drops)

    @property
    def text(self) -> str:
        return self.inputs.document

    @property
    def dropped_version(self) -> str:
        return self.inputs.drops

    def calls(self) -> tuple[AwsCall, ...]:
        arn, drops = self.inputs.policy_arn, self.inputs.drops
        sentence = (
            f"Deletes {drops}, the oldest of {MAX_VERSIONS} versions, to make room. Gatehouse keeps its text"
        )
        drop = AwsCall("iam", "DeletePolicyVersion", {"PolicyArn": arn, "VersionId": drops}, sentence)
        return (drop, *super().calls()) if drops else super().calls()

    def restoration(self, before: Image) -> Operation | None:
        """Also restore the version that was deleted to make room, if the mirror knows its text."""
        usual = super().restoration(before)
        if not self.dropped_version or not isinstance(usual, SetDefaultVersion):
            return usual
        replaced = self._replaced(usual)
        if replaced is None:
            return usual
        return restore("policy.take_back_version", account=self.account, params=replaced)

    def _replaced(self, usual: SetDefaultVersion) -> dict[str, str] | None:
        """The parameters of `policy.take_back_version`; None if the mirror lacks one of them, or if the
        default text is no longer the one of this operation.
        """
        policy = usual.subject()
        if policy is None:
            return None
        former = versions_of(policy, version_id=usual.inputs.version).first()
        made = versions_of(policy, is_default=True).first()
        gone = PolicyVersion.objects.filter(policy=policy, version_id=self.dropped_version)
        lost = gone.order_by("-valid_from").first()
        if former is None or made is None or lost is None:
            return None
        if document_meaning(default_text(policy)) != document_meaning(self.text):
            return None
        return {
            **SubjectParams.names_of(policy),
            "version": former.version_id,
            "digest": former.document_id,
            "made": made.version_id,
            "lost": lost.version_id,
            "lost_digest": lost.document_id,
        }

    def is_done(self, call: AwsCall, *, image: Image) -> bool:
        return call.operation == "DeletePolicyVersion" and self.inputs.drops not in image["versions"]

    def may_repeat(self, call: AwsCall) -> bool:
        return call.operation == "DeletePolicyVersion"

    def used_by(self, policy: Entity) -> int:
        return versions_of(policy).count()

    @property
    def quota_growth(self) -> int:
        """0 if another version is deleted first."""
        return 0 if self.dropped_version else 1

    def refusal(self) -> str:
        return managed_text_problem(self.text)


class VersionParams(PolicyParams):
    """The version that becomes the default, and the digest of its text."""

    version: str
    digest: str


class SetDefaultVersion(DefaultText):
    spec = OperationSpec(
        slug="policy.set_default_version",
        family="policy-version",
        title="Set {version} as default version of policy {policy_name}",
        no_op="{policy_name} already has the text of {version}.",
        counted=("Set the default version of", "policy|policies"),
        call="SetDefaultPolicyVersion",
        parameters={"PolicyArn": "policy_arn", "VersionId": "version"},
        sentence="{version} becomes the default version of {policy_name}",
    )

    inputs: VersionParams

    @cached_property
    def text(self) -> str:
        """The version's text. Texts are never deleted from the mirror."""
        return Document.objects.get(digest=self.inputs.digest).text


def state_in_mirror(policy: Entity) -> Image:
    """The image of a policy in the mirror, in the form that `observe` returns. `text` is the digest of the
    default version's document.
    """
    versions = list(versions_of(policy).select_related("document"))
    default = next((version for version in versions if version.is_default), None)
    ids = [version.version_id for version in versions]
    return _image(default.version_id, default.document.text, ids) if default else _image("", "", ids)


def default_text(policy: Entity) -> str:
    """The default text of a policy in the mirror; empty if it was not synced."""
    return versions_of(policy, is_default=True).values_list("document__text", flat=True).first() or ""


def _image(default: str, text: str, versions: list[str]) -> Image:
    return {
        "default": default,
        "document": document_meaning(text),
        "text": document_digest(text),
        "versions": sorted(versions, key=number_of),
    }
