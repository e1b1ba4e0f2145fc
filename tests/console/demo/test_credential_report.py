"""The credential report is made as AWS makes it: on demand, at most every four hours, root user first."""

from __future__ import annotations

import csv
import io
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from console.demo.organisation.people import ACCOUNT_IDS
from console.demo.standin.iam import report
from console.demo.standin.server import RunningStandin
from tests.console.demo.clients import all_pages, control, member


def read(iam: Any) -> tuple[list[dict[str, str]], datetime]:
    """(rows, when it was made) of a report that is ready."""
    while iam.generate_credential_report()["State"] != "COMPLETE":
        time.sleep(0.1)
    answer = iam.get_credential_report()
    rows = csv.DictReader(io.StringIO(answer["Content"].decode()))
    return list(rows), answer["GeneratedTime"]


def refusal(iam: Any) -> str:
    with pytest.raises(ClientError) as refused:
        iam.get_credential_report()
    return str(refused.value.response["Error"]["Code"])


def test_a_report_is_started_then_in_progress_then_complete(
    fresh: RunningStandin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "SECONDS_TO_MAKE", 3600)
    iam = member(fresh, "iam", "staging")
    assert refusal(iam) == "ReportNotPresent"
    assert iam.generate_credential_report()["State"] == "STARTED"
    assert iam.generate_credential_report()["State"] == "INPROGRESS"
    assert refusal(iam) == "ReportInProgress"
    monkeypatch.setattr(report, "SECONDS_TO_MAKE", 0)
    read(iam)
    assert iam.generate_credential_report()["State"] == "COMPLETE"


def test_a_report_stays_the_same_for_four_hours(fresh: RunningStandin) -> None:
    iam = member(fresh, "iam", "staging")
    rows, made = read(iam)
    iam.create_user(UserName="came.later")
    assert read(iam) == (rows, made)
    control(fresh, "advance-credential-report", {"account": ACCOUNT_IDS["staging"], "hours": 3.9})
    aged, then = read(iam)
    assert aged == rows
    assert timedelta(hours=3.8) < datetime.now(UTC) - then < timedelta(hours=4)
    control(fresh, "advance-credential-report", {"account": ACCOUNT_IDS["staging"], "hours": 0.2})
    assert refusal(iam) == "ReportExpired"
    assert "came.later" in {row["user"] for row in read(iam)[0]}


def test_the_root_user_comes_first(fresh: RunningStandin) -> None:
    rows, _ = read(member(fresh, "iam", "sandbox"))
    root = rows[0]
    assert root["user"] == "<root_account>"
    assert root["arn"] == "arn:aws:iam::209766310042:root"
    assert (root["password_enabled"], root["password_last_changed"]) == ("not_supported", "not_supported")
    assert (root["mfa_active"], root["access_key_1_active"]) == ("false", "true")


def test_rows_say_what_the_other_calls_say(fresh: RunningStandin) -> None:
    iam = member(fresh, "iam", "production")
    rows, _ = read(iam)
    by_name = {row["user"]: row for row in rows[1:]}
    users = all_pages(iam, "list_users", "Users")
    assert set(by_name) == {user["UserName"] for user in users}
    for user in users:
        row = by_name[user["UserName"]]
        assert datetime.fromisoformat(row["user_creation_time"]) == user["CreateDate"]
        used = row["password_last_used"]
        if row["password_enabled"] == "false":
            assert (used, row["password_last_changed"]) == ("N/A", "N/A")
        elif used == "no_information":
            assert "PasswordLastUsed" not in user
        else:
            assert datetime.fromisoformat(used) == user["PasswordLastUsed"]
    for name in ("hana.sato", "tomas.lind", "maya.okafor"):
        assert (
            by_name[name]["mfa_active"]
            == str(bool(iam.list_mfa_devices(UserName=name)["MFADevices"])).lower()
        )


def test_columns_are_written_as_aws_writes_them(fresh: RunningStandin) -> None:
    rows, _ = read(member(fresh, "iam", "production"))
    by_name = {row["user"]: row for row in rows}
    ines = by_name["ines.duarte"]
    assert (ines["access_key_1_active"], ines["access_key_1_last_rotated"]) == ("false", "N/A")
    assert datetime.fromisoformat(ines["password_next_rotation"]) - datetime.fromisoformat(
        ines["password_last_changed"]
    ) == timedelta(days=90)
    edda = by_name["edda.strand"]
    assert (edda["access_key_1_active"], edda["access_key_1_last_used_date"]) == ("true", "N/A")
    release = by_name["ci-release"]
    assert (release["access_key_1_last_used_region"], release["access_key_1_last_used_service"]) == (
        "eu-west-1",
        "lambda",
    )
    assert by_name["sigrid.halvorsen"]["cert_1_active"] == "true"
    assert by_name["cdn-purge"]["access_key_1_active"] == "false", "key 1 is the older one"


def test_a_password_without_expiry_has_no_next_rotation(fresh: RunningStandin) -> None:
    rows, _ = read(member(fresh, "iam", "staging"))
    new = next(row for row in rows if row["user"] == "ama.owusu")
    assert (new["password_last_used"], new["password_next_rotation"]) == ("no_information", "N/A")
