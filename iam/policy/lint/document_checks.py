"""Checks the document as a whole: its size, its version, the Sids of its statements, and elements that its
kind requires.
"""

from __future__ import annotations

import re
from typing import Final

from iam.policy.document import CURRENT
from iam.policy.lint.findings import LintReport, SourceSpot, quoted
from iam.policy.lint.kinds import NEEDS_RESOURCE, QUOTA_CODES, CharacterQuota, LintKind
from iam.policy.lint.view import LintSubject, SourceText

SID: Final = re.compile(r"[A-Za-z0-9]*")
LAX_SIDS: Final = frozenset({LintKind.RESOURCE, LintKind.ENDPOINT})
"""Kinds for which some services allow Sids that contain spaces and other characters, or repeat."""


def check_size(text: str, quota: CharacterQuota, kind: LintKind, report: LintReport) -> None:
    """Check the document's size against its quota and what other policies use of it."""
    size = quota.size(text)
    if size + quota.used <= quota.limit:
        return
    others = f", the others have {quota.used:,}" if quota.used else ""
    space = "" if quota.counts_space else " without white space"
    report.add(
        QUOTA_CODES.get(kind, "POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA"),
        SourceSpot(0, "", None),
        f"The policy has {size:,} characters{space}{others}, and the limit for {quota.name} is "
        f"{quota.limit:,}.",
        "Shorten it with wildcards, or split it into several policies.",
    )


def check_whole(subject: LintSubject) -> None:
    """Check Version, Sids and missing elements."""
    _check_version(subject)
    _check_sids(subject)
    if subject.kind in NEEDS_RESOURCE:
        for statement in subject.document.statements:
            if statement.resources is None:
                subject.report.add(
                    "MISSING_RESOURCE",
                    statement.spot,
                    "The statement has neither Resource nor NotResource.",
                    'Add Resource, with the resources or "*".',
                )


def _check_version(subject: LintSubject) -> None:
    version = subject.document.version
    if version is None:
        subject.report.add(
            "MISSING_VERSION",
            subject.document.spot,
            "The policy has no Version, so AWS uses the policy language of 2008.",
            f'Write "Version": "{CURRENT}".',
        )
    elif version.text == "2008-10-17":
        subject.report.add(
            "OLD_VERSION",
            version,
            "Version 2008-10-17 is for old policies only and doesn’t support variables.",
            f'Write "Version": "{CURRENT}".',
        )


def _check_sids(subject: LintSubject) -> None:
    seen: set[str] = set()
    is_lax = subject.kind in LAX_SIDS
    code_of_repeated = "UNIQUE_SIDS_RECOMMENDED" if is_lax else "UNIQUE_SIDS_REQUIRED"
    for statement in subject.document.statements:
        sid = statement.sid
        if sid is None:
            continue
        if not sid.text:
            subject.report.add("EMPTY_SID_VALUE", sid, "The Sid is empty.", "Remove it, or write a name.")
            continue
        _check_letters(sid, subject, is_lax=is_lax)
        if sid.text in seen:
            subject.report.add(
                code_of_repeated,
                sid,
                f"Two statements have the Sid {quoted(sid.text)}.",
                "Give each statement its own Sid.",
            )
        seen.add(sid.text)


def _check_letters(sid: SourceText, subject: LintSubject, *, is_lax: bool) -> None:
    if not is_lax and SID.fullmatch(sid.text) is None:
        subject.report.add(
            "UNSUPPORTED_SID",
            sid,
            f"The Sid {quoted(sid.text)} has characters that IAM doesn’t accept.",
            "Use only letters A to Z, a to z and digits.",
        )
