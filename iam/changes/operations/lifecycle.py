"""What making, renaming and deleting share, whatever is made, renamed or deleted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Self, cast
from uuid import UUID

from iam.aws.reads.single import WORDS, EntityNow, entity_now
from iam.aws.session import Aws
from iam.changes.operations.base import AwsCall, Image, Operation, QuotaUse, class_of
from iam.changes.operations.dependencies import remaining_dependencies
from iam.changes.operations.quotas import quota_of
from iam.changes.operations.subject import (
    ABSENT,
    OnSubject,
    SubjectParams,
    boundary_in_mirror,
    names_of,
    tags_in_mirror,
)
from iam.changes.planning_cache import memoize, primed
from iam.changes.world import ChangeWorld
from iam.mirror.models import Account, Entity, EntityState, valid_at

PARTS: Final = 3
"""So many of the parts that must go first a refusal names."""


def arn_of(account: Account, *, kind: str, name: str, path: str = "/") -> str:
    """The ARN that AWS gives to what is made under a path."""
    return f"arn:{account.partition}:iam::{account.account_id}:{kind}{path}{name}"


def state_of(entity: Entity) -> EntityState | None:
    """The mirror's state of an entity, as it is now."""
    return EntityState.objects.filter(valid_at(None), entity=entity).select_related("document").first()


def namesake(account: Account, *, kind: str, name: str, but: str = "") -> Entity | None:
    """What has this name already: AWS tells names of one kind apart without regard to case. `but` is a
    unique id that does not count."""
    known = cast("tuple[frozenset[str], dict[str, Entity]] | None", primed(("namesakes", account.pk, kind)))
    if known is not None and not but and name.lower() in known[0]:
        return known[1].get(name.lower())
    living = Entity.objects.filter(account=account, kind=kind, name__iexact=name, gone_at__isnull=True)
    return living.exclude(aws_id=but).first()


class Whole(OnSubject):
    """An operation whose image is an entity as a whole: all that can be said when it is made."""

    image_fields: ClassVar[tuple[str, ...]]
    """Those of path, boundary and tags that its kind has."""

    def image_of(self, subject: Entity) -> Image:
        return _whole_image({name: _IN_MIRROR[name](subject) for name in self.image_fields})

    def image_now(self, now: EntityNow) -> Image:
        return _whole_image({name: getattr(now, name) for name in self.image_fields})


def _whole_image(values: Mapping[str, Any]) -> Image:
    """The image of an entity that exists."""
    image: dict[str, Any] = {"exists": True}
    for name, value in values.items():
        image[name] = dict(value) if isinstance(value, Mapping) else value
    return image


def _path_in_mirror(entity: Entity) -> str:
    state = state_of(entity)
    return state.path if state else "/"


_IN_MIRROR: Final[Mapping[str, Callable[[Entity], Any]]] = {
    "path": _path_in_mirror,
    "boundary": boundary_in_mirror,
    "tags": tags_in_mirror,
}


class Create(OnSubject):
    """Makes something under a name that nothing has."""

    image_fields: ClassVar[tuple[str, ...]] = ()
    quota_name: ClassVar[str]
    """As GetAccountSummary names it."""
    quota_usual: ClassVar[int]
    """AWS's own figure, where the summary has not been read."""

    inputs: SubjectParams
    _made_before = 0

    def with_preceding(self, earlier: Sequence[Operation]) -> None:
        """How many of the same kind the set has made by then."""
        same = type(self), self.account.pk
        self._made_before = sum((type(operation), operation.account.pk) == same for operation in earlier)

    @property
    def subject_id(self) -> str:
        """The ARN, before and after: the unique id is AWS's to give."""
        return self.inputs.subject_arn

    def modified_arns(self) -> tuple[str, ...]:
        """Nothing that there is."""
        return ()

    def created_arns(self) -> tuple[str, ...]:
        return (self.inputs.subject_arn,)

    def desired_state(self) -> Image:
        return _whole_image({name: getattr(self.inputs, name) for name in self.image_fields})

    def state_in_mirror(self) -> Image:
        subject = self.subject()
        return ABSENT if subject is None else self.image_of(subject)

    def identity_error(self, aws: Aws) -> str:
        """There is nothing yet that a name could mean."""
        return ""

    def handle_response(
        self, call: AwsCall, response: Mapping[str, Any], *, change_id: UUID
    ) -> dict[str, Any]:
        """The unique id."""
        word = WORDS[self.subject_kind]
        aws_id = response.get(word, {}).get(f"{word}Id", "")
        return {"ids": {self.inputs.subject_arn: str(aws_id)}} if aws_id else {}

    def problems(self) -> list[str]:
        """Also whether the name is taken."""
        taken = namesake(self.account, kind=self.subject_kind, name=self.inputs.name)
        if taken is not None:
            return [f"a {self.noun} named {taken.name} already exists. Names must differ by more than case."]
        return super().problems()

    def quota(self) -> QuotaUse | None:
        """How many there are in the account, and how many AWS allows."""
        there = Entity.objects.filter(account=self.account, kind=self.subject_kind, gone_at__isnull=True)
        used = memoize(("count", self.account.pk, self.subject_kind), there.count) + self._made_before
        limit = quota_of(self.account, self.quota_name, default=self.quota_usual)
        refusal = (
            f"{self.account.name} has {used:,} {self.noun}s, and AWS allows {limit:,}. Delete one "
            "first, or ask AWS to raise the quota."
        )
        return QuotaUse(
            f"{self.noun.capitalize()}s afterwards", used=used, after=used + 1, limit=limit, refusal=refusal
        )

    def inverse(self, before: Image) -> Operation | None:
        """None when it is gone from the mirror already."""
        subject = self.subject()
        if subject is None or before != ABSENT:
            return None
        return cast("type[Delete]", class_of(self.spec.inverse)).of(subject)


