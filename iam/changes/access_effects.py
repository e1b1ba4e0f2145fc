"""Describes which policies a change gives and takes and, for a receipt, which principals can do more or less
afterwards, over all actions.
"""

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
"""How an action can change for a principal.

Gained: none of it was allowed before. Wider, narrower: more or fewer requests are allowed. Altered: some
requests become allowed, others are no longer allowed. Conditional: what remains depends on conditions.
"""


@dataclass(frozen=True, slots=True)
class PolicyRef:
    """A policy that an operation gives or takes away.

    `digest` identifies its document (the default version's). `ways` are the other ways in which the principal
    holds the same policy. `flags` are from `iam.changes.documents`.
    """

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
        """Return a reference to a managed policy, of AWS or of the customer."""
        owner = "AWS" if ":iam::aws:" in arn else "customer"
        return cls("managed", name, arn, owner=owner, **rest)


@dataclass(frozen=True, slots=True)
class ActionShift:
    """How one action changes for `people` principals.

    `on` are resources on which the new text allows it; `witnesses` are requests whose result changes.
    """

    action: str
    sort: str
    people: int
    is_risky: bool = False
    on: tuple[str, ...] = ()
    witnesses: tuple[ChangeWitness, ...] = ()


@dataclass(frozen=True, slots=True)
class AffectedPrincipal:
    """An affected principal; a receipt lists the first few by name."""

    name: str
    kind: str
    entity_id: int | None


@dataclass(frozen=True, slots=True)
class HoldingWay:
    """Principals who hold the policy in the same way: through groups (`through`, their names), directly, as
    their permissions boundary, or several of these.

    `shifts` are the riskiest actions, `more` is the number of the other actions; `names` are the first
    principals by name.
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
    """The effect of a new text of a policy: `holders` have the policy, `affected` of them can do more or
    less.

    `counts` maps each sort to the number of distinct actions that change in this way for at least one
    principal. `risky` is the number of risky actions among those gained, wider or altered. `ways` are the
    ways with the most principals; `more_ways` and `more_people` count the rest (`more_users`, `more_roles` by
    kind). `marks` are flags from `iam.changes.documents` that the new text has and the old one does not, and
    `denies` if a deny is removed. `undecided` are sentences on what could not be analyzed.
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


@dataclass(frozen=True, slots=True)
class AccessEffect:
    """Policies that a principal gains, loses or keeps in another way, before boundaries and service control
    policies; or, if a policy's text changes, who can do more or less, with all limits (`access`).

    Only readers who see the whole account may read the `confidential` notes.
    """

    gains: tuple[PolicyRef, ...] = ()
    loses: tuple[PolicyRef, ...] = ()
    keeps: tuple[PolicyRef, ...] = ()
    boundary: str = ""
    notes: tuple[str, ...] = ()
    access: PolicyAccess | None = None
    confidential: tuple[str, ...] = ()
