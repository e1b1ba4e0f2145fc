"""Who can do more or less by a change, over all actions: what a receipt says of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

GAINED: Final = "gained"
WIDER: Final = "wider"
ALTERED: Final = "altered"
CONDITIONAL: Final = "conditional"
NARROWER: Final = "narrower"
LOST: Final = "lost"
SORTS: Final = (GAINED, WIDER, ALTERED, CONDITIONAL, NARROWER, LOST)
"""What can become of an action for somebody. Wider and narrower: on more or fewer resources, or under fewer or more conditions;
conditional: narrower, and under conditions now; altered: limited before and after, by other statements."""


@dataclass(frozen=True, slots=True)
class ActionShift:
    """What becomes of one action for `people` principals. `on` are resources of the new text that name it."""

    action: str
    sort: str
    people: int
    is_risky: bool = False
    on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Affected:
    """A principal by name, as a receipt lists the first few."""

    name: str
    kind: str
    entity_id: int | None


@dataclass(frozen=True, slots=True)
class Way:
    """Principals who hold the policy in one way: `through` groups by name, or directly; as a boundary.

    `shifts` are the weightiest actions, `more` is how many there are beyond these; `names` the first by name of `people`.
    """

    through: tuple[str, ...]
    is_boundary: bool
    users: int
    roles: int
    shifts: tuple[ActionShift, ...]
    more: int
    names: tuple[Affected, ...] = ()

    @property
    def people(self) -> int:
        """How many principals."""
        return self.users + self.roles


@dataclass(frozen=True, slots=True)
class Access:
    """The effect of another text of a policy: `holders` have it, `affected` of them can do more or less.

    `counts` are, by sort, how many distinct actions somebody gains, loses, and so on; `risky` how many of those that are gained
    or become wider are risky. `ways` are the first ways by number of principals, `more_ways` and `more_people` what is
    beyond. `undecided` are sentences on what could not be weighed.
    """

    holders: int = 0
    affected: int = 0
    counts: dict[str, int] | None = None
    risky: int = 0
    ways: tuple[Way, ...] = ()
    more_ways: int = 0
    more_people: int = 0
    undecided: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
