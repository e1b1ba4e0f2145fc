"""Hardware MFA requirements: the only writer, and the resulting condition on users."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import CharField, F, IntegerField, Q, QuerySet, Value

from iam.changes.errors import RefusedError
from iam.directory.models import RuleKind, Team
from iam.guard import Right, Viewer, ViewerScope
from iam.journal.services import record
from iam.mirror.models import Account, Entity, Kind
from iam.mirror.queries.visibility import visible_entities
from iam.people.fleet.models import HardwareDemand

NOBODY: Final = Q(pk__in=[])
_NO_ONE: Final = UUID(int=0)


class TeamUserRule(NamedTuple):
    """A rule that makes an IAM user part of a team. The account is blank for all accounts."""

    kind: str
    account_id: str
    value: str


def may_demand(viewer: Viewer, place: Account | Team) -> bool:
    """Return True if the viewer can require hardware: an administrator of the account, or of all accounts for
    a team.
    """
    number = place.account_id if isinstance(place, Account) else ""
    return viewer.may(Right.MANAGE_ACCOUNTS, account_id=number)


def demand(viewer: Viewer, *, place: Account | Team, wanted: bool) -> bool:
    """Require hardware there or stop requiring it. Returns False if nothing changed. Raises RefusedError."""
    if not may_demand(viewer, place):
        raise RefusedError("Only administrators can require hardware MFA.")
    wherein = {"account": place} if isinstance(place, Account) else {"team": place}
    with transaction.atomic():
        if wanted:
            changed = HardwareDemand.objects.get_or_create(**wherein, defaults={"set_by": viewer.name})[1]
        else:
            changed = bool(HardwareDemand.objects.filter(**wherein).delete()[0])
        if changed:
            kind = "hardware.demand" if wanted else "hardware.release"
            number = place.account_id if isinstance(place, Account) else ""
            record(kind=kind, actor=viewer, subject=place.name, account_id=number)
    return changed


def hardware_demands() -> list[HardwareDemand]:
    """Return all requirements, accounts first."""
    rows = HardwareDemand.objects.select_related("account", "team")
    return sorted(rows, key=lambda demand: (demand.account is None, demand.place.name, demand.pk))


class DemandPlaces:
    """All accounts and teams with their hardware requirements, read with one query. `revisions` is by account
    ID. `stamp` changes when the requirements or the rules of their teams change.
    """

    def __init__(self) -> None:
        self.revisions: dict[str, int] = {}
        self._teams: dict[str, tuple[str, set[TeamUserRule]]] = {}
        self._accounts: list[int] = []
        self._demanding: dict[str, int] = {}
        for kind, key, name, number, revision, demand_id, *rule in _rows():
            if kind == "account":
                self.revisions[key] = revision
                if demand_id:
                    self._accounts.append(number)
            else:
                self._teams.setdefault(key, (name, set()))[1].add(TeamUserRule(*rule))
            if demand_id:
                self._demanding[f"{kind}:{key}"] = demand_id
        self.stamp = self._digest()

    def _digest(self) -> str:
        parts = []
        for place, demand_id in sorted(self._demanding.items()):
            kind, _, key = place.partition(":")
            rules = sorted(self._teams[key][1]) if kind == "team" else []
            parts.append((place, demand_id, rules))
        return hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest() if parts else ""

    @property
    def teams(self) -> list[tuple[str, str]]:
        """(slug, name) of each team, by name."""
        return sorted(((slug, name) for slug, (name, _) in self._teams.items()), key=lambda choice: choice[1])

    @property
    def is_anywhere(self) -> bool:
        """True if hardware is required of anyone."""
        return bool(self._demanding)

    def demanded_of(self, column: str, account: str) -> Q:
        """Return the condition for users who must have hardware. The columns refer to the user and the
        account.
        """
        condition = Q(**{f"{account}__in": self._accounts}) if self._accounts else NOBODY
        for slug, (_, rules) in self._teams.items():
            if f"team:{slug}" in self._demanding:
                condition |= Q(**{f"{column}__in": people_under(rules)})
        return condition

    def people_of(self, slugs: Iterable[str]) -> Q:
        """Return the condition for rows whose `entity` is a user of one of the teams."""
        condition = NOBODY
        for slug in slugs:
            _, rules = self._teams.get(slug, ("", set()))
            condition |= Q(entity__in=people_under(rules))
        return condition


def people_under(rules: Iterable[TeamUserRule]) -> QuerySet[Entity, Any]:
    """Return a query for the ids of the IAM users that the rules make part of a team."""
    groups = [(rule.account_id, rule.value) for rule in rules if rule.kind == RuleKind.GROUP]
    paths = [(rule.account_id, rule.value) for rule in rules if rule.kind == RuleKind.PATH]
    scope = ViewerScope(groups=frozenset(groups), paths=frozenset(paths))
    team = Viewer(person_id=_NO_ONE, name="", email="", scope=scope)
    return visible_entities(team).filter(kind=Kind.USER, gone_at__isnull=True).values("pk")


def _rows() -> QuerySet[Any, Any]:
    nothing, none = Value("", output_field=CharField()), Value(0, output_field=IntegerField())
    accounts = Account.objects.filter(removed_at__isnull=True).values_list(
        Value("account", output_field=CharField()), "account_id", "name", "pk", "revision",
        F("hardware_demand__pk"), nothing, nothing, nothing,
    )  # fmt: skip
    teams = Team.objects.values_list(
        Value("team", output_field=CharField()), "slug", "name", "pk", none,
        F("hardware_demand__pk"), "rules__kind", "rules__account_id", "rules__value",
    )  # fmt: skip
    return accounts.union(teams, all=True)
