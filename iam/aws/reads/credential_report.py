"""Request the credential report, wait a limited time for it, and parse its CSV or that of an
uploaded report.
"""

from __future__ import annotations

import csv
import io
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from iam.aws.calls import part
from iam.aws.errors import AwsError, ErrorKind
from iam.aws.moments import believable
from iam.aws.raw_lists import malformed
from iam.aws.reads.pages import read_one
from iam.aws.session import Aws

ACTION = "iam:GetCredentialReport"
ROOT = "<root_account>"
MAX_BYTES = 20_000_000
"""Far more than a report of 5,000 users, the limit of an account."""
_IN_PROGRESS = "ReportInProgress"
_USER = re.compile(r"[\w+=,.@-]{1,64}|" + ROOT, re.ASCII)
_ARN = re.compile(r"arn:[a-z-]+:iam::\d{12}:(?:root|user/[\x21-\x7e]{1,1024})")
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]")
_NOTHING = frozenset({"", "N/A", "no_information", "not_supported"})
_BOOLEANS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class ReportedKey:
    """One of the two access key slots of a user. The report contains no key ids."""

    active: bool
    last_rotated: datetime | None
    last_used_at: datetime | None
    last_used_region: str | None
    last_used_service: str | None


@dataclass(frozen=True, slots=True)
class ReportedCertificate:
    """One of the two signing certificate slots of a user."""

    active: bool
    last_rotated: datetime | None


@dataclass(frozen=True, slots=True)
class CredentialRow:
    """The credentials of one user, or of the root user (`is_root`).

    None stands for AWS's "N/A", "no_information" and "not_supported". `password_enabled` is None for the root
    user.
    """

    user: str
    arn: str
    created_at: datetime
    password_enabled: bool | None
    password_last_used: datetime | None
    password_last_changed: datetime | None
    password_next_rotation: datetime | None
    mfa_active: bool
    keys: tuple[ReportedKey, ReportedKey]
    certificates: tuple[ReportedCertificate, ReportedCertificate]
    additional_credentials: str | None

    @property
    def is_root(self) -> bool:
        """Return True for the account's root user."""
        return self.user == ROOT


@dataclass(frozen=True, slots=True)
class ReadReport:
    """All rows of a report. AWS creates a new report at most every four hours."""

    generated_at: datetime
    rows: tuple[CredentialRow, ...]


def read_credential_report(
    aws: Aws, *, wait_seconds: float = 60, sleep: Callable[[float], None] = time.sleep
) -> ReadReport:
    """Request a report if AWS has no recent one, and read it.

    AwsError (timeout) if it is not ready within `wait_seconds`.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html
    """
    deadline = time.monotonic() + wait_seconds
    pause = 0.5
    while (answer := _fetch(aws)) is None:
        if time.monotonic() + pause > deadline:
            raise AwsError(
                f"The credential report was not ready within {wait_seconds:.0f} seconds.",
                kind=ErrorKind.TIMEOUT,
                action="iam:GenerateCredentialReport",
                code=_IN_PROGRESS,
            )
        sleep(pause)
        pause = min(pause * 2, 5)
    content, generated_at = (part(answer, key, action=ACTION) for key in ("Content", "GeneratedTime"))
    try:
        return parse_credential_report(content, generated_at=generated_at)
    except ValueError as error:
        raise malformed(ACTION, str(error)) from error


def _fetch(aws: Aws) -> Any:
    """Return the response with the report, or None while AWS is still creating it."""
    if read_one(aws, "GenerateCredentialReport", key="State") != "COMPLETE":
        return None
    try:
        return read_one(aws, "GetCredentialReport")
    except AwsError as error:
        if error.code in (_IN_PROGRESS, "ReportNotPresent", "ReportExpired"):
            return None
        raise


