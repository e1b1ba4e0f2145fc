"""Keeps one current row of credentials per user, derived from the report, the devices and the keys."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from iam.aws.reads.credential_report import CredentialReport, CredentialRow
from iam.mirror.models import Entity, EntityState, Kind, UserCredentials
from iam.mirror.pull import bulk, temporal
from iam.mirror.pull.census import Census, Known
from iam.mirror.pull.enrol import is_newer
from iam.mirror.pull.evidence import UNKNOWN, Evidence, credentials_of
from iam.mirror.pull.facts import Seen
from iam.mirror.pull.temporal import CREDENTIALS, Current, Difference, Values
from iam.mirror.pull.transform.credentials import report_facts, sort_of_device

_MFA = CREDENTIALS.values.index("mfa")
_REPORT = CREDENTIALS.values.index("report")
SAME_USER = timedelta(seconds=2)


@dataclass(slots=True)
class Reported:
    """A credential report: when AWS made it, and its lines by the entity id of the user that each is about."""

    at: datetime
    lines: dict[int, CredentialRow] = field(default_factory=dict)


def match_report(
    census: Census, report: CredentialReport, *, created: Mapping[int, datetime | None]
) -> Reported:
    """Give each line to its user. A line about a user who was deleted and made again since belongs to nobody here."""
    by_arn = {known.arn: known for known in census.of_kind(Kind.USER)}
    matched = Reported(at=report.generated_at)
    for row in report.rows:
        known = by_arn.get(row.arn)
        if known is None:
            continue
        born = created.get(known.id)
        if born is None or abs(born - row.created_at) <= SAME_USER:
            matched.lines[known.id] = row
    return matched


def creation_times(census: Census) -> dict[int, datetime | None]:
    """When AWS made each current user."""
    rows = EntityState.objects.filter(account=census.account, kind=Kind.USER, valid_to__isnull=True)
    return dict(rows.values_list("entity_id", "created_at").iterator(chunk_size=5000))


@dataclass(slots=True)
class Clock:
    """When each kind of evidence was observed: `seen` goes for all but the report, `born` for users seen for the first time.

    `released` are users who lost a device to nobody: it is still there, assigned to no one.
    """

    seen: Seen
    born: Seen
    listed_at: datetime | None
    reported_at: datetime | None
    reported_before: datetime | None = None
    released: frozenset[int] = frozenset()


def derive(census: Census, users: Iterable[Known], *, reported: Reported | None, clock: Clock) -> set[int]:
    """Write the rows of the users whose credentials differ from what is current; the users that changed.

    Without a report, what the last one said is taken from the current row.
    """
    users = [user for user in users if not is_newer(user, clock.seen.at)]
    current = temporal.current_rows(CREDENTIALS, owners=[user.id for user in users])
    gather = _Gatherer(census, users, clock.reported_at)
    changes: dict[Seen, Difference] = defaultdict(Difference)
    learned: list[bulk.Row] = []
    changed: set[int] = set()
    for user in users:
        old = current.get(user.id, {}).get(())
        values = credentials_of(gather.evidence(user, _report(user, old, reported), clock))
        if old is not None and old.values == values:
            continue
        if old is not None and _is_learned(old.values, values):
            learned.append((old.id, values[_MFA]))
            continue
        _note(changes[_moment(old, values, clock)], user, old, values)
        changed.add(user.id)
    for seen, change in changes.items():
        temporal.write(CREDENTIALS, change, account_id=census.account.pk, seen=seen)
    bulk.update(UserCredentials, key="id", columns=("mfa",), rows=learned)
    return changed


def _report(user: Known, old: Current | None, reported: Reported | None) -> dict[str, Any]:
    if reported is not None and user.id in reported.lines:
        return report_facts(reported.lines[user.id])
    stored: dict[str, Any] = old.values[_REPORT] if old else {}
    return stored


def _note(change: Difference, user: Known, old: Current | None, values: Values) -> None:
    if old is not None:
        change.closes.append(old.id)
    change.inserts.append((user.id, (), values))


def _is_learned(old: Values, new: Values) -> bool:
    """Whether only the sort of a device has become known that was on already: no change of the user's."""
    return (
        old[_MFA] == UNKNOWN
        and new[_MFA] != UNKNOWN
        and old[:_MFA] + old[_MFA + 1 :] == new[:_MFA] + new[_MFA + 1 :]
    )


def _moment(old: Current | None, values: Values, clock: Clock) -> Seen:
    """From when on the new row holds: what the report says holds since AWS made it, all else since it was seen."""
    says_report = old is not None and old.values[_REPORT] != values[_REPORT]
    if old is None:
        return clock.born._replace(observed=clock.reported_at) if values[_REPORT] else clock.born
    if clock.reported_at is None or not says_report:
        return clock.seen
    if clock.reported_at > old.observed_at:
        return clock.seen._replace(at=clock.reported_at, after=clock.reported_before)
    return clock.seen


class _Gatherer:
    """Collects the evidence on users from the census, with at most two queries for all of them."""

    def __init__(self, census: Census, users: list[Known], reported_at: datetime | None) -> None:
        wanted = {user.id for user in users}
        self._devices: dict[int, list[str]] = defaultdict(list)
        for device in census.of_kind(Kind.MFA_DEVICE):
            if device.owner_id in wanted:
                self._devices[device.owner_id].append(sort_of_device(device.aws_id))
        self._keys = _keys_of(census, users)
        self._lost = _owners_of_lost_devices(census, reported_at)

    def evidence(self, user: Known, report: dict[str, Any], clock: Clock) -> Evidence:
        """What is known of one user."""
        return Evidence(
            report=report,
            reported_at=clock.reported_at,
            devices=self._devices.get(user.id, ()),
            listed_at=clock.listed_at,
            visited_at=user.detail_at,
            has_lost_device=user.id in self._lost or user.id in clock.released,
            keys=self._keys.get(user.id, ()),
        )


def _keys_of(census: Census, users: list[Known]) -> dict[int, list[tuple[datetime | None, str]]]:
    visited = {user.id for user in users if user.detail_at is not None}
    owners = {key.id: key.owner_id for key in census.of_kind(Kind.ACCESS_KEY) if key.owner_id in visited}
    keys: dict[int, list[tuple[datetime | None, str]]] = defaultdict(list)
    if not owners:
        return keys
    rows = EntityState.objects.filter(account=census.account, kind=Kind.ACCESS_KEY, valid_to__isnull=True)
    for pk, created, status in rows.values_list("entity_id", "created_at", "category").iterator(
        chunk_size=5000
    ):
        owner = owners.get(pk)
        if owner is not None:
            keys[owner].append((created, status))
    return keys


def _owners_of_lost_devices(census: Census, since: datetime | None) -> set[int]:
    if since is None:
        return set()
    lost = Entity.objects.filter(
        account=census.account, kind=Kind.MFA_DEVICE, gone_at__gt=since, first_seen__lte=since
    )
    return {owner for owner in lost.values_list("owner_id", flat=True) if owner is not None}


__all__ = ["Clock", "Reported", "creation_times", "derive", "match_report"]
