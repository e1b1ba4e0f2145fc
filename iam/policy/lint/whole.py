"""What concerns the document as a whole: its size, its version, the Sids of its statements, elements that its kind needs."""

from __future__ import annotations

import re
from typing import Final

from iam.policy.document import CURRENT
from iam.policy.lint.findings import Report, Spot, shown
from iam.policy.lint.kinds import NEEDS_RESOURCE, QUOTA_CODES, Kind, Quota
from iam.policy.lint.view import Subject, Word

SID: Final = re.compile(r"[A-Za-z0-9]*")
LAX_SIDS: Final = frozenset({Kind.RESOURCE, Kind.ENDPOINT})
"""Some services let Sids of their resource policies have spaces and other characters, and repeat."""


def check_size(text: str, quota: Quota, kind: Kind, report: Report) -> None:
    """The document against its quota, with what other policies take of it."""
    size = quota.size(text)
    if size + quota.used <= quota.limit:
        return
    others = f" and the others {quota.used:,}" if quota.used else ""
    space = "" if quota.counts_space else " without white space"
    report.add(
        QUOTA_CODES.get(kind, "POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA"),
        Spot(0, "", None),
        f"The policy has {size:,} characters{space}{others}; {quota.name} may have {quota.limit:,}.",
        "Shorten it by wildcards, or split it.",
    )


def check_whole(subject: Subject) -> None:
    """Version, Sids and missing elements."""
    _check_version(subject)
    _check_sids(subject)
    if subject.kind in NEEDS_RESOURCE:
        for statement in subject.document.statements:
            if statement.resources is None:
                subject.report.add(
                    "MISSING_RESOURCE",
                    statement.spot,
                    "The statement has neither Resource nor NotResource.",
                    'Name the resources, or write "Resource": "*".',
                )


def _check_version(subject: Subject) -> None:
    version = subject.document.version
    if version is None:
        subject.report.add(
            "MISSING_VERSION",
            subject.document.spot,
            "The policy has no Version and is read by the rules of 2008.",
            f'Write "Version": "{CURRENT}".',
        )
    elif version.text == "2008-10-17":
        subject.report.add(
            "OLD_VERSION",
            version,
            "Version 2008-10-17 has no variables and is kept only for old policies.",
            f'Write "Version": "{CURRENT}".',
        )


def _check_sids(subject: Subject) -> None:
    seen: dict[str, str] = {}
    is_lax = subject.kind in LAX_SIDS
    for statement in subject.document.statements:
        sid = statement.sid
        if sid is None:
            continue
        if not sid.text:
            subject.report.add("EMPTY_SID_VALUE", sid, "The Sid is empty.", "Remove it, or give it a name.")
            continue
        _check_letters(sid, subject, is_lax=is_lax)
        if sid.text in seen:
            subject.report.add(
                "UNIQUE_SIDS_RECOMMENDED" if is_lax else "UNIQUE_SIDS_REQUIRED",
                sid,
                f"The Sid {shown(sid.text)} is that of {seen[sid.text]} too.",
                "Give each statement a Sid of its own.",
            )
        seen.setdefault(sid.text, statement.name)


def _check_letters(sid: Word, subject: Subject, *, is_lax: bool) -> None:
    if not is_lax and SID.fullmatch(sid.text) is None:
        subject.report.add(
            "UNSUPPORTED_SID",
            sid,
            f"The Sid {shown(sid.text)} has characters that IAM does not take.",
            "Use only letters A to Z, a to z and digits.",
        )
