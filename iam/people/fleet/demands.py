"""Where hardware is demanded: the only writer, and what it comes to as a condition on users."""

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
    """What makes an IAM user part of a team; the account is blank for all."""

    kind: str
    account_id: str
    value: str


def may_demand(viewer: Viewer, place: Account | Team) -> bool:
    """Administrators of the account; of all accounts for a team."""
    number = place.account_id if isinstance(place, Account) else ""
    return viewer.may(Right.MANAGE_ACCOUNTS, account_id=number)


def demand(viewer: Viewer, *, place: Account | Team, wanted: bool) -> bool:
    """Demand hardware there, or demand it no more; False when it was so already. Raises RefusedError."""
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
    """All demands, accounts first."""
    rows = HardwareDemand.objects.select_related("account", "team")
    return sorted(rows, key=lambda demand: (demand.account is None, demand.place.name, demand.pk))


class DemandPlaces:
    """All accounts and teams, with where hardware is demanded: one query. `revisions` by account number,
    `teams` (slug, name) by name, `stamp` another when something else is demanded, or of others.
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
        """(slug, name) of each, by name."""
        return sorted(((slug, name) for slug, (name, _) in self._teams.items()), key=lambda choice: choice[1])

    @property
    def is_anywhere(self) -> bool:
        """Whether hardware is demanded of anybody."""
        return bool(self._demanding)

    def demanded_of(self, column: str, account: str) -> Q:
        """Rows of users of whom it is demanded; the columns lead to the user and to the account."""
        condition = Q(**{f"{account}__in": self._accounts}) if self._accounts else NOBODY
        for slug, (_, rules) in self._teams.items():
            if f"team:{slug}" in self._demanding:
                condition |= Q(**{f"{column}__in": people_under(rules)})
        return condition

    def people_of(self, slugs: Iterable[str]) -> Q:
        """Rows whose `entity` is a user of one of the teams."""
        condition = NOBODY
        for slug in slugs:
            _, rules = self._teams.get(slug, ("", set()))
            condition |= Q(entity__in=people_under(rules))
        return condition


def people_under(rules: Iterable[TeamUserRule]) -> QuerySet[Entity, Any]:
    """The numbers of the IAM users whom such rules make part of a team, as a query."""
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
