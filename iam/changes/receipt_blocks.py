"""The data classes of a receipt's blocks: the principals concerned, services and access levels, and the
requests that prove it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from iam.changes.access_effects import ActionShift, AffectedPrincipal
from iam.changes.reasons import BlockedActions, HeldAlready
from iam.policy.index.witness import ChangeWitness


@dataclass(frozen=True, slots=True)
class LevelShift:
    """The change of the actions of one service and access level, as numbers of actions by sort
    (`operations.access`).
    """

    service: str
    level: str
    counts: dict[str, int]
    witnesses: dict[str, tuple[ChangeWitness, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SameInAccount:
    """Principals of another account with the same effect as those of a block."""

    account_id: str
    names: tuple[AffectedPrincipal, ...]
    users: int
    roles: int


@dataclass(frozen=True, slots=True)
class GainBlock:
    """Principals of one account, and of others in `elsewhere`, for whom the change has the same effect.

    `rows` are by service and level, `actions` are the riskiest ones; the `more_…` fields count what is not
    named. `ways_up` are sets of actions with which principals can raise their own permissions. `already`,
    `keeps` and `blocked` explain why given or removed actions make no difference (`iam.changes.reasons`).
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
        """The number of users in all accounts."""
        return self.users + sum(place.users for place in self.elsewhere)

    @property
    def all_roles(self) -> int:
        """The number of roles in all accounts."""
        return self.roles + sum(place.roles for place in self.elsewhere)

    @property
    def people(self) -> int:
        """The number of principals in all accounts."""
        return self.all_users + self.all_roles
