"""Stores a batch of read files in one transaction: the new events, and their contribution to the rollups."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import chain
from operator import attrgetter, itemgetter
from typing import Any, Final, NamedTuple, TypeVar
from uuid import UUID

import orjson
from django.db import IntegrityError, connection, transaction

from iam.activity.callers import CallerKey
from iam.activity.key_addresses import credential_of
from iam.activity.models import TrailCaller, TrailFile
from iam.activity.partitions import add_months
from iam.activity.records import EventRecord
from iam.activity.role_users import NamedRoleUser, users_of
from iam.batches import batches

K = TypeVar("K")
ATTEMPTS: Final = 5
"""Number of attempts. Another process can store the same file or event at the same time; then the batch is
checked again.
"""
PARAMETERS_AT_ONCE: Final = 400
EVENT_COLUMNS: Final = (
    "at",
    "event_id",
    "account_id",
    "region",
    "service",
    "action",
    "caller_id",
    "session_name",
    "access_key",
    "source_identity",
    "person",
    "instance_id",
    "mfa",
    "source_address",
    "tool",
    "error_code",
    "is_denied",
    "is_read_only",
    "resource",
    "raw",
    "file_id",
)
_COLUMNS: Final = ", ".join(EVENT_COLUMNS)
_COPY: Final = f"COPY activity_event ({_COLUMNS}) FROM STDIN"
_INSERT: Final = f"INSERT INTO activity_event ({_COLUMNS}) VALUES ({', '.join(['%s'] * len(EVENT_COLUMNS))})"  # noqa: S608
_WRITE_EVENTS: Final = "LOCK TABLE activity_event IN ROW EXCLUSIVE MODE"
"""The lock that writing takes anyway, taken before anything is read. Otherwise the retention, which blocks
writers, and a reader could wait for each other.
"""
_KNOWN: Final = (
    "SELECT known.event_id FROM json_to_recordset(%s::json) AS came(at timestamptz, event_id uuid) "
    "JOIN activity_event known ON known.at = came.at AND known.event_id = came.event_id"
)


class RollupTable(NamedTuple):
    """A table of sums. `keys` and `counts` are its columns, with `keys` mapped to PostgreSQL types. It also
    has columns for the first and the last call.
    """

    table: str
    keys: Mapping[str, str]
    counts: tuple[str, ...]

    @property
    def columns(self) -> dict[str, str]:
        """All columns with their types."""
        counts = dict.fromkeys(self.counts, "bigint")
        return {**self.keys, **counts, "first_at": "timestamptz", "last_at": "timestamptz"}

    def add(self, tallies: Mapping[Any, CallTally]) -> None:
        """Add tallies by their keys."""
        rows = _values(tallies, self.counts)
        if rows:
            _write_rows(self.table, self.columns, rows, self._conflict)

    @property
    def _conflict(self) -> str:
        table = self.table
        sums = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in self.counts)
        return f"""
        ON CONFLICT ({", ".join(self.keys)}) DO UPDATE SET {sums},
          first_at = CASE WHEN excluded.first_at < {table}.first_at
                     THEN excluded.first_at ELSE {table}.first_at END,
          last_at = CASE WHEN excluded.last_at > {table}.last_at
                    THEN excluded.last_at ELSE {table}.last_at END
        """


def _write_rows(
    table: str, columns: Mapping[str, str], rows: Sequence[tuple[Any, ...]], conflict: str
) -> None:
    """Insert rows, with `conflict` as the clause for existing ones. PostgreSQL gets them as one JSON text,
    because one statement per row takes two fifths of the time of an ingest.
    """
    names = ", ".join(columns)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            typed = ", ".join(f"{name} {kind}" for name, kind in columns.items())
            came = [dict(zip(columns, row, strict=True)) for row in rows]
            cursor.execute(
                f"INSERT INTO {table} ({names}) SELECT {names} FROM json_to_recordset(%s::json)"  # noqa: S608
                f" AS came({typed}) {conflict}",
                [orjson.dumps(came).decode()],
            )
        else:
            marks = ", ".join(["%s"] * len(columns))
            cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks}) {conflict}", rows)  # noqa: S608


_TEXT: Final = "text"
_ACTION_KEYS: Final = {"caller_id": "bigint", "service": _TEXT, "action": _TEXT}
_COUNTS: Final = ("calls", "errors", "denied")
_DAYS: Final = RollupTable(
    "activity_day",
    {"caller_id": "bigint", "day": "date", "service": _TEXT, "action": _TEXT, "account_id": _TEXT},
    _COUNTS,
)
_ACTIONS: Final = RollupTable("activity_action", _ACTION_KEYS, _COUNTS)
_ADDRESSES: Final = RollupTable("activity_address", {"caller_id": "bigint", "address": _TEXT}, ("calls",))
_ADDRESS_DAYS: Final = RollupTable(
    "activity_address_day",
    {"caller_id": "bigint", "credential": _TEXT, "address": _TEXT, "day": "date"},
    ("calls",),
)
_ADD_ROLE_USER: Final = """
INSERT INTO activity_role_user (role_arn, name, person, last_at) VALUES (%s, %s, %s, %s)
ON CONFLICT (role_arn, name, person) DO UPDATE SET
  last_at = CASE WHEN excluded.last_at > activity_role_user.last_at
            THEN excluded.last_at ELSE activity_role_user.last_at END
