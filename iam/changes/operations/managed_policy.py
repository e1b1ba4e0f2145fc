"""Create a customer managed policy, or delete one with all its versions.

AWS deletes a policy only if it is not attached to anything and only its default version is left, so the other
versions are deleted first. Gatehouse keeps every text: a recreated policy gets all its versions in the same
order.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Self

from django.db.models import QuerySet

from iam.aws.reads.details import get_policy
from iam.aws.reads.policies import number_of
from iam.aws.records import PolicyRecord
from iam.aws.session import Aws
from iam.changes.access_effects import AccessEffect
from iam.changes.documents import EVERYTHING, IAM_WRITE, flags
from iam.changes.operations.base import AwsCall, Image, Operation
from iam.changes.operations.facts import EntityInMirror, former_text, tags_in_mirror
from iam.changes.operations.identity import found_or_none
from iam.changes.operations.lifecycle import Create, Delete, account_quota, creation, removal
from iam.changes.operations.params import Blank
from iam.changes.operations.policy_content import (
    MAX_VERSIONS,
    comparable,
    document_meaning,
    managed_text_problem,
    policy_image,
    versions_of,
)
from iam.changes.operations.spec import HIGH, NORMAL, OF_AWS, refuse
from iam.changes.operations.subject import OnSubject, SubjectParams
from iam.changes.world import ChangeWorld
from iam.mirror.models import Account, Document, Edge, EdgeKind, Entity, Kind, valid_at
from iam.mirror.refresh import SubjectReading
from iam.phrases import first_names
from iam.policy.index.rows import PolicyRow


class OnPolicy(OnSubject):
    """An operation on a whole policy: found by its ARN, read once with all its versions, and refreshed from
    that.
    """

    excluded = ("policy.",)

    def read_from_aws(self, aws: Aws) -> PolicyRecord | None:
        """Two calls and one for each version; one call if the policy doesn't exist."""
        return found_or_none(lambda: get_policy(aws, arn=self.inputs.subject_arn))

    @property
    def reading(self) -> SubjectReading | None:
        return SubjectReading(*self.seen) if self.seen else None

    def image_of(self, subject: Entity) -> Image:
        rows = versions_of(subject).select_related("document")
        return policy_image(
            EntityInMirror(subject),
            versions={version.version_id: version.document.text for version in rows},
            default=next((version.version_id for version in rows if version.is_default), ""),
        )

    def image_now(self, now: PolicyRecord) -> Image:
        versions = {version.version_id: version.document for version in now.versions}
        return policy_image(now, versions=versions, default=now.default_version_id)


class NewPolicyParams(SubjectParams):
    """The path, description, default text and tags of a new policy.

    `others` are the non-default versions: position (from 0, the oldest) → digest of the text. The default
    text has the remaining position.
    """

    path: str
    description: Blank
    document: str
    tags: dict[str, str]
    others: dict[str, str]


class CreatePolicy(OnPolicy, Create):
    spec = creation(
        Kind.POLICY,
        family="managed-policy",
        parameters={
            "PolicyName": "name",
            "Path": "path",
            "PolicyDocument": "first_text",
            "Description": "description?",
            "Tags": "tag_list?",
        },
        sentence="Creates policy {name} (not attached to anyone)",
        quota=account_quota("policies", name="PoliciesQuota", usual=1500),
    )

    inputs: NewPolicyParams

    @classmethod
    def of(cls, account: Account, *more: Any, text: str, **rest: Any) -> Self:
        return super().of(account, document=text, **rest)

    @cached_property
    def texts(self) -> list[str]:
        """The texts of the versions, the oldest first. Texts are never deleted from the mirror."""
        others = self.inputs.others
        known = {
            document.digest: document.text
            for document in Document.objects.filter(digest__in=set(others.values()))
        }
        texts: list[str] = []
        for place in map(str, range(len(others) + 1)):
            text = known[others[place]] if place in others else self.inputs.document
            texts.append(text)
        return texts

    @property
    def default(self) -> int:
        return next(place for place in range(len(self.texts)) if str(place) not in self.inputs.others)

    @property
    def first_text(self) -> str:
        return self.texts[0]

    def calls(self) -> tuple[AwsCall, ...]:
        further = enumerate(self.texts[1:], start=1)
        return *super().calls(), *(self._version(place, text) for place, text in further)

    def _version(self, place: int, text: str) -> AwsCall:
        holds = place == self.default
        params = {"PolicyArn": self.inputs.subject_arn, "PolicyDocument": text, "SetAsDefault": holds}
        what = "as default" if holds else "not as default"
        sentence = f"{self.inputs.name} gets its version {place + 1}, {what}"
        return AwsCall("iam", "CreatePolicyVersion", params, sentence)

    def may_repeat(self, call: AwsCall) -> bool:
        """AWS allows one policy per name, but CreatePolicyVersion makes another version each time."""
        return call.operation == "CreatePolicy"

    def is_done(self, call: AwsCall, *, image: Image) -> bool:
        return len(image.get("versions", ())) > self.calls().index(call)

    def can_proceed(self, image: Image, *, before: Image) -> bool:
        """True if nothing has the name, or if the policy has the first of the wanted versions."""
        if image == before:
            return True
        meanings = [document_meaning(text) for text in self.texts]
        made = image.get("documents", ())
        return 0 < len(made) < len(meanings) and list(made) == meanings[: len(made)]

    def desired_state(self) -> Image:
        versions = {f"v{place}": text for place, text in enumerate(self.texts, start=1)}
        return policy_image(self.inputs, versions=versions, default=f"v{self.default + 1}")

    def satisfied(self, image: Image) -> bool:
        """Compare the texts, regardless of version numbers and layout."""
        return comparable(image) == comparable(self.desired_state())

    def refusal(self) -> str:
        params = self.inputs
        taken = self.living().filter(name__iexact=params.name).first()
        if taken is not None:
            return f"a policy named {taken.name} already exists: {taken.arn}."
        if len(params.others) >= MAX_VERSIONS:
            return f"a policy has at most {MAX_VERSIONS} versions."
        for text in self.texts:
            if problem := managed_text_problem(text):
                return problem[0].lower() + problem[1:]
        return ""

    def living(self) -> QuerySet[Entity]:
        """The account's customer managed policies, without AWS's own."""
        policies = Entity.objects.filter(account=self.account, kind=Kind.POLICY, gone_at__isnull=True)
        return policies.exclude(arn__contains=OF_AWS)

    def used(self) -> int:
        return self.living().count()

    def simulate(self, world: ChangeWorld) -> None:
        arn = self.inputs.subject_arn
        world.put_policy(PolicyRow(world.make(arn), arn, world.text(self.inputs.document)))

    def sensitivity(self, effect: AccessEffect) -> str:
        """High for a text that allows everything or changes to IAM, even if no one has the policy yet."""
        return HIGH if {EVERYTHING, IAM_WRITE} & set(flags(self.inputs.document)) else NORMAL

    def texts_made(self) -> Mapping[str, str]:
        return {self.inputs.subject_arn: self.inputs.document}


