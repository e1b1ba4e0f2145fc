"""What an examination says: one check each, in words, with what to add where something is missing."""

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
    """How a check ended. `untested` could not be tried without changing something; `skipped` is not needed
    here.
    """

    OK = "ok"
    WARNING = "warning"
    DENIED = "denied"
    FAILED = "failed"
    UNTESTED = "untested"
    SKIPPED = "skipped"


BAD = frozenset({CheckVerdict.DENIED, CheckVerdict.FAILED})


@dataclass(frozen=True, slots=True)
class ExaminationCheck:
    """One line of an examination. `group` is way, read or write; `missing` the actions that were denied.

    `is_explicit` says that a policy forbids the actions, so that allowing them elsewhere does not help;
    `told` is AWS's own sentence.
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
        """The check as it is stored."""
        return asdict(self) | {"verdict": self.verdict.value, "missing": list(self.missing)}


@dataclass(frozen=True, slots=True)
class StoredExamination:
    """All checks of one examination, as stored, and what follows from them."""

    checks: tuple[dict[str, Any], ...] = field(default=())

    @property
    def is_reachable(self) -> bool:
        """Whether the way to the account works."""
        way = [c for c in self.checks if c["group"] == "way"]
        return bool(way) and not any(c["verdict"] in BAD for c in way)

    @property
    def failed_checks(self) -> tuple[dict[str, Any], ...]:
        """The checks that name something missing or broken."""
        return tuple(c for c in self.checks if c["verdict"] in BAD)

    @property
    def missing_reads(self) -> tuple[str, ...]:
        """All denied actions of the reading role, each once."""
        return _missing(c for c in self.checks if c["group"] == "read")

    @property
    def missing_writes(self) -> tuple[str, ...]:
        """All denied actions of the writing role, each once."""
        return _missing(c for c in self.checks if c["group"] == "write")


def _missing(checks: Iterable[dict[str, Any]]) -> tuple[str, ...]:
    missing = (check["missing"] for check in checks if check["verdict"] in BAD)
    return tuple(dict.fromkeys(chain.from_iterable(missing)))


def statement(actions: Sequence[str], *, sid: str = "GatehouseMissing", resources: Sequence[str] = ()) -> str:
    """The statement to add to a role's policy, as JSON text."""
    body: dict[str, Any] = {"Sid": sid, "Effect": "Allow", "Action": sorted(actions)}
    return json.dumps(body | {"Resource": list(resources) or "*"}, indent=2)


_EXPLICIT = re.compile(
    r"with an explicit deny(?: in (?:a|an|the) ([a-z- ]+? policy|permissions boundary))?", re.IGNORECASE
)
_IMPLICIT = re.compile(r"because no ([a-z -]+?) allows", re.IGNORECASE)


def is_explicit_denial(message: str) -> bool:
    """Whether AWS says that a policy forbids the call, so that allowing it elsewhere does not help.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
    """
    return bool(_EXPLICIT.search(message)) or _outside_of_role(message) != ""


def why_denied(message: str) -> str:
    """Where the denial comes from, in words, as far as AWS tells."""
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
    """The kind of policy beyond the role's own that withholds the action: an SCP, an RCP, an endpoint's, a
    boundary.
    """
    implicit = _IMPLICIT.search(message)
    kind = implicit[1].lower() if implicit else ""
    return (
        kind
        if kind.startswith(("service control", "resource control", "vpc endpoint", "permissions"))
        else ""
    )


def failed(key: str, group: str, title: str, error: AwsError, *, detail: str = "") -> ExaminationCheck:
    """The check of a call that ended in an error other than a denial."""
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
