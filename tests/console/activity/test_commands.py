"""`manage.py ingest_trail` and `manage.py activity`."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.iam.activity.records import ACCOUNT, record, trail

pytestmark = pytest.mark.django_db


def _json(*arguments: str) -> Any:
    out = StringIO()
    call_command(*arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.json.gz").write_bytes(trail(record(1), record(2, errorCode="AccessDenied")))
    (tmp_path / "b.json.gz").write_bytes(b"\x1f\x8b broken")
    return tmp_path


def test_files_are_stored_once_and_bad_ones_named(folder: Path) -> None:
    answer = _json("ingest_trail", str(folder))
    assert {name: answer[name] for name in ("files", "events", "stored", "repeated")} == {
        "files": 2,
        "events": 2,
        "stored": 2,
        "repeated": 0,
    }
    (bad,) = answer["quarantined"]
    assert bad["file"].endswith("b.json.gz")
    assert "gzip" in bad["reason"]
    again = _json("ingest_trail", str(folder))
    assert (again["stored"], again["repeated"], len(again["quarantined"])) == (0, 2, 1)


def test_the_result_is_told_in_words_too(folder: Path) -> None:
    out = StringIO()
    call_command("ingest_trail", str(folder), stdout=out)
    assert "2 files with 2 events: 2 stored, 0 known before, 1 quarantined:" in out.getvalue()


def test_a_path_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="doesn’t exist"):
        call_command("ingest_trail", str(tmp_path / "none"))


@pytest.mark.parametrize(
    "name", ["ana", f"arn:aws:iam::{ACCOUNT}:user/ana", "AIDAANA", "AKIAIOSFODNN7EXAMPLE"]
)
def test_activity_is_found_by_name_arn_id_and_key(folder: Path, name: str) -> None:
    call_command("ingest_trail", str(folder), stdout=StringIO())
    answer = _json("activity", name)
    assert (answer["calls"], answer["denied"]) == (2, 1)
    assert [caller["unique_id"] for caller in answer["principals"]] == ["AIDAANA"]
    assert [event["action"] for event in answer["events"]] == ["s3:GetObject", "s3:GetObject"]
    (service,) = answer["services"]
    assert service["actions"][0]["calls"] == 2
    assert _json("activity", name, "--since", "2026-11-21")["events"] == []
    out = StringIO()
    call_command("activity", name, stdout=out)
    assert "2 calls, 1 denied" in out.getvalue()


def test_all_numbers_are_of_the_same_time_and_of_the_account_of_the_principal(tmp_path: Path) -> None:
    """Calls, addresses and events count from the same moment, within a day too; what is known is known of
    the account of the principal, not of another.
    """
    early = record(1, eventTime="2026-11-20T08:00:00Z", sourceIPAddress="192.0.2.1")
    late = record(2, eventTime="2026-11-20T12:00:00Z", sourceIPAddress="192.0.2.2")
    (tmp_path / "a.json.gz").write_bytes(trail(early, late))
    identity = record(3)["userIdentity"] | {"accountId": "999999999999", "principalId": "AIDAOTHER"}
    identity["arn"] = "arn:aws:iam::999999999999:user/ben"
    other = record(
        3, eventTime="2020-01-01T08:00:00Z", recipientAccountId="999999999999", userIdentity=identity
    )
    (tmp_path / "b.json.gz").write_bytes(trail(other))
    call_command("ingest_trail", str(tmp_path), stdout=StringIO())
    answer = _json("activity", "AIDAANA", "--since", "2026-11-20T10:00:00Z")
    assert (answer["calls"], len(answer["events"])) == (1, 1)
    assert [(row["address"], row["calls"]) for row in answer["addresses"]] == [("192.0.2.2", 1)]
    assert answer["known"] == {"from": "2026-11-20T08:00:00+00:00", "to": "2026-11-20T12:00:00+00:00"}
    assert len(_json("activity", "AIDAANA")["addresses"]) == 2


def test_a_stranger_and_a_wrong_date_are_errors(folder: Path) -> None:
    with pytest.raises(CommandError, match="knows no events"):
        call_command("activity", "ana")
    call_command("ingest_trail", str(folder), stdout=StringIO())
    with pytest.raises(CommandError, match=r"No known call was made by stranger\..* from 2026-11-20 to"):
        call_command("activity", "stranger")
    with pytest.raises(CommandError, match="isn’t a date"):
        call_command("activity", "ana", "--since", "tomorrow")
