"""Set the tags of an entity: remove, add and change tags in one operation.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html

Groups have no tags. AWS ignores the case of tag keys when it compares the keys of one entity.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, Self
from uuid import UUID

from iam.aws.session import Aws
from iam.changes.operations.base import AwsCall, Image, Operation
from iam.changes.operations.facts import tags_in_mirror
from iam.changes.operations.spec import OperationSpec, Quota
from iam.changes.operations.subject import KINDS, KindNames, OnSubject, SubjectParams, tag_list
from iam.changes.world import ChangeWorld
from iam.mirror.models import Entity, Kind
from iam.mirror.refresh import reread_tags
from iam.phrases import joined
from iam.policy.letter_case import fold

MAX_TAGS: Final = Quota(
    "Tags afterwards", "{name} would have {after} tags, and AWS allows {limit}.", usual=50
)


class TagParams(SubjectParams):
    before: dict[str, str]
    tags: dict[str, str]


def _spec(kind: str, names: KindNames) -> OperationSpec:
    return OperationSpec(
        slug=f"{kind.replace('-', '_')}.set_tags",
        family=f"{kind}-tags",
        title=f"Update tags of {names.noun} {{name}}",
        no_op=f"The {names.noun} {{name}} already has these tags.",
        counted=("Update the tags of", names.counted),
        state={"tags": "tags"},
        call=f"Tag{names.word}",
        parameters=names.naming,
        quota=MAX_TAGS,
    )


SET_TAGS: Final[Mapping[str, OperationSpec]] = {
    kind: _spec(kind, names) for kind, names in KINDS.items() if kind != Kind.GROUP
}
"""The operations by kind of entity."""


def _tag_words(keys: Sequence[str]) -> str:
    """ "the tag Team", "the tags CostCenter and Team"."""
    return f"the {'tag' if len(keys) == 1 else 'tags'} {joined(keys)}"


class SetTags(OnSubject):
    excluded = ("{slug}",)
    SPECS = tuple(SET_TAGS.values())
    inputs: TagParams

    @classmethod
    def of(cls, subject: Entity, *, tags: Mapping[str, str]) -> Self:
        return super().of(subject, before=tags_in_mirror(subject), tags=dict(tags))

    @property
    def removed_keys(self) -> list[str]:
        return sorted(set(self.inputs.before) - set(self.inputs.tags))

    @property
    def added_tags(self) -> dict[str, str]:
        before = self.inputs.before
        return {key: value for key, value in self.inputs.tags.items() if before.get(key) != value}

    def calls(self) -> tuple[AwsCall, ...]:
        """Tags are removed first, to make room."""
        tag = self.specified_call()
        calls = []
        if self.removed_keys:
            sentence = f"{self.inputs.name} loses {_tag_words(self.removed_keys)}"
            operation = f"Untag{tag.operation.removeprefix('Tag')}"
            calls.append(AwsCall("iam", operation, {**tag.params, "TagKeys": self.removed_keys}, sentence))
        if self.added_tags:
            sentence = f"{self.inputs.name} gets {_tag_words(sorted(self.added_tags))}"
            calls.append(
                replace(tag, params={**tag.params, "Tags": tag_list(self.added_tags)}, sentence=sentence)
            )
        return tuple(calls)

    def initial_state(self) -> Image:
        """The tags on which the operation was planned."""
        return {"tags": dict(self.inputs.before)}

    def can_proceed(self, image: Image, *, before: Image) -> bool:
        tags = before["tags"]
        without = {key: value for key, value in tags.items() if key not in self.removed_keys}
        return image.get("tags") in (tags, without)

    def is_done(self, call: AwsCall, *, image: Image) -> bool:
        return call.operation.startswith("Untag") and not set(self.removed_keys) & set(image["tags"])

    def read_back(self, aws: Aws, *, cause_id: UUID | None) -> None:
        subject = self.subject()
        if subject is not None and self.seen is not None and self.seen.now is not None:
            tags = self.seen.now.tags
            reread_tags(self.account, subject, tags=tags, at=self.seen.at, cause_id=cause_id)

    def used(self) -> int:
        return len(self.inputs.before)

    @property
    def quota_growth(self) -> int:
        """Negative if tags are removed."""
        return len(self.inputs.tags) - len(self.inputs.before)

    def refusal(self) -> str:
        """Also check what AWS checks only when it is called."""
        keys = [fold(key) for key in self.inputs.tags]
        if twice := sorted({key for key in keys if keys.count(key) > 1}):
            return f"the key {twice[0]} is used twice. AWS ignores the case of keys."
        if reserved := sorted(key for key in self.added_tags if fold(key).startswith("aws:")):
            return f"{reserved[0]} begins with aws:, which is reserved for AWS."
        return ""

    def simulate(self, world: ChangeWorld) -> None:
        """Conditions on tags may match differently afterwards."""
        row = world.principal(self.inputs.subject_arn)
        if row is not None:
            world.put_principal(replace(row, tags=dict(self.inputs.tags)))

    def restoration(self, before: Image) -> Operation | None:
        return self.with_params(before=dict(self.inputs.tags), tags=dict(before["tags"]))
