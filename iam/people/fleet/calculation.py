"""Calculates per account which users are administrators and how urgently each needs MFA, and stores it for
the list of the fleet.

A worker runs it after an account was written to. In a small organization, the page doesn't wait for the
worker.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from iam.access import administrators as in_force
from iam.batches import batches
from iam.mirror.models import Account, EntityState, Kind, valid_at
from iam.mirror.queries.lists.rows import fact_at
from iam.mirror.snapshot.organizations import KINDS as ORGANIZATION_KINDS
from iam.mirror.snapshot.organizations import OrganizationStandings
from iam.nudge import send_seldom
from iam.people.fleet.demands import DemandPlaces
from iam.people.fleet.models import Administrator, FleetAccount, FleetUser
from iam.people.fleet.urgency import urgency

SMALL: Final = 5_000
"""Up to this number of users and roles, a page itself computes what the worker hasn't calculated yet."""
LASTS: Final = timedelta(hours=1)
"""Age after which an account is recalculated without changes, because dates in its policies can
have passed.
"""
BATCH: Final = 500
TASK: Final = "iam.people.fleet.tasks.calculate_fleet"
NUDGE_SECONDS: Final = 10
CREDENTIALS: Final = "entity__credential_states"


@dataclass(frozen=True, slots=True)
class FleetFreshness:
    """The freshness of the calculation for some accounts. `behind` are accounts written to since theirs.
    `since` is the oldest calculation, None if one is missing. `stamp` changes with each calculation.
    `lacks_users` means that some users have no result yet. `found` are the administrators, and whether
    certainly, if the page computed them.
    """

    behind: tuple[Account, ...]
    since: datetime | None
    stamp: str
    lacks_users: bool
    found: Mapping[int, bool] | None = None


def kept_of(account: Account) -> FleetAccount | None:
    """Return the stored calculation of an account. It is joined when the account was selected."""
    return getattr(account, "fleet", None)


def calculate_missing(places: DemandPlaces, *, account: Account | None) -> FleetFreshness:
    """Return the freshness for one account or all, with one query if nothing is missing. A worker calculates
    what is missing. In a small organization, the administrators are computed at once and not stored, because
    a page only reads.
    """
    fresh_rows = _calculate_account(places, account)
    if not fresh_rows.behind:
        return fresh_rows
    if _is_small():
        number = account.account_id if account else ""
        administrators = in_force.administrators(places.revisions, account=number)
        return FleetFreshness((), None, fresh_rows.stamp, lacks_users=False, found=administrators)
    send_seldom(TASK, seconds=NUDGE_SECONDS)
    return fresh_rows


def _calculate_account(places: DemandPlaces, account: Account | None) -> FleetFreshness:
    numbers = [account.account_id] if account else None
    accounts = _accounts(numbers)
    behind = tuple(account for account in accounts if is_behind(account, places))
    times = [kept.calculated_at for account in accounts if (kept := kept_of(account))]
    known = [kept.calculated_at for account in behind if (kept := kept_of(account))]
    since = min(known) if known and len(known) == len(behind) else None
    stamp = f"{max(times).isoformat()} {len(behind)}" if times else ""
    return FleetFreshness(
        behind=behind,
        since=since,
        stamp=stamp,
        lacks_users=bool(behind) and _lacks_users(behind),
    )


def is_behind(account: Account, places: DemandPlaces) -> bool:
    """Return True if the account was written to since its calculation, or the hardware requirements have
    changed.
    """
    kept = kept_of(account)
    if kept is None or (kept.writes, kept.revision) != (account.writes, account.revision):
        return True
    trees_moved = any(places.revisions.get(number) != revision for number, revision in kept.trees.items())
    return kept.demands != places.stamp or trees_moved


def _accounts(numbers: Collection[str] | None) -> list[Account]:
    rows = Account.objects.filter(removed_at__isnull=True).select_related("fleet").order_by("name", "pk")
    if numbers is not None:
        rows = rows.filter(account_id__in=numbers)
    return list(rows)


def _lacks_users(accounts: Iterable[Account]) -> bool:
    users = EntityState.objects.filter(valid_at(None), kind=Kind.USER, account__in=accounts)
    return users.filter(entity__fleet__isnull=True).exists()


def _is_small() -> bool:
    rows = EntityState.objects.filter(valid_at(None), kind__in=(Kind.USER, Kind.ROLE))
    return rows.order_by()[: SMALL + 1].count() <= SMALL


