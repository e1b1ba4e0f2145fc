"""Who can do more or less by a change, over all actions: what a receipt says of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Self

from iam.policy.index.witness import ChangeWitness

GAINED: Final = "gained"
WIDER: Final = "wider"
ALTERED: Final = "altered"
CONDITIONAL: Final = "conditional"
NARROWER: Final = "narrower"
LOST: Final = "lost"
SORTS: Final = (GAINED, WIDER, ALTERED, CONDITIONAL, NARROWER, LOST)
"""What can become of an action for somebody. Gained: nothing of it was allowed before. Wider and narrower:
more or fewer requests are allowed. Conditional: what remains depends on the circumstances. Altered:
some requests are allowed that were not, others no longer."""


@dataclass(frozen=True, slots=True)
class PolicyRef:
    """A policy that an operation gives or takes. `digest` names its document (the default version's);
    `ways` are the other ways by which the person holds the same; `flags` are of
    `iam.changes.documents`."""

    kind: str
    name: str
    arn: str = ""
    digest: str = ""
    owner: str = ""
    entity_id: int | None = None
    flags: tuple[str, ...] = ()
    ways: tuple[str, ...] = ()

    @classmethod
    def managed(cls, name: str, arn: str, **rest: Any) -> Self:
        """A managed policy, of AWS or of the customer."""
        owner = "AWS" if ":iam::aws:" in arn else "customer"
        return cls("managed", name, arn, owner=owner, **rest)


@dataclass(frozen=True, slots=True)
class ActionShift:
    """What becomes of one action for `people` principals. `on` are resources of the new text that name it;
    `witnesses` are requests that are answered differently."""

    action: str
    sort: str
    people: int
    is_risky: bool = False
    on: tuple[str, ...] = ()
    witnesses: tuple[ChangeWitness, ...] = ()


@dataclass(frozen=True, slots=True)
class AffectedPrincipal:
    """A principal by name, as a receipt lists the first few."""

    name: str
    kind: str
    entity_id: int | None


@dataclass(frozen=True, slots=True)
class HoldingWay:
    """Principals who hold the policy in one way: `through` groups by name, directly, as their boundary, or in
    several of these.

    `shifts` are the weightiest actions, `more` is how many there are beyond these; `names` are the first by
    name.
    """

    through: tuple[str, ...]
    is_direct: bool
    is_boundary: bool
    users: int
    roles: int
    shifts: tuple[ActionShift, ...]
    more: int
    names: tuple[AffectedPrincipal, ...]

    @property
    def people(self) -> int:
        return self.users + self.roles


@dataclass(frozen=True, slots=True)
class PolicyAccess:
    """The effect of another text of a policy: `holders` have it, `affected` of them can do more or less.

    `counts` are, by sort, how many distinct actions there are of which that becomes true for somebody;
    `risky` is how many of those that come, become wider, or are altered are risky. `ways` are those with most
    principals, `more_ways` and `more_people` what is beyond, of which `more_users` and `more_roles`. `marks`
    are of `iam.changes.documents`, of what the new text has and the old one has not, and `denies` where a
    deny goes. `undecided` are sentences on what could not be weighed.
    """

    holders: int = 0
    holder_users: int = 0
    holder_roles: int = 0
    affected: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    risky: int = 0
    ways: tuple[HoldingWay, ...] = ()
    more_ways: int = 0
    more_people: int = 0
    more_users: int = 0
    more_roles: int = 0
    marks: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()