class GonePolicyParams(SubjectParams):
    """The versions to delete first: position ("0" …) → version ID."""

    versions: dict[str, str]


class DeletePolicy(OnPolicy, Delete):
    spec = removal(
        CreatePolicy.spec,
        requirements=(refuse(OF_AWS, "{name} is managed by AWS, so only AWS can delete it."),),
        sentence="Deletes policy {name}. Gatehouse keeps its text",
        undo_caveat=(
            "It is recreated with the texts of all versions, with a new unique ID and new version numbers."
        ),
    )

    inputs: GonePolicyParams

    @classmethod
    def of(cls, subject: Entity) -> Self:
        rows = versions_of(subject, is_default=False).values_list("version_id", flat=True)
        ids = sorted(rows, key=number_of)
        return super().of(subject, versions={str(place): version_id for place, version_id in enumerate(ids)})

    def calls(self) -> tuple[AwsCall, ...]:
        before = [
            AwsCall(
                "iam",
                "DeletePolicyVersion",
                {"PolicyArn": self.inputs.subject_arn, "VersionId": version},
                f"Deletes the older version {version}. Gatehouse keeps its text",
            )
            for version in self.inputs.versions.values()
        ]
        return *before, *super().calls()

    def is_done(self, call: AwsCall, *, image: Image) -> bool:
        return call.params.get("VersionId", "") not in ("", *image.get("versions", ()))

    def can_proceed(self, image: Image, *, before: Image) -> bool:
        """True if nothing changed except that versions to delete may already be gone. Tags are not compared,
        because the mirror may not have synced them yet.
        """
        if any(image.get(key) != before[key] for key in ("path", "description", "default")):
            return False
        had = set(before["versions"])
        has = set(image.get("versions", ()))
        to_delete = set(self.inputs.versions.values())
        return had - to_delete <= has <= had

    def identity_error(self, aws: Aws) -> str:
        """Also check that no one has the policy, since AWS would refuse to delete it."""
        why = super().identity_error(aws)
        record = self.seen.now if self.seen else None
        if why or not isinstance(record, PolicyRecord):
            return why
        holders = record.attachment_count + record.boundary_count
        if not holders:
            return ""
        who = "1 user, group or role has it" if holders == 1 else f"{holders} users, groups or roles have it"
        return f"{self.inputs.name} can’t be deleted: {who}. Detach it first."

    def notes(self) -> tuple[str, ...]:
        """Who has the policy now, and what undoing can't restore."""
        subject = self.subject()
        if subject is None:
            return ()
        kinds = (EdgeKind.ATTACHED, EdgeKind.BOUNDARY)
        edges = Edge.objects.filter(valid_at(None), kind__in=kinds, target=subject)
        names = sorted(set(edges.values_list("source__name", flat=True)), key=str.lower)
        notes = []
        if names:
            notes.append(f"It is attached to {first_names(names)}, and detached from them first.")
        if subject.detail_at is None and not tags_in_mirror(subject):
            notes.append("Its tags aren’t synced yet, so undoing can’t restore them.")
        return tuple(notes)

    def restoration(self, before: Image) -> Operation | None:
        """Create a policy with the same name, path and tags, and the texts of all versions. It has a new
        unique ID and is not attached to anyone.
        """
        texts = dict(enumerate(before["texts"]))
        text = former_text(texts.pop(before["versions"].index(before["default"])))
        others = {str(number): digest for number, digest in texts.items()}
        known = {name: before[name] for name in ("path", "description", "tags")}
        if text is None:
            return None
        return CreatePolicy.of(self.account, name=self.inputs.name, text=text, others=others, **known)
