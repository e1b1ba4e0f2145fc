"""Shared parts of operations that create, rename or delete an entity of any kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Self, cast

from iam.aws.session import Aws
from iam.changes.operations.base import AwsCall, Image, Operation, class_of
from iam.changes.operations.dependencies import remaining_dependencies
from iam.changes.operations.facts import former_params
from iam.changes.operations.params import Blank, as_stored
from iam.changes.operations.spec import NORMAL, OperationSpec, Quota
from iam.changes.operations.subject import ABSENT, KINDS, OnSubject, SubjectParams
from iam.changes.planning_cache import memoize, primed
from iam.changes.world import ChangeWorld
from iam.mirror.models import Account, Entity, Kind
from iam.mirror.pull.renames import can_be_renamed, other_name
from iam.policy.index.rows import PolicyHoldings, PrincipalRow

PARTS: Final = 3
"""How many of the parts that must be removed first a refusal lists."""


def arn_of(account: Account, *, kind: str, name: str, path: str = "/") -> str:
    """The ARN that AWS gives to a new entity with this path and name."""
    return f"arn:{account.partition}:iam::{account.account_id}:{kind}{path}{name}"


def account_quota(plural: str, *, name: str, usual: int) -> Quota:
    """How many entities of a kind an account may have. `plural` is their name in the texts."""
    return Quota(
        f"{plural[0].upper()}{plural[1:]} afterwards",
        f"{{account.name}} has {{used:,}} {plural}, and AWS allows {{limit:,}}. Delete one first, or ask AWS "
        "to raise the quota.",
        usual=usual,
        name=name,
    )


def creation(kind: Kind, **rest: Any) -> OperationSpec:
    """The spec of an operation that creates an entity: standard texts, overridden by `rest`."""
    names, area = KINDS[kind], kind.value.replace("-", "_")
    usual = {
        "slug": f"{area}.create",
        "title": f"Create {names.noun} {{name}}",
        "no_op": f"The {names.noun} {{name}} already exists with these settings.",
        "counted": ("Create", names.counted),
        "call": f"Create{names.word}",
        "sentence": f"Creates {names.noun} {{name}}",
        "inverse": f"{area}.delete",
    }
    return OperationSpec(**usual | rest)


def removal(made_by: OperationSpec, **rest: Any) -> OperationSpec:
    """The spec of an operation that deletes what another operation creates: standard texts, overridden by
    `rest`.
    """
    names = KINDS[made_by.subject_kind]
    usual: dict[str, Any] = {
        "slug": f"{made_by.slug.partition('.')[0]}.delete",
        "family": made_by.family,
        "title": f"Delete {names.noun} {{name}}",
        "no_op": f"The {names.noun} {{name}} is already deleted.",
        "counted": ("Delete", names.counted),
        "state": made_by.state,
        "call": f"Delete{names.word}",
        "parameters": names.naming,
        "sentence": f"Deletes {names.noun} {{name}}",
        "weight": NORMAL,
        "adds": False,
        "inverse": made_by.slug,
        "undo_caveat": "It is recreated, with a new unique ID.",
    }
    return OperationSpec(**usual | rest)


def renaming(kind: Kind, **rest: Any) -> OperationSpec:
    """The spec of an operation that changes a name or path: standard texts, overridden by `rest`."""
    names = KINDS[kind]
    usual = {
        "slug": f"{kind.value.replace('-', '_')}.update",
        "no_op": f"The {names.noun} {{new_name}} already has this name and path.",
        "counted": ("Rename", names.counted),
        "state": {"name": "new_name", "path": "new_path"},
        "call": f"Update{names.word}",
        "parameters": {**names.naming, f"New{names.word}Name": "other_name?", "NewPath": "new_path"},
        "sentence": "{name} becomes {new_path}{new_name}",
    }
    return OperationSpec(**usual | rest)


def taken_message(account: Account, *, kind: str, name: str, but: str = "") -> str:
    """A sentence if the name is taken, else "". The entity with the unique ID `but` is ignored."""
    taken = _namesake(account, kind=kind, name=name, but=but)
    if taken is None:
        return ""
    return f"a {KINDS[kind].noun} named {taken.name} already exists. Names must differ by more than case."


def _namesake(account: Account, *, kind: str, name: str, but: str) -> Entity | None:
    """The entity with this name; AWS ignores case when it compares names of one kind."""
    known = cast("tuple[frozenset[str], dict[str, Entity]] | None", primed(("namesakes", account.pk, kind)))
    if known is not None and not but and name.lower() in known[0]:
        return known[1].get(name.lower())
    living = Entity.objects.filter(account=account, kind=kind, name__iexact=name, gone_at__isnull=True)
    return living.exclude(aws_id=but).first()


class WholeEntity(OnSubject):
    """An operation that creates or deletes an entity, with everything that can be set at creation."""

    def image_of(self, subject: Entity) -> Image:
        return {"exists": True, **super().image_of(subject)}

    def image_now(self, now: Any) -> Image:
        return {"exists": True, **super().image_now(now)}


class Create(WholeEntity):
    has_identity = False
    _made_before = 0

    @classmethod
    def of(cls, account: Any, /, *more: Any, **rest: Any) -> Self:
        """Return the operation in an account; `rest` are the parameters except the ARN. Missing ones are
        empty.
        """
        params = cls.params_type.empty()
        if "path" in params:
            params["path"] = "/"
        params |= as_stored(rest)
        where = {"kind": cls.spec.subject_kind, "name": params["name"], "path": params.get("path", "/")}
        params["subject_arn"] = arn_of(account, **where)
        return cls(account, cls.params_type(**params))

    def with_preceding(self, earlier: Sequence[Operation]) -> None:
        same = type(self), self.account.pk
        self._made_before = sum((type(operation), operation.account.pk) == same for operation in earlier)

    @property
    def subject_id(self) -> str:
        """The ARN, both before and after, because AWS assigns the unique ID."""
        return self.inputs.subject_arn

    def modified_arns(self) -> tuple[str, ...]:
        return ()

    def created_arns(self) -> tuple[str, ...]:
        return (self.inputs.subject_arn,)

    def desired_state(self) -> Image:
        return {"exists": True, **super().desired_state()}

    def state_in_mirror(self) -> Image:
        subject = self.subject()
        return ABSENT if subject is None else self.image_of(subject)

    def handle_response(self, call: AwsCall, response: Mapping[str, Any]) -> dict[str, Any]:
        word = KINDS[self.subject_kind].word
        aws_id = response.get(word, {}).get(f"{word}Id", "")
        return {"ids": {self.inputs.subject_arn: str(aws_id)}} if aws_id else {}

    def refusal(self) -> str:
        return taken_message(self.account, kind=self.subject_kind, name=self.inputs.name)

    def used(self) -> int:
        there = Entity.objects.filter(account=self.account, kind=self.subject_kind, gone_at__isnull=True)
        return memoize(("count", self.account.pk, self.subject_kind), there.count) + self._made_before

    def inverse(self, before: Image) -> Operation | None:
        subject = self.subject()
        if subject is None or before != ABSENT:
            return None
        return class_of(self.spec.inverse).of(subject)


class NewPrincipalParams(SubjectParams):
    """The path of a new user or role, the ARN of its permissions boundary (empty: none), and its tags."""

    path: str
    boundary: Blank
    tags: dict[str, str]


class CreatePrincipal(Create):
    """Creates a user or role, with its boundary and tags from the start."""

    references = ("boundary",)
    inputs: NewPrincipalParams

    def simulate(self, world: ChangeWorld) -> None:
        params = self.inputs
        boundary = world.number(params.boundary) if params.boundary else None
        row = PrincipalRow(
            world.make(params.subject_arn),
            params.subject_arn,
            grants=PolicyHoldings(boundary=boundary),
            tags=params.tags,
        )
        trust = getattr(params, "trust", "")
        if trust:
            row = replace(row, trust=world.text(trust))
        world.put_principal(row)


class Delete(WholeEntity):
    """Deletes an entity. It is refused if the entity still has parts that AWS wants removed first and that
    its set does not remove before.
    """

    _earlier: Sequence[Operation] = ()

    def with_preceding(self, earlier: Sequence[Operation]) -> None:
        self._earlier = earlier

    def refusal(self) -> str:
        subject = self.subject()
        left = remaining_dependencies(subject, self._earlier) if subject else []
        if not left:
            return ""
        first = "; ".join(dependency.title for dependency in left[:PARTS])
        more = f"; and {len(left) - PARTS:,} more" if len(left) > PARTS else ""
        return f"{self.inputs.name} still has parts that must be removed first. {first}{more}."

    def desired_state(self) -> Image:
        return dict(ABSENT)

    def state_in_mirror(self) -> Image | None:
        """Also report an entity that the mirror knows to be deleted as absent."""
        image, aws_id = super().state_in_mirror(), self.inputs.subject_id
        known = Entity.objects.filter(account=self.account, kind=self.subject_kind, aws_id=aws_id)
        return dict(ABSENT) if image is None and aws_id and known.exists() else image

    def identity_error(self, aws: Aws) -> str:
        """Return a sentence if the name has another entity now, or if the entity has another name."""
        error = super().identity_error(aws)
        if self.seen is None or self.seen.now:
            return error
        return self.renamed_error()

    def renamed_error(self) -> str:
        """Return a sentence if the missing entity has another name in AWS."""
        aws_id = self.inputs.subject_id
        if self._is_deleted or not aws_id or not can_be_renamed(self.subject_kind):
            return ""
        name = self.inputs.name
        current = other_name(self.account, kind=self.subject_kind, aws_id=aws_id, name=name)
        return f"The {self.noun} {name} was renamed to {current} in AWS." if current else ""

    def handle_response(self, call: AwsCall, response: Mapping[str, Any]) -> dict[str, Any]:
        self._is_deleted = True
        return super().handle_response(call, response)

    def simulate(self, world: ChangeWorld) -> None:
        world.drop(self.inputs.subject_arn)

    def restoration(self, before: Image) -> Operation | None:
        """Create the entity again with what it had before; it gets a new unique ID."""
        former = former_params(self.spec.state, before)
        if not self.spec.inverse or former is None:
            return None
        return class_of(self.spec.inverse).of(self.account, name=self.inputs.name, **former)


class RenameParams(SubjectParams):
    """The new name and path; either may be unchanged."""

    new_name: str
    new_path: str


class Rename(OnSubject):
    """Changes the name or path of an entity and so its ARN; its unique ID stays the same."""

    inputs: RenameParams

    @property
    def title(self) -> str:
        params = self.inputs
        if params.new_name != params.name:
            return f"Rename {self.noun} {params.name} to {params.new_name}"
        return f"Move {self.noun} {params.name} to {params.new_path}"

    @property
    def other_name(self) -> str:
        return self.inputs.new_name if self.inputs.new_name != self.inputs.name else ""

    def read_from_aws(self, aws: Aws) -> Any:
        """Look under the old name, and under the new one if it is not there."""
        params, record = self.inputs, None
        for name in dict.fromkeys((params.name, params.new_name)):
            now = self.look_for(aws, name)
            if now is not None and now.aws_id == params.subject_id:
                return now
            record = now or record
        return record

    @property
    def name_afterwards(self) -> str:
        """The new name, or the old one if AWS shows that the entity still has it."""
        params, now = self.inputs, self.seen.now if self.seen else None
        return now.name if now is not None and now.aws_id == params.subject_id else params.new_name

    def refusal(self) -> str:
        name, own = self.inputs.new_name, self.inputs.subject_id
        return taken_message(self.account, kind=self.subject_kind, name=name, but=own)

    def simulate(self, world: ChangeWorld) -> None:
        """Policies that contain the ARN, and policy variables, may match differently afterwards."""
        params = self.inputs
        world.move(
            params.subject_arn,
            to=arn_of(self.account, kind=self.subject_kind, name=params.new_name, path=params.new_path),
        )

    def restoration(self, before: Image) -> Operation | None:
        subject = self.subject()
        if subject is None:
            return None
        return self.of(subject, new_name=str(before["name"]), new_path=str(before["path"]))
