"""The credential report: when it was made, when it is made anew, and its CSV."""

from __future__ import annotations

import datetime as dt
from typing import Any

from tests.bench.fakeaws.ids import BASE_ACCOUNT, EPOCH, iso

FRESH_FOR = dt.timedelta(hours=4)
_COLUMNS = [
    "user", "arn", "user_creation_time", "password_enabled", "password_last_used", "password_last_changed",
    "password_next_rotation", "mfa_active",
    *(f"access_key_{slot}_{fact}" for slot in (1, 2) for fact in (
        "active", "last_rotated", "last_used_date", "last_used_region", "last_used_service")),
    *(f"cert_{slot}_{fact}" for slot in (1, 2) for fact in ("active", "last_rotated")),
]  # fmt: skip
_NO_KEY = ["false", "N/A", "N/A", "N/A", "N/A"]


class Report:
    """One report at a time, as AWS has it: frozen when it is made, and made anew only after four hours."""

    def __init__(self) -> None:
        self.content: str | None = None
        self.generated_at = dt.datetime.now(dt.UTC)
        self.steps = 0
        self._waited = 0

    def generate(self, users: list[dict[str, Any]]) -> str:
        """The state that GenerateCredentialReport answers."""
        if self.content is not None and dt.datetime.now(dt.UTC) - self.generated_at < FRESH_FOR:
            return "COMPLETE"
        if self._waited < self.steps:
            self._waited += 1
            return "STARTED" if self._waited == 1 else "INPROGRESS"
        self._waited = 0
        self.content = _csv(users)
        self.generated_at = dt.datetime.now(dt.UTC).replace(microsecond=0)
        return "COMPLETE"

    def forget(self) -> None:
        """Let the next call make a new one, whatever the age."""
        self.content = None

    def age(self, hours: float) -> None:
        """Set back when the report was made."""
        self.generated_at -= dt.timedelta(hours=hours)


def _csv(users: list[dict[str, Any]]) -> str:
    root = [
        "<root_account>",
        f"arn:aws:iam::{BASE_ACCOUNT}:root",
        _moment(iso(EPOCH)),
        "not_supported",
        "no_information",
    ]
    rows = [[*root, "not_supported", "not_supported", "true", *_NO_KEY, *_NO_KEY, *["false", "N/A"] * 2]]
    rows += [_row(user) for user in users]
    return "\n".join(",".join(row) for row in [_COLUMNS, *rows])


def _row(user: dict[str, Any]) -> list[str]:
    row = [user["name"], user["arn"], _moment(user["created"])]
    if user["login"]:
        used = _moment(user["pw_used"]) if user["pw_used"] else "no_information"
        row += ["true", used, _moment(user["login"]), "N/A"]
    else:
        row += ["false", "N/A", "N/A", "N/A"]
    row.append("true" if user["mfa"] or user["security_key"] else "false")
    for slot in range(2):
        row += _key(user["keys"][slot]) if slot < len(user["keys"]) else _NO_KEY
    certificate = user["certificates"][0] if user["certificates"] else None
    row += ["true", _moment(certificate[1])] if certificate else ["false", "N/A"]
    return [*row, "false", "N/A"]


def _key(key: dict[str, Any]) -> list[str]:
    active = "true" if key["status"] == "Active" else "false"
    where = ["eu-west-1", "s3"] if key["used"] else ["N/A", "N/A"]
    return [active, _moment(key["created"]), _moment(key["used"]), *where]


def _moment(text: str | None) -> str:
    return text[:-1] + "+00:00" if text else "N/A"
