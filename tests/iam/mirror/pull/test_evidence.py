"""Who is right about a user's MFA and keys when report, device list and key list differ in age: tables of
cases.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from iam.mirror.models import NEVER
from iam.mirror.pull.detail_visits import agree
from iam.mirror.pull.evidence import CredentialEvidence, credentials_of, mfa_of

pytestmark = pytest.mark.on_postgresql

OLD, REPORTED, NEW = (datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2, 3))
ON = {"user_creation_time": "2025-01-01T00:00:00Z", "mfa_active": True}
OFF = {**ON, "mfa_active": False}


@pytest.mark.parametrize(
    ("report", "devices", "listed_at", "visited_at", "has_lost", "mfa"),
    [
        # The devices decide.
        (ON, ["virtual"], NEW, None, False, "virtual"),
        (ON, ["hardware"], NEW, NEW, False, "hardware"),
        (ON, ["security-key"], NEW, OLD, False, "security-key"),
        (ON, ["virtual", "security-key"], NEW, NEW, False, "several"),
        # A device that is newer than the report.
        (OFF, ["virtual"], NEW, None, False, "virtual"),
        (OFF, ["security-key"], NEW, NEW, False, "security-key"),
        # A report that is newer than the last reading of the device.
        (OFF, ["security-key"], NEW, OLD, False, "none"),
        (OFF, ["virtual"], OLD, None, False, "none"),
        (OFF, ["virtual", "security-key"], NEW, OLD, False, "virtual"),
        # Nothing is known of the device that the report speaks of, unless all were read since.
        (ON, [], NEW, None, False, "unknown"),
        (ON, [], NEW, OLD, False, "unknown"),
        (ON, [], OLD, NEW, False, "unknown"),
        (ON, [], NEW, NEW, False, "none"),
        (ON, [], NEW, None, True, "none"),
        (OFF, [], NEW, None, False, "none"),
        (OFF, [], None, None, False, "none"),
        # Without a line in the report only readings tell.
        ({}, [], NEW, None, False, "unread"),
        ({}, [], None, NEW, False, "unread"),
        ({}, [], NEW, NEW, False, "none"),
        ({}, ["virtual"], NEW, None, False, "virtual"),
    ],
)
def test_mfa(
    report: dict[str, Any],
    devices: list[str],
    listed_at: datetime | None,
    visited_at: datetime | None,
    has_lost: bool,
    mfa: str,
) -> None:
    seen = CredentialEvidence(
        report=report,
        reported_at=REPORTED,
        devices=devices,
        listed_at=listed_at,
        visited_at=visited_at,
        has_lost_device=has_lost,
    )
    assert mfa_of(seen) == mfa


KEYS = {
    "user_creation_time": "2025-01-01T00:00:00Z",
    "access_key_1_active": True,
    "access_key_1_last_rotated": "2025-02-01T00:00:00Z",
    "access_key_2_active": False,
    "access_key_2_last_rotated": "2025-01-01T00:00:00Z",
}


@pytest.mark.parametrize(
    ("visited_at", "results", "expected"),
    [
        (None, [], (1, 2, datetime(2025, 2, 1, tzinfo=UTC))),
        (OLD, [(OLD, "Active")], (1, 2, datetime(2025, 2, 1, tzinfo=UTC))),
        (NEW, [(OLD, "Active")], (1, 1, OLD)),
        (NEW, [(OLD, "Inactive")], (0, 1, NEVER)),
        (NEW, [], (0, 0, NEVER)),
        (NEW, [(NEW, "Active"), (OLD, "Active")], (2, 2, OLD)),
    ],
)
def test_keys_are_those_of_the_newer_source(
    visited_at: datetime | None, results: list[tuple[datetime, str]], expected: tuple[int, int, datetime]
) -> None:
    values = credentials_of(
        CredentialEvidence(report=KEYS, reported_at=REPORTED, visited_at=visited_at, keys=results)
    )
    assert values[3:6] == expected


@pytest.mark.parametrize(
    ("report", "has_password"),
    [
        ({}, None),
        ({"password_enabled": True}, True),
        ({"password_enabled": None}, None),
        ({"password_enabled": True, "login_profile": False}, False),
        ({"password_enabled": False, "login_profile": {"CreateDate": "2026-01-01T00:00:00Z"}}, True),
    ],
)
def test_a_login_profile_that_was_read_decides_about_the_password(
    report: dict[str, Any], has_password: bool | None
) -> None:
    assert credentials_of(CredentialEvidence(report=report))[0] is has_password


@pytest.mark.parametrize(
    ("reported", "results", "read_at", "do"),
    [
        ([], [], None, True),
        ([(OLD, "Active")], [], None, False),
        ([(OLD, "Active")], ["Active"], NEW, True),
        ([(NEW, "Active")], ["Active"], REPORTED, False),
        ([(OLD, "Active")], ["Inactive"], NEW, False),
        ([(OLD, "Active"), (OLD, "Inactive")], ["Inactive", "Active"], NEW, True),
        ([], ["Active"], NEW, False),
        ([(None, "Active")], ["Active"], NEW, True),
    ],
)
def test_a_report_agrees_with_what_is_held_or_not(
    reported: list[tuple[datetime | None, str]], results: list[str], read_at: datetime | None, do: bool
) -> None:
    assert agree(reported, results, read_at=read_at) is do
