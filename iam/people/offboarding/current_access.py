"""The current state of offboarded, suspended or restored users in the mirror, shown next to what was done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from iam.changes.operations.user_credential import ACTIVE
from iam.mirror.mfa import has_mfa
from iam.mirror.models import (
    Edge,
    EdgeKind,
    Entity,
    EntityState,
    InlinePolicy,
    Kind,
    Section,
    UserCredentials,
    valid_at,
)
from iam.people.offboarding.models import Leaver, OffboardedUser, OffboardingStage
from iam.people.offboarding.open_access import DENY, DENY_ALL, ORDER, says_deny

CUT: Final = (OffboardingStage.GONE, OffboardingStage.SUSPENDED, OffboardingStage.CONFIRMED)
"""Stages in which the person should have no way to sign in."""
UNKNOWN: Final = "Unknown"


@dataclass(frozen=True, slots=True)
class AccessFact:
    """A fact from the mirror. `is_open` True gives access; None is unknown or doesn't concern access."""

    what: str
    note: str
    is_open: bool | None = None


@dataclass(frozen=True, slots=True)
class UserNow:
    """The current state of a user. `read_at` is the time of the newest data from AWS."""

    seat: OffboardedUser
    facts: list[AccessFact]
    read_at: datetime | None
    is_there: bool = True

    @property
    def gives_access(self) -> list[AccessFact]:
        """The facts that give access although it should be removed."""
        return [fact for fact in self.facts if fact.is_open]


def users_now(seats: Sequence[OffboardedUser]) -> list[UserNow]:
    """Return the current state of the users, in order. The number of queries is constant."""
    pks = [seat.user_id for seat in seats]
    users = {user.pk: user for user in Entity.objects.filter(pk__in=pks)}
    denied = _denied(pks)
    active = _active_credentials(pks)
    members = Edge.objects.filter(valid_at(None), kind=EdgeKind.MEMBER, source__in=pks)
    groups = Counter(members.values_list("source_id", flat=True))
    rows = {row.user_id: row for row in UserCredentials.objects.filter(valid_at(None), user__in=pks)}
    read_at = _read_at(pks, accounts={seat.account_id for seat in seats})
    users_shown = []
    for seat in seats:
        user = users[seat.user_id]
        at = max(
            (moment for moment in (read_at.get(user.pk), read_at.get(-seat.account_id)) if moment),
            default=None,
        )
        if user.gone_at is not None:
            users_shown.append(UserNow(seat, [AccessFact("IAM user", "Deleted in AWS")], at, is_there=False))
            continue
        facts = list(_facts(user.pk in denied, rows.get(user.pk), active[user.pk], groups[user.pk]))
        users_shown.append(UserNow(seat, facts, at))
    return users_shown


def differs_now(leaver: Leaver, users: Sequence[UserNow]) -> list[str]:
    """Return a sentence for each user who has access again although it was removed."""
    if leaver.stage not in CUT:
        return []
    sentences = []
    for user in users:
        if user.gives_access:
            facts = ", ".join(f"{fact.what.lower()}: {fact.note.lower()}" for fact in user.gives_access)
            sentences.append(f"{user.seat.user_name} in {user.seat.account.name}: {facts}")
    return sentences


def _facts(
    is_denied: bool, row: UserCredentials | None, active: Counter[str], groups: int
) -> Iterable[AccessFact]:
    deny = "In force" if is_denied else "Not attached"
    yield AccessFact("Policy that denies everything", deny, is_open=not is_denied)
    if row is None or row.has_password is None:
        yield AccessFact("Console password", UNKNOWN)
    else:
        password = "Set" if row.has_password else "None"
        yield AccessFact("Console password", password, is_open=row.has_password)
    keys = active[Kind.ACCESS_KEY] if row is None else max(row.active_keys, active[Kind.ACCESS_KEY])
    yield AccessFact("Active access keys", _number_or_none(keys), is_open=keys > 0)
    others = sum(count for kind, count in active.items() if kind != Kind.ACCESS_KEY)
    if others:
        yield AccessFact("Other active credentials", str(others), is_open=True)
    yield AccessFact("Groups", _number_or_none(groups))
    yield AccessFact("MFA devices", _mfa(row))


def _number_or_none(number: int) -> str:
    return str(number) if number else "None"


def _mfa(row: UserCredentials | None) -> str:
    known = has_mfa(row.mfa) if row is not None else None
    if known is None:
        return UNKNOWN
    return "Registered" if known else "None"


def _denied(users: Iterable[int]) -> set[int]:
    inline = InlinePolicy.objects.filter(valid_at(None), owner__in=users, name=DENY).select_related(
        "document"
    )
    owner_ids = {policy.owner_id for policy in inline if says_deny(policy.document.text)}
    edges = Edge.objects.filter(valid_at(None), kind=EdgeKind.ATTACHED, source__in=users)
    attached = edges.filter(target__arn__endswith=f":iam::aws:{DENY_ALL}")
    return owner_ids | set(attached.values_list("source_id", flat=True))


def _active_credentials(users: Iterable[int]) -> dict[int, Counter[str]]:
    active: dict[int, Counter[str]] = {pk: Counter() for pk in users}
    states = EntityState.objects.filter(
        valid_at(None),
        kind__in=ORDER,
        category=ACTIVE,
        entity__owner__in=active,
        entity__gone_at__isnull=True,
    )
    for owner, kind in states.values_list("entity__owner_id", "kind"):
        if owner is not None:
            active[owner][kind] += 1
    return active


def _read_at(users: Iterable[int], *, accounts: Iterable[int]) -> dict[int, datetime]:
    """Return when each user was last synced, by user number, and under the negative account number when all
    users of that account were.
    """
    moments: dict[int, datetime] = {}
    states = EntityState.objects.filter(valid_at(None), entity__in=users)
    for pk, at in states.values_list("entity_id", "observed_at"):
        moments[pk] = at
    for pk, at in UserCredentials.objects.filter(valid_at(None), user__in=users).values_list(
        "user_id", "observed_at"
    ):
        moments[pk] = max(at, moments.get(pk, at))
    sections = Section.objects.filter(account__in=accounts, name="users")
    for account, read_at in sections.values_list("account_id", "observed_at"):
        if read_at is not None:
            moments[-account] = read_at
    return moments