class Delete(OnSubject):
    """Deletes something that has nothing left which AWS wants gone first; what has is refused, unless its
    set takes that away before."""

    image_fields: ClassVar[tuple[str, ...]] = ()
    inputs: SubjectParams
    _earlier: Sequence[Operation] = ()

    def with_preceding(self, earlier: Sequence[Operation]) -> None:
        self._earlier = earlier

    def problems(self) -> list[str]:
        """Also what AWS wants gone first."""
        subject = self.subject()
        left = remaining_dependencies(subject, self._earlier) if subject else []
        if not left:
            return super().problems()
        first = "; ".join(dependency.title for dependency in left[:PARTS])
        more = f"; and {len(left) - PARTS:,} more" if len(left) > PARTS else ""
        return [f"{self.inputs.name} still has parts that must be removed first. {first}{more}."]

    @classmethod
    def of(cls, subject: Entity) -> Self:
        """The operation on an entity of the mirror."""
        return cls(subject.account, cls.params_type(**names_of(subject)))

    def desired_state(self) -> Image:
        return dict(ABSENT)

    def state_in_mirror(self) -> Image | None:
        """What is gone is known to be gone."""
        return super().state_in_mirror() or (dict(ABSENT) if self._was_known() else None)

    def _was_known(self) -> bool:
        params = self.inputs
        known = Entity.objects.filter(account=self.account, kind=self.subject_kind, aws_id=params.subject_id)
        return bool(params.subject_id) and known.exists()

    def identity_error(self, aws: Aws) -> str:
        """That it is gone is what is wanted."""
        error = super().identity_error(aws)
        return error if self.seen and self.seen.now else ""

    def simulate(self, world: ChangeWorld) -> None:
        world.drop(self.inputs.subject_arn)

    def inverse(self, before: Image) -> Operation | None:
        """The same made again: name, path, boundary and tags; its unique id is another."""
        if before == ABSENT or not self.spec.inverse:
            return None
        fields = {name: before[name] for name in self.image_fields}
        create = cast("Any", class_of(self.spec.inverse))
        return cast("Operation", create.of(self.account, name=self.inputs.name, **fields))


@dataclass(frozen=True, slots=True)
class RenameParams(SubjectParams):
    """The name and the path that it gets; either may be the one that it has."""

    new_name: str
    new_path: str


class Rename(OnSubject):
    """Gives a user or group another name or path, and so another ARN; the unique id stays."""

    params_type = RenameParams
    inputs: RenameParams

    @classmethod
    def of(cls, subject: Entity, *, name: str, path: str) -> Self:
        """The operation on an entity of the mirror."""
        return cls(subject.account, RenameParams(**names_of(subject), new_name=name, new_path=path))

    @property
    def title(self) -> str:
        params = self.inputs
        if params.new_name != params.name:
            return f"Rename {self.noun} {params.name} to {params.new_name}"
        return f"Move {self.noun} {params.name} to {params.new_path}"

    @property
    def other_name(self) -> str:
        """The new name; empty where only the path changes."""
        return self.inputs.new_name if self.inputs.new_name != self.inputs.name else ""

    def desired_state(self) -> Image:
        return {"name": self.inputs.new_name, "path": self.inputs.new_path}

    def image_of(self, subject: Entity) -> Image:
        state = state_of(subject)
        return {"name": subject.name, "path": state.path if state else "/"}

    def image_now(self, now: EntityNow) -> Image:
        return {"name": now.name, "path": now.path}

    def look(self, aws: Aws) -> EntityNow | None:
        """Under the name of before, and under the new one if it is not there."""
        params, record = self.inputs, None
        for name in dict.fromkeys((params.name, params.new_name)):
            now = entity_now(aws, kind=self.subject_kind, name=name)
            if now is not None and now.aws_id == params.subject_id:
                return now
            record = now or record
        return record

    @property
    def name_afterwards(self) -> str:
        """The name of before, when AWS shows that it still has that."""
        params, now = self.inputs, self.seen.now if self.seen else None
        return now.name if now is not None and now.aws_id == params.subject_id else params.new_name

    def problems(self) -> list[str]:
        """Also whether somebody else has the name."""
        params = self.inputs
        taken = namesake(self.account, kind=self.subject_kind, name=params.new_name, but=params.subject_id)
        if taken is not None:
            return [f"a {self.noun} named {taken.name} already exists. Names must differ by more than case."]
        return super().problems()

    def simulate(self, world: ChangeWorld) -> None:
        """Policies that name the ARN, and variables in policies, mean it differently."""
        params = self.inputs
        world.move(
            params.subject_arn,
            to=arn_of(self.account, kind=self.subject_kind, name=params.new_name, path=params.new_path),
        )

    def inverse(self, before: Image) -> Operation | None:
        subject = self.subject()
        if subject is None or before == self.desired_state():
            return None
        return type(self).of(subject, name=str(before["name"]), path=str(before["path"]))
