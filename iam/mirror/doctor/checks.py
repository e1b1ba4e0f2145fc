"""The checks of an examination, in words, with the permissions to add where some are missing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from itertools import chain
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from iam.aws.errors import AwsError


class CheckVerdict(StrEnum):
    """The result of a check. `untested` would need a write; `skipped` isn't needed here."""

    OK = "ok"
    WARNING = "warning"
    DENIED = "denied"
    FAILED = "failed"
    UNTESTED = "untested"
    SKIPPED = "skipped"


BAD = frozenset({CheckVerdict.DENIED, CheckVerdict.FAILED})


@dataclass(frozen=True, slots=True)
class ExaminationCheck:
    """A check of an examination. `group` is way, read or write; `missing` are the denied actions.
    `is_explicit` means that a policy denies the actions explicitly, so that allowing them elsewhere doesn't
    help. `told` is AWS's message.
    """

    key: str
    group: str
    title: str
    verdict: CheckVerdict
    detail: str = ""
    missing: tuple[str, ...] = ()
    is_explicit: bool = False
    told: str = ""
    code: str = ""
    request_id: str = ""

    def as_json(self) -> dict[str, Any]:
        """The check as stored JSON."""
        return asdict(self) | {"verdict": self.verdict.value, "missing": list(self.missing)}


@dataclass(frozen=True, slots=True)
class StoredExamination:
    """All checks of an examination, as stored, with what follows from them."""

    checks: tuple[dict[str, Any], ...] = field(default=())

    @property
    def is_reachable(self) -> bool:
        """True if the account can be reached."""
        way = [c for c in self.checks if c["group"] == "way"]
        return bool(way) and not any(c["verdict"] in BAD for c in way)

    @property
    def failed_checks(self) -> tuple[dict[str, Any], ...]:
        """The checks that report something missing or broken."""
        return tuple(c for c in self.checks if c["verdict"] in BAD)

    @property
    def missing_reads(self) -> tuple[str, ...]:
        """All denied actions of the read role, without duplicates."""
        return _missing(c for c in self.checks if c["group"] == "read")

    @property
    def missing_writes(self) -> tuple[str, ...]:
        """All denied actions of the write role, without duplicates."""
        return _missing(c for c in self.checks if c["group"] == "write")


def _missing(checks: Iterable[dict[str, Any]]) -> tuple[str, ...]:
    missing = (check["missing"] for check in checks if check["verdict"] in BAD)
    return tuple(dict.fromkeys(chain.from_iterable(missing)))


def statement(actions: Sequence[str], *, sid: str = "GatehouseMissing", resources: Sequence[str] = ()) -> str:
    """Return the statement to add to a role's policy, as JSON text."""
    body: dict[str, Any] = {"Sid": sid, "Effect": "Allow", "Action": sorted(actions)}
    return json.dumps(body | {"Resource": list(resources) or "*"}, indent=2)


_EXPLICIT = re.compile(
    r"with an explicit deny(?: in (?:a|an|the) ([a-z- ]+? policy|permissions boundary))?", re.IGNORECASE
)
_IMPLICIT = re.compile(r"because no ([a-z -]+?) allows", re.IGNORECASE)


def is_explicit_denial(message: str) -> bool:
    """Return True if AWS reports an explicit deny, so that allowing the call elsewhere doesn't help.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
    """
    return bool(_EXPLICIT.search(message)) or _outside_of_role(message) != ""


def why_denied(message: str) -> str:
    """Return the reason for the denial in words, as far as AWS reports it."""
    explicit = _EXPLICIT.search(message)
    if explicit:
        place = explicit[1] or "a policy"
        if place.startswith("a "):
            return f"{place} denies it"
        article = "an" if place[0] in "aeiou" else "a"
        return f"{article} {place} denies it"
    outside = _outside_of_role(message)
    if outside:
        return f"no {outside} allows it, which a policy of the role can’t fix"
    return "no policy of the role allows it" if _IMPLICIT.search(message) else "AWS gives no reason"


def _outside_of_role(message: str) -> str:
    """Return the kind of policy outside the role that withholds the action (an SCP, an RCP, a VPC endpoint
    policy, a permissions boundary), or an empty string.
    """
    implicit = _IMPLICIT.search(message)
    kind = implicit[1].lower() if implicit else ""
    return (
        kind
        if kind.startswith(("service control", "resource control", "vpc endpoint", "permissions"))
        else ""
    )


def failed(key: str, group: str, title: str, error: AwsError, *, detail: str = "") -> ExaminationCheck:
    """Return the check of a call that failed with an error other than a denial."""
    return ExaminationCheck(
        key,
        group,
        title,
        CheckVerdict.FAILED,
        detail=detail or error.message,
        told=error.message,
        code=error.code,
        request_id=error.request_id,
    )
