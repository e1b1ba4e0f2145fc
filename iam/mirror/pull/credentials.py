"""Maintains one current row of credentials per user, derived from the credential report, devices and keys."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Self

from iam.aws.reads.credential_report import CredentialRow, ReadReport, ReportedKey
from iam.mirror.models import Entity, EntityState, Kind, UserCredentials
from iam.mirror.pull import bulk, revisions, temporal
from iam.mirror.pull.entity_cache import EntityCache, EntityRow
from iam.mirror.pull.evidence import UNKNOWN, CredentialEvidence, credentials_of
from iam.mirror.pull.facts import ObservationTimes
from iam.mirror.pull.freshness import SectionFreshness
from iam.mirror.pull.sections import CREDENTIAL_REPORT, MFA_DEVICES
from iam.mirror.pull.temporal import CREDENTIALS, CurrentRow, RowDifference, Values
from iam.mirror.pull.transform.credentials import MAX_SIGN_IN, report_facts, sort_of_device
from iam.mirror.pull.upsert_entities import is_newer
from iam.mirror.pull.usage import LastUse

_MFA = CREDENTIALS.values.index("mfa")
_REPORT = CREDENTIALS.values.index("report")
SAME_USER = timedelta(seconds=2)
KEYS_READ_AT, MFA_READ_AT, PROFILE_READ_AT, PASSWORD_SET_AT = READ_ALONE = (
    "access_keys_read_at",
    "mfa_read_at",
    "login_profile_read_at",
    "password_set_at",
)
"""Facts in addition to those of the report: when a user's keys, devices or password were read on their own
right after a change, and when a change set the password.