@dataclass(slots=True)
class _State:
    """The shared inputs of all accounts in a run."""

    places: DemandPlaces
    began: datetime
    organizations: OrganizationStandings = field(init=False)
    trees: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        shown = EntityState.objects.filter(valid_at(None), kind__in=ORGANIZATION_KINDS).order_by()
        numbers = set(shown.values_list("account__account_id", flat=True).distinct())
        self.trees = {n: revision for n, revision in self.places.revisions.items() if n in numbers}
        self.organizations = OrganizationStandings(None)


def calculate(numbers: Collection[str] | None = None) -> int:
    """Calculate the accounts that are behind or too old, among these IDs or all, and return their number.

    The data read here can be newer than the recorded state, never older. At worst an account is calculated
    once more.
    """
    places, began = DemandPlaces(), datetime.now(tz=UTC)
    due = [account for account in _accounts(numbers) if is_behind(account, places) or _is_old(account, began)]
    if not due:
        return 0
    state = _State(places, began)
    if any(_is_old(account, began) for account in due):
        in_force.forget()
    for account in due:
        _calculate(account, state)
    return len(due)


def _is_old(account: Account, now: datetime) -> bool:
    kept = kept_of(account)
    return kept is not None and kept.calculated_at < now - LASTS


def _calculate(account: Account, state: _State) -> None:
    standing = _digest(state.organizations.position_of(account.account_id))
    kept, known = kept_of(account), _known_users(account)
    users = EntityState.objects.filter(valid_at(None), account=account, kind=Kind.USER).order_by()
    is_same = (
        kept is not None
        and not _is_old(account, state.began)
        and (kept.revision, kept.standing) == (account.revision, standing)
        and known.keys() >= set(users.values_list("entity", flat=True))
    )
    if is_same:
        levels = {user: level for user, (level, _) in known.items()}
    else:
        surely = in_force.administrators(state.places.revisions, account=account.account_id)
        levels = {}
        for user, is_sure in surely.items():
            levels[user] = Administrator.YES if is_sure else Administrator.CONDITIONAL
    _keep(account, state, standing, known=known, wanted=_wanted_users(account, state.places, levels))


def _known_users(account: Account) -> dict[int, tuple[int, str]]:
    rows = FleetUser.objects.filter(account=account).values_list("user", "administrator", "place")
    return {user: (level, place) for user, level, place in rows}


def _wanted_users(
    account: Account, places: DemandPlaces, levels: Mapping[int, int]
) -> dict[int, tuple[int, str]]:
    """Return whether each user is an administrator, and their place in the order."""
    administrators = [user for user, level in levels.items() if level != Administrator.NO]
    users = (
        EntityState.objects.filter(valid_at(None), account=account, kind=Kind.USER)
        .annotate(credentials=fact_at(CREDENTIALS, None))
        .annotate(
            mfa=F("credentials__mfa"),
            has_password=F("credentials__has_password"),
            active_keys=Coalesce(F("credentials__active_keys"), 0),
        )
        .annotate(urgency=urgency(places, is_administrator=Q(entity__in=administrators)))
    )
    rows = users.order_by().values_list("entity", "urgency", "sort_name")
    return {user: (levels.get(user, Administrator.NO), f"{level}{name}") for user, level, name in rows}


def _keep(
    account: Account,
    state: _State,
    standing: str,
    *,
    known: Mapping[int, tuple[int, str]],
    wanted: Mapping[int, tuple[int, str]],
) -> None:
    """Write what differs. An older calculation never replaces a newer one."""
    changed = [
        FleetUser(user_id=user, account=account, administrator=level, place=place)
        for user, (level, place) in wanted.items()
        if known.get(user) != (level, place)
    ]
    gone = [user for user in known if user not in wanted]
    noted = {
        "writes": account.writes,
        "revision": account.revision,
        "demands": state.places.stamp,
        "trees": state.trees,
        "standing": standing,
        "calculated_at": state.began,
    }
    with transaction.atomic():
        FleetAccount.objects.get_or_create(account=account, defaults={"calculated_at": state.began})
        row = FleetAccount.objects.select_for_update().get(account=account)
        kept = kept_of(account)
        is_other = bool(row.writes) if kept is None else row.calculated_at != kept.calculated_at
        if is_other:
            # Another calculation wrote in the meantime, so the difference was computed against outdated rows.
            return
        FleetUser.objects.bulk_create(
            changed,
            batch_size=BATCH,
            update_conflicts=True,
            unique_fields=["user"],
            update_fields=["account", "administrator", "place"],
        )
        for batch in batches(gone, BATCH):
            FleetUser.objects.filter(user__in=batch).delete()
        FleetAccount.objects.filter(account=account).update(**noted)


def _digest(standing: object) -> str:
    return hashlib.blake2b(repr(standing).encode(), digest_size=16).hexdigest()
