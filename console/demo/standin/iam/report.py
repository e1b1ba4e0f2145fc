"""The credential report: created on request, at most every four hours, with the root user in its first row.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html
"""

from __future__ import annotations

import csv
import io
import time
from datetime import datetime, timedelta
from typing import Any

from moto.core.responses import ActionResult

from console.demo.standin import clock
from console.demo.standin.errors import AnswerError
from console.demo.standin.iam.extras import account_extras, devices_of, user_extras
from console.demo.standin.iam.shapes import stamp
from console.demo.standin.overlay import ResponseOverlay

LIFETIME = timedelta(hours=4)
SECONDS_TO_MAKE = 0.4
KEY_FIELDS = ("active", "last_rotated", "last_used_date", "last_used_region", "last_used_service")
COLUMNS = (
    "user", "arn", "user_creation_time", "password_enabled", "password_last_used", "password_last_changed",
    "password_next_rotation", "mfa_active",
    *(f"access_key_1_{name}" for name in KEY_FIELDS),
    *(f"access_key_2_{name}" for name in KEY_FIELDS),
    "cert_1_active", "cert_1_last_rotated", "cert_2_active", "cert_2_last_rotated",
    "additional_credentials_info",
)  # fmt: skip


class ReportCalls(ResponseOverlay):
    """Calls that request and return the credential report."""

    def generate_credential_report(self) -> ActionResult:
        """Request a report. Returns STARTED, INPROGRESS while it is created, or COMPLETE if there is one from
        the last four hours.
        """
        extras = account_extras(self.backend)
        if _is_fresh(extras.report):
            return ActionResult({"State": "COMPLETE"})
        if extras.report_asked is None:
            extras.report_asked = time.monotonic()
            return ActionResult(
                {
                    "State": "STARTED",
                    "Description": "No report exists. Starting a new report generation task",
                }
            )
        if time.monotonic() - extras.report_asked < SECONDS_TO_MAKE:
            return ActionResult({"State": "INPROGRESS"})
        extras.report, extras.report_asked = (write(self.backend), clock.utcnow()), None
        return ActionResult({"State": "COMPLETE"})

    def get_credential_report(self) -> ActionResult:
        """Return the report and its time of creation. Raises ReportInProgress, ReportNotPresent or
        ReportExpired.
        """
        extras = account_extras(self.backend)
        if extras.report_asked is not None:
            raise AnswerError("ReportInProgress", "Credential report generation is in progress.")
        if extras.report is None:
            raise AnswerError("ReportNotPresent", "No credential report is present for the account.")
        if not _is_fresh(extras.report):
            raise AnswerError("ReportExpired", "The credential report has expired.")
        content, generated = extras.report
        return ActionResult(
            {"Content": content.encode(), "ReportFormat": "text/csv", "GeneratedTime": generated}
        )


def advance(backend: Any, *, hours: float) -> None:
    """Make the current report older, so that a test need not wait for it to expire."""
    extras = account_extras(backend)
    if extras.report is not None:
        content, generated = extras.report
        extras.report = (content, generated - timedelta(hours=hours))


def write(backend: Any) -> str:
    """Return the current CSV file, with the users by name after the root user."""
    file = io.StringIO()
    lines = csv.writer(file, lineterminator="\n")
    lines.writerow(COLUMNS)
    lines.writerow(_root_row(backend))
    policy = backend.account_password_policy
    longest = int(policy.max_password_age or 0) if policy else 0
    for _, user in sorted(backend.users.items()):
        lines.writerow(_user_row(backend, user, longest))
    return file.getvalue().rstrip("\n")


def _is_fresh(report: tuple[str, datetime] | None) -> bool:
    return report is not None and clock.utcnow() - report[1] < LIFETIME


def _root_row(backend: Any) -> list[str]:
    root = account_extras(backend).root
    created = stamp(root.created) if root else "N/A"
    last_used = stamp(root.last_used) if root and root.last_used else "no_information"
    mfa = _flag(bool(root and root.mfa))
    keys = root.keys if root else []
    return [
        "<root_account>",
        f"arn:aws:iam::{backend.account_id}:root",
        created,
        "not_supported",
        last_used,
        "not_supported",
        "not_supported",
        mfa,
        *_keys(keys),
        "false",
        "N/A",
        "false",
        "N/A",
        "N/A",
    ]


def _user_row(backend: Any, user: Any, longest: int) -> list[str]:
    password = ["false", "N/A", "N/A", "N/A"]
    if user.password:
        changed = user_extras(user).password_changed or user.create_date
        password = [
            "true",
            stamp(user.password_last_used) if user.password_last_used else "no_information",
            stamp(changed),
            stamp(changed + timedelta(days=longest)) if longest else "N/A",
        ]
    return [
        user.name,
        user.arn,
        stamp(user.create_date),
        *password,
        _flag(bool(devices_of(backend, user))),
        *_keys(sorted(user.access_keys, key=lambda k: k.create_date)),
        *_certificates(user),
        "N/A",
    ]


def _keys(keys: list[Any]) -> list[str]:
    """Return the cells of the two access keys that a user can have."""
    cells: list[str] = []
    for key in keys[:2]:
        cells += [_flag(key.status == "Active"), stamp(key.create_date)]
        used = key.last_used
        cells += [stamp(used.timestamp), used.region, used.service] if used else ["N/A", "N/A", "N/A"]
    for _ in range(len(keys), 2):
        cells += ["false", "N/A", "N/A", "N/A", "N/A"]
    return cells


def _certificates(user: Any) -> list[str]:
    cells: list[str] = []
    certificates = sorted(user.signing_certificates.values(), key=lambda c: c.upload_date)[:2]
    for certificate in certificates:
        cells += [_flag(certificate.status == "Active"), stamp(certificate.upload_date)]
    return cells + ["false", "N/A"] * (2 - len(certificates))


def _flag(value: bool) -> str:
    return "true" if value else "false"