AWS generates a report at most every four hours, so a report that is read later can still be older than these
facts.
"""


@dataclass(slots=True)
class LoadedReport:
    """A credential report: when AWS generated it, and its lines by the primary key of the user."""

    at: datetime
    lines: dict[int, CredentialRow] = field(default_factory=dict)


def match_report(
    census: EntityCache, report: ReadReport, *, created: Mapping[int, datetime | None]
) -> LoadedReport:
    """Assign each line to its user. Lines of users who have since been deleted and recreated are dropped."""
    by_arn = {known.arn: known for known in census.of_kind(Kind.USER)}
    matched = LoadedReport(at=report.generated_at)
    for row in report.rows:
        known = by_arn.get(row.arn)
        if known is None:
            continue
        born = created.get(known.id)
        if born is None or abs(born - row.created_at) <= SAME_USER:
            matched.lines[known.id] = row
    return matched


def creation_times(census: EntityCache) -> dict[int, datetime | None]:
    """The creation times of all current users."""
    rows = EntityState.objects.filter(account=census.account, kind=Kind.USER, valid_to__isnull=True)
    return dict(rows.values_list("entity_id", "created_at").iterator(chunk_size=5000))


@dataclass(slots=True)
class EvidenceTimes:
    """The times of each kind of evidence: `seen` for all but the report, `born` for users seen for the first
    time.

    `released` are users with a device that is now unassigned.
    """

    seen: ObservationTimes
    born: ObservationTimes
    listed_at: datetime | None
    reported_at: datetime | None
    reported_before: datetime | None = None
    released: frozenset[int] = frozenset()

    @classmethod
    def of_single_read(cls, seen: ObservationTimes, freshness: SectionFreshness) -> Self:
        """The times for users who are read outside the lists and the report of their account."""
        return cls(
            seen=seen,
            born=seen,
            listed_at=freshness.observed_at(MFA_DEVICES),
            reported_at=freshness.observed_at(CREDENTIAL_REPORT),
        )


def derive(
    census: EntityCache,
    users: Iterable[EntityRow],
    *,
    reported: LoadedReport | None,
    clock: EvidenceTimes,
    login_profiles: Mapping[int, dict[str, Any] | None] = MappingProxyType({}),
    read_alone: Mapping[str, str] = MappingProxyType({}),
) -> set[int]:
    """Write the rows of users whose credentials differ from the current ones. Returns the changed users.

    Without a report, the facts of the last report are taken from the current row. `login_profiles` has
    profiles that were just read. `read_alone` has the times of reads right after a change.
    """
    users = [user for user in users if read_alone or not is_newer(user, clock.seen.at)]
    current = temporal.current_rows(CREDENTIALS, owners=[user.id for user in users])
    gather = _Gatherer(census, users, clock.reported_at)
    changes: dict[ObservationTimes, RowDifference] = defaultdict(RowDifference)
    learned: list[bulk.Row] = []
    changed: set[int] = set()
    for user in users:
        old = current.get(user.id, {}).get(())
        facts = _facts(user, old, reported)
        if user.id in login_profiles:
            facts = {**facts, "login_profile": login_profiles[user.id] or False}
        facts = {**facts, **read_alone}
        values = credentials_of(gather.evidence(user, facts, clock))
        if old is not None and old.values == values:
            continue
        if old is not None and _is_learned(old.values, values):
            learned.append((old.id, values[_MFA], bulk.canonical(values[_REPORT])))
            continue
        _note_change(changes[_moment(old, values, clock)], user, old, values)
        changed.add(user.id)
    for seen, change in changes.items():
        temporal.write(CREDENTIALS, change, account_id=census.account.pk, seen=seen)
    bulk.update(UserCredentials, key="id", columns=("mfa", "report"), rows=learned)
    if changed or learned:
        revisions.note_write(census.account.pk)
    return changed


def _facts(user: EntityRow, old: CurrentRow | None, reported: LoadedReport | None) -> dict[str, Any]:
    """The report's facts about a user. A login profile that was read earlier is kept as long as the report
    agrees with it.
    """
    stored: dict[str, Any] = old.values[_REPORT] if old else {}
    if reported is None or user.id not in reported.lines:
        return stored
    facts = report_facts(reported.lines[user.id])
    profile = stored.get("login_profile")
    is_same_password = all(
        stored.get(name) == facts[name] for name in ("password_enabled", "password_last_changed")
    )
    for name in READ_ALONE:
        read_at = moment_of(stored, name)
        if read_at is not None and read_at > reported.at:
            facts[name] = stored[name]
    # A profile that was read on its own is of another time than the earlier report, so a newer report must
    # confirm it.
    contradicts = PROFILE_READ_AT in stored and bool(profile) is not bool(facts["password_enabled"])
    is_borne_out = is_same_password and not contradicts
    if profile is not None and (is_borne_out or PROFILE_READ_AT in facts):
        facts["login_profile"] = profile
    return facts


def _note_change(change: RowDifference, user: EntityRow, old: CurrentRow | None, values: Values) -> None:
    if old is not None:
        change.closes.append(old.id)
    change.inserts.append((user.id, (), values))


def _is_learned(old: Values, new: Values) -> bool:
    """True if the difference is only that something became known that was true already, which is no change of
    the user: the type of a device, the facts of a console password, or the times of reads.
    """
    old_facts, new_facts = old[_REPORT], new[_REPORT]
    filled_facts = {name: value for name, value in old_facts.items() if name not in READ_ALONE}
    for name in READ_ALONE:
        if name in new_facts:
            filled_facts[name] = new_facts[name]
    old_profile, new_profile = old_facts.get("login_profile"), new_facts.get("login_profile")
    if old_profile is None and new_profile is not None:
        filled_facts["login_profile"] = new_profile
    elif old_profile and new_profile and MAX_SIGN_IN not in old_profile:
        filled_facts["login_profile"] = {**new_profile, **old_profile}
    filled = list(old)
    filled[_REPORT] = filled_facts
    if old[_MFA] == UNKNOWN:
        filled[_MFA] = new[_MFA]
    return filled == list(new)


def _moment(old: CurrentRow | None, values: Values, clock: EvidenceTimes) -> ObservationTimes:
    """The times from which the new row is valid: facts of the report since AWS generated it, all others since
    they were seen.
    """
    facts = values[_REPORT]
    if old is None:
        return clock.born._replace(observed=clock.reported_at) if facts else clock.born
    is_reported = _without_profile(old.values[_REPORT]) != _without_profile(facts)
    if is_reported and clock.reported_at is not None and clock.reported_at > old.observed_at:
        return clock.seen._replace(at=clock.reported_at, after=clock.reported_before)
    return clock.seen


def _without_profile(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if name not in ("login_profile", *READ_ALONE)}


def moment_of(facts: dict[str, Any], name: str) -> datetime | None:
    """A time among the facts of a user's credentials; None if it is missing."""
    return datetime.fromisoformat(facts[name]) if facts.get(name) else None