"""


@dataclass(slots=True)
class ReadFile:
    """A file whose events were parsed. `row` isn't saved yet."""

    row: TrailFile
    events: list[EventRecord] = field(default_factory=list)


@dataclass(slots=True)
class CallTally:
    """The number of calls, failed and denied ones, and the times of the first and the last."""

    first_at: datetime
    last_at: datetime
    calls: int = 0
    errors: int = 0
    denied: int = 0

    def add(self, event: EventRecord) -> None:
        """Count a call."""
        self.calls += 1
        self.errors += bool(event.error_code)
        self.denied += event.is_denied
        if event.at < self.first_at:
            self.first_at = event.at
        elif event.at > self.last_at:
            self.last_at = event.at

    def merge(self, other: CallTally) -> None:
        """Add the calls of another tally."""
        self.calls += other.calls
        self.errors += other.errors
        self.denied += other.denied
        self.first_at = min(self.first_at, other.first_at)
        self.last_at = max(self.last_at, other.last_at)


@dataclass(slots=True)
class CallSums:
    """What events add to the rollups. Each event is tallied twice, by action and by address; the others are
    sums of these.
    """

    days: dict[tuple[int, date, str, str, str], CallTally] = field(default_factory=dict)
    places: dict[tuple[int, str, str, date], CallTally] = field(default_factory=dict)

    def add(self, event: EventRecord, caller: int) -> None:
        """Count an event of the principal with this row ID."""
        at = event.at.date()
        day = (caller, at, event.service, event.action, event.account_id)
        tally = self.days.get(day)
        if tally is None:
            tally = self.days[day] = CallTally(event.at, event.at)
        tally.add(event)
        if event.source_address:
            place = (caller, credential_of(event), event.source_address, at)
            tally = self.places.get(place)
            if tally is None:
                tally = self.places[place] = CallTally(event.at, event.at)
            tally.add(event)

    def write(self) -> None:
        """Add the sums to the tables."""
        actions: dict[tuple[int, str, str], CallTally] = {}
        for (caller, _, service, action, _), tally in self.days.items():
            _merge(actions, (caller, service, action), tally)
        addresses: dict[tuple[int, str], CallTally] = {}
        for (caller, _, address, _), tally in self.places.items():
            _merge(addresses, (caller, address), tally)
        # Only addresses of access keys and EC2 instances.
        of_credentials = {place: tally for place, tally in self.places.items() if place[1]}
        _DAYS.add(self.days)
        _ACTIONS.add(actions)
        _ADDRESSES.add(addresses)
        _ADDRESS_DAYS.add(of_credentials)


def known_files(digests: Sequence[str]) -> dict[str, TrailFile]:
    """Return the files that were read before, by digest."""
    rows = TrailFile.objects.filter(digest__in=digests)
    return {row.digest: row for row in rows}


def store(files: Sequence[ReadFile]) -> dict[str, TrailFile]:
    """Store what is new in these files. Returns the row of each file by digest, which is that of another
    process if it was faster.
    """
    for attempt in range(1, ATTEMPTS + 1):
        known = known_files([file.row.digest for file in files])
        new = [file for file in files if file.row.digest not in known]
        new.sort(key=lambda file: file.row.digest)
        add_months(event.at for event in chain.from_iterable(file.events for file in new))
        try:
            with transaction.atomic():
                _store(new)
        except IntegrityError:
            if attempt == ATTEMPTS:
                raise
        else:
            return known | {file.row.digest: file.row for file in new}
    raise AssertionError("unreachable")