def parse_credential_report(content: bytes, *, generated_at: datetime) -> ReadReport:
    """Parse a report from its CSV file. ValueError with a sentence that names the line and column."""
    if len(content) > MAX_BYTES:
        raise ValueError(f"The credential report is larger than {MAX_BYTES // 1_000_000} MB.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"The credential report is not UTF-8 text (byte {error.start}).") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        columns = _columns(next(reader, []))
        rows = tuple(_Row(columns, cells, reader.line_num).parse() for cells in reader if cells)
    except csv.Error as error:
        raise ValueError(f"Line {reader.line_num} of the credential report is not CSV: {error}.") from None
    _refuse_doubles(rows)
    return ReadReport(generated_at=generated_at, rows=rows)


def _refuse_doubles(rows: tuple[CredentialRow, ...]) -> None:
    seen: set[str] = set()
    for row in rows:
        if row.user in seen:
            raise ValueError(f"The user {row.user[:64]} is there twice in the credential report.")
        seen.add(row.user)


_NEEDED = (
    "user", "arn", "user_creation_time", "password_enabled", "password_last_used", "password_last_changed",
    "password_next_rotation", "mfa_active",
    "access_key_1_active", "access_key_1_last_rotated", "access_key_1_last_used_date",
    "access_key_1_last_used_region", "access_key_1_last_used_service",
    "access_key_2_active", "access_key_2_last_rotated", "access_key_2_last_used_date",
    "access_key_2_last_used_region", "access_key_2_last_used_service",
    "cert_1_active", "cert_1_last_rotated", "cert_2_active", "cert_2_last_rotated",
)  # fmt: skip


def _columns(header: list[str]) -> dict[str, int]:
    missing = [name for name in _NEEDED if name not in header]
    if missing:
        raise ValueError(
            f"Line 1 of the credential report lacks the column {missing[0]}; is this the file that "
            "`aws iam get-credential-report` gives, decoded from base64?"
        )
    return {name: position for position, name in enumerate(header)}


class _Row:
    """A line of the file, with its number for error messages."""

    def __init__(self, columns: dict[str, int], cells: list[str], line: int) -> None:
        if len(cells) != len(columns):
            raise ValueError(
                f"Line {line} of the credential report has {len(cells)} columns; "
                f"the header has {len(columns)}."
            )
        self._columns, self._cells, self._line = columns, cells, line

    def parse(self) -> CredentialRow:
        created_at = self._moment("user_creation_time")
        if created_at is None:
            raise self._error("user_creation_time", "is not a date")
        return CredentialRow(
            user=self._text("user", _USER),
            arn=self._text("arn", _ARN),
            created_at=created_at,
            password_enabled=self._flag("password_enabled"),
            password_last_used=self._moment("password_last_used"),
            password_last_changed=self._moment("password_last_changed"),
            password_next_rotation=self._moment("password_next_rotation"),
            mfa_active=bool(self._flag("mfa_active")),
            keys=(self._key(1), self._key(2)),
            certificates=(self._certificate(1), self._certificate(2)),
            additional_credentials=self._optional("additional_credentials_info"),
        )

    def _key(self, slot: int) -> ReportedKey:
        start = f"access_key_{slot}_"
        return ReportedKey(
            active=bool(self._flag(start + "active")),
            last_rotated=self._moment(start + "last_rotated"),
            last_used_at=self._moment(start + "last_used_date"),
            last_used_region=self._optional(start + "last_used_region"),
            last_used_service=self._optional(start + "last_used_service"),
        )

    def _certificate(self, slot: int) -> ReportedCertificate:
        return ReportedCertificate(
            active=bool(self._flag(f"cert_{slot}_active")),
            last_rotated=self._moment(f"cert_{slot}_last_rotated"),
        )

    def _cell(self, column: str) -> str:
        return self._cells[self._columns[column]]

    def _text(self, column: str, allowed: re.Pattern[str]) -> str:
        value = self._cell(column)
        if not value:
            raise self._error(column, "is empty")
        if not allowed.fullmatch(value):
            raise self._error(column, "is not what AWS writes there")
        return value

    def _optional(self, column: str) -> str | None:
        value = self._cell(column) if column in self._columns else ""
        return None if value in _NOTHING else _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", value[:256])

    def _flag(self, column: str) -> bool | None:
        value = self._cell(column).lower()
        if value in _BOOLEANS:
            return _BOOLEANS[value]
        if self._cell(column) in _NOTHING:
            return None
        raise self._error(column, "is neither true nor false")

    def _moment(self, column: str) -> datetime | None:
        value = self._cell(column)
        if value in _NOTHING:
            return None
        try:
            return believable(datetime.fromisoformat(value))
        except (ValueError, OverflowError):
            raise self._error(column, "is not a date") from None

    def _error(self, column: str, why: str) -> ValueError:
        shown = ascii(self._cell(column)[:60])
        return ValueError(f"Line {self._line}, column {column} of the credential report {why}: {shown}.")
