"""Operations that give a policy to a user, group or role, or take one away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from iam.aws.reads import holdings
from iam.aws.session import Aws
from iam.changes.access_effects import AccessEffect, PolicyRef
from iam.changes.operations.base import Operation
from iam.changes.operations.facts import target_in_mirror
from iam.changes.operations.identity import found_or_none, lost_identity
from iam.changes.operations.params import Blank, Params
from iam.changes.operations.spec import HIGH, SERVICE_LINKED
from iam.mirror.models import Edge, EdgeKind, Entity, InlinePolicy, Kind, valid_at

WORDS: Final = holdings.KINDS
"""Kind of holder → its word in AWS's calls, as in AttachUserPolicy."""


class HolderParams(Params):
    """The holder: its kind and name for the AWS calls, and its ARN and unique ID at the time of the request.

    The ID is empty if an earlier change of the same set creates the holder.
    """

    NAMES = {"kind": "holder_kind", "name": "holder_name", "aws_id": "holder_id", "arn": "holder_arn"}

    holder_kind: str
    holder_name: str
    holder_id: Blank
    holder_arn: str

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.holder_kind not in WORDS:
            raise ValueError(f"A policy is held by a user, group or role, not by a {self.holder_kind!r}.")


class OfHolder(Operation):
    can_observe_concurrently = True
    missing_message = "The user, group or role no longer exists in AWS, as of the last sync."
    inputs: HolderParams
    before_it: Sequence[OfHolder] = ()

    def with_preceding(self, earlier: Sequence[Operation]) -> None:
        same = (self.account, self.inputs.holder_arn)
        about = [operation for operation in earlier if isinstance(operation, OfHolder)]
        self.before_it = [before for before in about if (before.account, before.inputs.holder_arn) == same]

    @property
    def subject_kind(self) -> str:
        return self.inputs.holder_kind

    @property
    def kind_word(self) -> str:
        """The word for the holder's kind in AWS's calls."""
        return WORDS[self.inputs.holder_kind]

    def identity_error(self, aws: Aws) -> str:
        """One call. Without an expected ID, it is enough that the name exists."""
        params = self.inputs
        kind, name = params.holder_kind, params.holder_name
        current = found_or_none(lambda: holdings.holder_id(aws, kind=kind, name=name))
        return lost_identity(f"The {kind} {name}", current, expected=params.holder_id)

    def sensitivity(self, effect: AccessEffect) -> str:
        """Also high if a policy with an unknown text is given."""
        unknown = not self.spec.weight and any(not policy.digest for policy in effect.gains)
        return HIGH if unknown else super().sensitivity(effect)

    def refusal(self) -> str:
        if SERVICE_LINKED in self.inputs.holder_arn:
            name = self.inputs.holder_name
            return f"{name} is a service-linked role. Only its service can change its policies."
        return ""


def ways_beside(holder: Entity, *, arn: str = "", digest: str = "", but: str = "") -> tuple[str, ...]:
    """The other ways in which an entity holds a managed policy (by ARN) or an inline text (by digest): its
    groups, and its other inline policies. The inline policy named `but` is ignored.
    """
    now = valid_at(None)
    groups = dict(
        Edge.objects.filter(now, source=holder, kind=EdgeKind.MEMBER).values_list("target_id", "target__name")
    )
    ways: set[str] = set()
    if arn:
        attached = Edge.objects.filter(
            now, source__in=groups, kind=EdgeKind.ATTACHED, target__arn=arn, target__kind=Kind.POLICY
        )
        ways |= {f"through {groups[pk]}" for pk in attached.values_list("source_id", flat=True)}
    if digest:
        same = InlinePolicy.objects.filter(now, document=digest)
        through = same.filter(owner__in=groups).values_list("owner_id", flat=True)
        own = same.filter(owner=holder).exclude(name=but).values_list("name", flat=True)
        ways |= {f"through {groups[pk]}" for pk in through} | {f"as {name}" for name in own}
    return tuple(sorted(ways))


def effect_of(
    *, gives: Sequence[PolicyRef] = (), takes: Sequence[PolicyRef] = (), boundary: str
) -> AccessEffect:
    """The effect of giving and taking policies. A policy that is also held in other ways counts as kept."""
    return AccessEffect(
        gains=tuple(policy for policy in gives if not policy.ways),
        loses=tuple(policy for policy in takes if not policy.ways),
        keeps=tuple(dict.fromkeys(policy for policy in (*gives, *takes) if policy.ways)),
        boundary=boundary,
    )


def effect_on(holder: Entity, **policies: Sequence[PolicyRef]) -> AccessEffect:
    """The effect on a holder, with a note on how many members of a group it reaches."""
    effect = effect_of(**policies, boundary=target_in_mirror(holder, EdgeKind.BOUNDARY, "name"))
    return replace(effect, notes=_reach_notes(holder))


def _reach_notes(holder: Entity) -> tuple[str, ...]:
    """A note on how many users get a group's policies; none for other kinds."""
    if holder.kind != Kind.GROUP:
        return ()
    members = Edge.objects.filter(valid_at(None), target=holder, kind=EdgeKind.MEMBER).count()
    if not members:
        return (f"{holder.name} has no members yet. Members get the group’s policies.",)
    people = "1 user" if members == 1 else f"{members:,} users"
    return (f"{holder.name} has {people}, who get the group’s policies.",)