def _store(files: Sequence[ReadFile]) -> None:
    """Write the rows of new files. Everything is written in key order, so that two processes wait for each
    other instead of deadlocking.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(_WRITE_EVENTS)
    events: dict[tuple[datetime, UUID], tuple[EventRecord, ReadFile]] = {}
    for file in files:
        for event in file.events:
            events.setdefault((event.at, event.event_id), (event, file))
    known = _known_events(list(events))
    new = [events[key] for key in sorted(events) if key[1] not in known]
    _insert_files(files, new)
    callers = _caller_ids({event.caller for event, _ in new})
    sums = CallSums()
    _insert_events(_counted_rows(new, callers, sums))
    sums.write()
    _add_role_users([event for event, _ in new])


def _insert_files(files: Sequence[ReadFile], new: Iterable[tuple[EventRecord, ReadFile]]) -> None:
    """Insert the rows of new files, each with the number of its events that are new."""
    for file in files:
        file.row.pk, file.row.stored = None, 0
    for _, file in new:
        file.row.stored += 1
    for file in files:
        file.row.repeated = len(file.events) - file.row.stored
    TrailFile.objects.bulk_create([file.row for file in files])


def _counted_rows(
    new: Iterable[tuple[EventRecord, ReadFile]], callers: Mapping[CallerKey, int], sums: CallSums
) -> Iterator[tuple[Any, ...]]:
    """Yield the values of each event, and add it to the sums: PostgreSQL stores rows meanwhile."""
    for event, file in new:
        caller = callers[event.caller]
        yield _event_row(event, caller, file.row.pk)
        sums.add(event, caller)


def _known_events(keys: list[tuple[datetime, UUID]]) -> set[UUID]:
    """Return which of these events are stored already."""
    if not keys:
        return set()
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            came = [{"at": at, "event_id": event_id} for at, event_id in keys]
            cursor.execute(_KNOWN, [orjson.dumps(came).decode()])
            return {row[0] for row in cursor.fetchall()}
        return set(_known_to_sqlite(cursor, keys))


def _known_to_sqlite(cursor: Any, keys: list[tuple[datetime, UUID]]) -> Iterable[UUID]:
    for part in batches(keys, PARAMETERS_AT_ONCE):
        marks = ", ".join(["(%s, %s)"] * len(part))
        parameters = list(chain.from_iterable((_sqlite_time(at), event_id.hex) for at, event_id in part))
        cursor.execute(
            f"SELECT event_id FROM activity_event WHERE (at, event_id) IN (VALUES {marks})",  # noqa: S608
            parameters,
        )
        yield from (UUID(row[0]) for row in cursor.fetchall())


def _caller_ids(keys: set[CallerKey]) -> dict[CallerKey, int]:
    """Return the row id of each principal, creating missing rows."""
    digests = {caller_digest(key): key for key in keys}
    ids = _stored_callers(digests)
    missing = [digest for digest in sorted(digests) if digests[digest] not in ids]
    if missing:
        rows = [TrailCaller(digest=digest, **digests[digest]._asdict()) for digest in missing]
        TrailCaller.objects.bulk_create(rows, ignore_conflicts=True)
        ids |= _stored_callers({digest: digests[digest] for digest in missing})
    return ids


def _stored_callers(digests: dict[str, CallerKey]) -> dict[CallerKey, int]:
    rows = TrailCaller.objects.filter(digest__in=list(digests)).values_list("digest", "pk")
    return {digests[digest]: pk for digest, pk in rows}


def caller_digest(key: CallerKey) -> str:
    """Return the BLAKE2b-128 of the key, in hex."""
    return hashlib.blake2b("\0".join(key).encode(), digest_size=16).hexdigest()


def _event_row(event: EventRecord, caller_id: int, file_id: int) -> tuple[Any, ...]:
    """Return the values of an event in the order of EVENT_COLUMNS."""
    session = event.session
    return (
        event.at,
        event.event_id,
        event.account_id,
        event.region,
        event.service,
        event.action,
        caller_id,
        session.name,
        session.access_key,
        session.source_identity,
        session.person,
        session.instance_id,
        session.mfa,
        event.source_address,
        event.tool,
        event.error_code,
        event.is_denied,
        event.is_read_only,
        event.resource,
        event.raw,
        file_id,
    )


def _insert_events(rows: Iterable[tuple[Any, ...]]) -> None:
    """Insert events, with COPY if the database has it."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(_COPY) as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            cursor.executemany(_INSERT, [(_sqlite_time(row[0]), row[1].hex, *row[2:]) for row in rows])


def _merge(tallies: dict[K, CallTally], key: K, tally: CallTally) -> None:
    """Add a tally to the one under a key."""
    if key not in tallies:
        tallies[key] = CallTally(tally.first_at, tally.last_at)
    tallies[key].merge(tally)


def _add_role_users(events: Sequence[EventRecord]) -> None:
    """Record who used which role by single sign-on, and when last."""
    last: dict[NamedRoleUser, datetime] = {}
    for event in events:
        for user in users_of(event):
            last[user] = max(event.at, last.get(user, event.at))
    is_sqlite = connection.vendor == "sqlite"
    rows: list[tuple[Any, ...]] = []
    for user in sorted(last):
        moment = _sqlite_time(last[user]) if is_sqlite else last[user]
        rows.append((*user, moment))
    with connection.cursor() as cursor:
        cursor.executemany(_ADD_ROLE_USER, rows)


def _values(tallies: Mapping[Any, CallTally], counts: tuple[str, ...]) -> list[tuple[Any, ...]]:
    """Return the parameters of each tally, in key order."""
    is_sqlite = connection.vendor == "sqlite"
    counted = attrgetter(*counts, "first_at", "last_at")
    rows = []
    for key, tally in sorted(tallies.items(), key=itemgetter(0)):
        *numbers, first_at, last_at = counted(tally)
        if is_sqlite:
            first_at, last_at = _sqlite_time(first_at), _sqlite_time(last_at)
        rows.append((*key, *numbers, first_at, last_at))
    return rows


def _sqlite_time(at: datetime) -> str:
    """Return a time as Django writes it into SQLite."""
    return str(connection.ops.adapt_datetimefield_value(at))
