"""Storing trail files: once each, whole or not at all, and with rollups that add up."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.db import DatabaseError, IntegrityError, connection

from iam.activity import ingest as ingesting
from iam.activity import storage
from iam.activity.ingest import DeliveredFile, IngestReport, deliveries_in, files_in, ingest
from iam.activity.models import (
    CallerAction,
    CallerAddress,
    CallerDay,
    TrailCaller,
    TrailEvent,
    TrailFile,
)
from iam.activity.queries import _OF_EVENTS
from tests.iam.activity.records import ACCOUNT, ATTACK, record, trail, user

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]
TALLY = ("service", "action", "calls", "errors", "denied", "first_at", "last_at")
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _now() -> Iterable[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def _ingest(*contents: bytes) -> IngestReport:
    return ingest(
        [DeliveredFile(f"file-{number}", content) for number, content in enumerate(contents)], "command"
    )


def _counts(report: IngestReport) -> tuple[int, int, int, int]:
    return report.files, report.events, report.stored, report.repeated


def _rows() -> dict[str, list[Any]]:
    """Everything that is stored of events, without numbers that the database gives."""
    return {
        "events": sorted(TrailEvent.objects.values_list("at", "event_id", "caller__digest", "raw")),
        "days": sorted(
            CallerDay.objects.values_list(
                "caller__digest",
                "day",
                "service",
                "action",
                "calls",
                "errors",
                "denied",
                "first_at",
                "last_at",
            )
        ),
        "actions": sorted(CallerAction.objects.values_list("caller__digest", *TALLY)),
        "addresses": sorted(
            CallerAddress.objects.values_list("caller__digest", "address", "calls", "first_at", "last_at")
        ),
    }


def _rollups_add_up() -> None:
    """Each rollup is what counting the events anew gives."""
    days: Counter[tuple[Any, ...]] = Counter()
    addresses: Counter[tuple[Any, ...]] = Counter()
    for event in TrailEvent.objects.all():
        days[(event.caller_id, event.at.date(), event.service, event.action, event.account_id)] += 1
        addresses[(event.caller_id, event.source_address)] += 1
    stored = CallerDay.objects.values_list("caller_id", "day", "service", "action", "account_id", "calls")
    assert {row[:-1]: row[-1] for row in stored} == dict(days)
    counted = TrailEvent.objects.values("caller_id", "service", "action").annotate(**_OF_EVENTS)
    names = ("caller_id", "service", "action", *_OF_EVENTS)
    assert set(CallerAction.objects.values_list("caller_id", *TALLY)) == set(counted.values_list(*names))
    seen = CallerAddress.objects.values_list("caller_id", "address", "calls")
    assert {row[:-1]: row[-1] for row in seen} == dict(addresses)


def test_an_event_is_stored_with_its_principal_and_its_file() -> None:
    report = _ingest(trail(record()))
    assert _counts(report) == (1, 1, 1, 0)
    event = TrailEvent.objects.select_related("caller").get()
    assert (event.event_id, event.at) == (UUID(int=1), datetime(2026, 11, 20, 10, tzinfo=UTC))
    assert (event.caller.kind, event.caller.unique_id) == ("user", "AIDAANA")
    file = TrailFile.objects.get()
    assert event.file_id == file.pk
    assert (file.stored, file.repeated, file.refused, file.reason) == (1, 0, 0, "")
    assert file.first_at == file.last_at == event.at


def test_a_real_trail_is_stored_once_in_any_order_and_however_its_files_are_cut() -> None:
    contents = [path.read_bytes() for path in sorted(ATTACK.glob("*.gz"))]
    assert _counts(_ingest(*contents)) == (55, 2900, 2900, 0)
    before = _rows()
    _rollups_add_up()
    random.Random(4).shuffle(contents)
    assert _counts(_ingest(*contents)) == (55, 2900, 0, 2900)
    assert _rows() == before
    # The same events in files of another cut are no new events.
    from iam.activity.trail_files import records_of

    records = [each for content in contents for each in records_of(content)]
    report = _ingest(*(trail(*records[start : start + 700]) for start in range(0, len(records), 700)))
    assert _counts(report) == (5, 2900, 0, 2900)
    assert _rows() == before


def test_an_upgrade_makes_the_sums_that_reading_would_have_made() -> None:
    _ingest(*(path.read_bytes() for path in sorted(ATTACK.glob("*.gz"))[:5]))
    before = _rows()["actions"]
    CallerAction.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute(import_module("iam.activity.migrations.0003_calls_by_action").FILL)
    assert before
    assert _rows()["actions"] == before


def test_a_file_that_was_read_before_is_not_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    _ingest(trail(record()), b"broken")

    def opened(content: bytes) -> list[Any]:
        raise AssertionError("the file was opened")

    monkeypatch.setattr(ingesting, "records_of", opened)
    report = _ingest(trail(record()), b"broken")
    assert _counts(report) == (2, 1, 0, 1)
    assert [name for name, _ in report.quarantined] == ["file-1"]


def test_the_same_file_twice_in_one_run_counts_once() -> None:
    content = trail(record(1), record(2))
    assert _counts(_ingest(content, content)) == (2, 4, 2, 2)


def test_an_event_that_comes_again_in_one_file_or_in_another_is_one_event() -> None:
    assert _counts(_ingest(trail(record(1), record(1), record(2)), trail(record(2), record(3)))) == (
        2,
        5,
        3,
        2,
    )
    _rollups_add_up()
    assert sum(CallerDay.objects.values_list("calls", flat=True)) == 3


def test_what_can_not_be_read_is_quarantined_and_the_rest_is_stored() -> None:
    report = _ingest(
        trail(record(1)),
        trail(record(2))[:-10],
        trail(record(3), {"eventID": 5}, None, record(4)),
        b"",
    )
    assert _counts(report) == (4, 3, 3, 0)
    assert [(name, reason.partition(":")[0]) for name, reason in report.quarantined] == [
        ("file-1", "The gzip file is cut off"),
        ("file-2", "2 of 4 events left out"),
        ("file-3", "The file is empty."),
    ]
    assert TrailFile.objects.get(name="file-2").refused == 2


def test_every_reason_why_events_are_left_out_is_told_with_how_often() -> None:
    broken = [record(4, eventID=5), None, record(5, eventTime="yesterday"), None]
    report = _ingest(trail(record(1), *broken), trail(record(2), None, None))
    assert [reason for _, reason in report.quarantined] == [
        "4 of 5 events left out: an event isn’t a JSON object (2); an event has no valid eventID (1); "
        "an event has no valid eventTime (1).",
        "2 of 3 events left out: an event isn’t a JSON object.",
    ]


def test_events_out_of_order_widen_the_days_in_both_directions() -> None:
    times = ("2026-11-20T12:00:00Z", "2026-11-20T23:59:59Z", "2026-11-20T00:00:00Z", "2026-11-19T23:59:59Z")
    for number, at in enumerate(times):
        _ingest(trail(record(number + 1, eventTime=at)))
    _rollups_add_up()
    day = CallerDay.objects.get(day="2026-11-20")
    assert (day.first_at.isoformat(), day.last_at.isoformat()) == (
        "2026-11-20T00:00:00+00:00",
        "2026-11-20T23:59:59+00:00",
    )


@pytest.mark.parametrize(
    "odd", ['"', "\\", "\\N", "\t\r\n", "'; --", "{}[],:", "%s", "\u0000", "\u2028", "é😀", "null", "true"]
)
def test_odd_letters_of_an_event_are_summed_as_they_are(odd: str) -> None:
    for number in (1, 2):
        identity = user(name=f"ana{odd}")
        event = record(number, userIdentity=identity, eventName=f"Get{odd}", sourceIPAddress=f"1{odd}2")
        _ingest(trail(event))
    _rollups_add_up()
    (stored,) = CallerDay.objects.all()
    assert (stored.calls, stored.action) == (2, TrailEvent.objects.values_list("action", flat=True)[0])
    report = _ingest(trail(event, record(3)))
    assert (report.stored, report.repeated) == (1, 1)


def test_a_user_who_was_created_again_is_somebody_else() -> None:
    again = record(2, userIdentity=user(unique_id="AIDAANA2"))
    _ingest(trail(record(1), again))
    assert TrailCaller.objects.filter(arn=f"arn:aws:iam::{ACCOUNT}:user/ana").count() == 2


def test_nothing_of_a_batch_is_stored_if_its_last_step_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    _ingest(trail(record(1)))
    before = _rows()

    def failed(*arguments: Any) -> None:
        raise DatabaseError("the connection was lost")

    with monkeypatch.context() as broken:
        broken.setattr(storage, "_add_role_users", failed)
        with pytest.raises(DatabaseError):
            _ingest(trail(record(2), record(3)))
    assert _rows() == before
    assert TrailFile.objects.count() == 1
    assert _counts(_ingest(trail(record(2), record(3)))) == (1, 2, 2, 0)
    _rollups_add_up()


def test_a_batch_that_another_process_stores_meanwhile_is_looked_at_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    content = trail(record(1), record(2))
    insert = storage._insert_events
    calls = []

    def late(rows: Iterable[tuple[Any, ...]]) -> None:
        calls.append(1)
        if len(calls) == 1:
            raise IntegrityError("another process was faster")
        insert(rows)

    monkeypatch.setattr(storage, "_insert_events", late)
    assert _counts(_ingest(content)) == (1, 2, 2, 0)
    assert len(calls) == 2
    _rollups_add_up()


def test_raw_events_are_not_kept_if_the_setting_says_so(settings: Any) -> None:
    settings.ACTIVITY_KEEP_EVENTS = False
    _ingest(trail(record(1)))
    assert TrailEvent.objects.get().raw == ""


def test_folders_are_searched_and_digest_files_left_out(tmp_path: Path) -> None:
    day = tmp_path / "AWSLogs" / ACCOUNT / "CloudTrail" / "eu-west-1"
    digests = tmp_path / "AWSLogs" / ACCOUNT / "CloudTrail-Digest"
    for folder in (day, digests):
        folder.mkdir(parents=True)
        (folder / "a.json.gz").write_bytes(trail(record(1)))
    (day / "notes.txt").write_text("hello", encoding="utf-8")
    (day / "b.json").write_bytes(trail(record(2)))
    named = tmp_path / "named"
    named.write_bytes(trail(record(3)))
    names = [Path(each.name).name for each in deliveries_in(files_in([tmp_path / "AWSLogs", named]))]
    assert names == ["a.json.gz", "b.json", "named"]
