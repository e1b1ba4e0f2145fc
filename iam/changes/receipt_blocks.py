"""A block of a receipt: for whom the same becomes true, in which service and access level, and by which
requests that is proved.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from iam.changes.operations.access import ActionShift, AffectedPrincipal
from iam.changes.reasons import BlockedActions, HeldAlready
from iam.policy.index.witness import ChangeWitness


@dataclass(frozen=True, slots=True)
class LevelShift:
    """What becomes of the actions of one service and access level, as numbers of actions by sort
    (`operations.access`).
    """

    service: str
    level: str
    counts: dict[str, int]
    witnesses: dict[str, tuple[ChangeWitness, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SameInAccount:
    """Principals of another account for whom the same becomes true as for those of a block."""

    account_id: str
    names: tuple[AffectedPrincipal, ...]
    users: int
    roles: int


@dataclass(frozen=True, slots=True)
class GainBlock:
    """Principals of one account, and of others `elsewhere`, for whom the same becomes true. `rows` are by
    service and level, `actions` the riskiest ones; `more_…` is how much there is beyond what is named.
    `ways_up` are sets of actions by which one raises oneself. `already`, `keeps` and `blocked` say of what is
    given, or taken away, why it changes nothing (`iam.changes.reasons`).
    """

    account_id: str
    names: tuple[AffectedPrincipal, ...]
    users: int
    roles: int
    totals: dict[str, int]
    rows: tuple[LevelShift, ...]
    more_services: int
    actions: tuple[ActionShift, ...]
    more_actions: int
    risks: tuple[str, ...]
    ways_up: tuple[tuple[str, ...], ...]
    already: tuple[HeldAlready, ...] = ()
    keeps: tuple[HeldAlready, ...] = ()
    blocked: tuple[BlockedActions, ...] = ()
    elsewhere: tuple[SameInAccount, ...] = ()

    @property
    def all_users(self) -> int:
        """How many users in all accounts."""
        return self.users + sum(place.users for place in self.elsewhere)

    @property
    def all_roles(self) -> int:
        """How many roles in all accounts."""
        return self.roles + sum(place.roles for place in self.elsewhere)

    @property
    def people(self) -> int:
        """How many principals in all accounts."""
        return self.all_users + self.all_roles