class _Gatherer:
    """Collects the evidence about users from the entity cache, with at most two queries for all of them."""

    def __init__(self, census: EntityCache, users: list[EntityRow], reported_at: datetime | None) -> None:
        wanted = {user.id for user in users}
        self._devices: dict[int, list[str]] = defaultdict(list)
        for device in census.of_kind(Kind.MFA_DEVICE):
            if device.owner_id in wanted:
                self._devices[device.owner_id].append(sort_of_device(device.aws_id))
        self._keys = _keys_of(census, users)
        self._lost = _owners_of_lost_devices(census, reported_at)

    def evidence(self, user: EntityRow, report: dict[str, Any], clock: EvidenceTimes) -> CredentialEvidence:
        """What is known about one user."""
        return CredentialEvidence(
            report=report,
            reported_at=clock.reported_at,
            devices=self._devices.get(user.id, ()),
            listed_at=clock.listed_at,
            visited_at=user.detail_at,
            keys_read_at=moment_of(report, KEYS_READ_AT),
            mfa_read_at=moment_of(report, MFA_READ_AT),
            has_lost_device=user.id in self._lost or user.id in clock.released,
            keys=self._keys.get(user.id, ()),
        )


def _keys_of(census: EntityCache, users: list[EntityRow]) -> dict[int, list[tuple[datetime | None, str]]]:
    visited = {user.id for user in users if user.detail_at is not None or user.reread_at is not None}
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


def _owners_of_lost_devices(census: EntityCache, since: datetime | None) -> set[int]:
    if since is None:
        return set()
    lost = Entity.objects.filter(
        account=census.account, kind=Kind.MFA_DEVICE, gone_at__gt=since, first_seen__lte=since
    )
    return {owner for owner in lost.values_list("owner_id", flat=True) if owner is not None}


def key_uses(census: EntityCache, reported: LoadedReport) -> dict[int, LastUse]:
    """The last use of keys by primary key, as far as the report tells. It has no key IDs, so keys are matched
    by their creation date.
    """
    slots: dict[tuple[int, datetime], list[ReportedKey]] = defaultdict(list)
    for user_id, line in reported.lines.items():
        for key in line.keys:
            if key.last_rotated is not None:
                slots[user_id, key.last_rotated].append(key)
    uses: dict[int, LastUse] = {}
    rows = EntityState.objects.filter(account=census.account, kind=Kind.ACCESS_KEY, valid_to__isnull=True)
    for pk, created in rows.values_list("entity_id", "created_at").iterator(chunk_size=5000):
        known = census.by_pk.get(pk)
        if known is None or known.owner_id is None or created is None:
            continue
        keys = slots.get((known.owner_id, created), [])
        if len(keys) == 1:
            uses[pk] = use_of_slot(keys[0])
    return uses


def use_of_slot(key: ReportedKey) -> LastUse:
    """The last use of a key according to the report."""
    return LastUse(
        at=key.last_used_at, region=key.last_used_region or "", service=key.last_used_service or ""
    )
