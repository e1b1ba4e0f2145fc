"""Finds principals that another principal of the same element includes.

Source: "AWS JSON policy elements: Principal". An Allow that names a user or a role needs no identity policy
in the same account, but one that names the account does. The message mentions this where it can matter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from iam.policy.lint.findings import preview, quoted
from iam.policy.lint.view import LintStatement, LintSubject, SourceText

ACCOUNT: Final = re.compile(r"(?:arn:[a-z-]+:iam::)?([0-9]{12})(?::root)?")
OF_ACCOUNT: Final = re.compile(r"arn:[a-z-]+:(?:iam|sts)::([0-9]{12}):.+", re.DOTALL)
SESSION: Final = re.compile(r"arn:([a-z-]+):sts::([0-9]{12}):assumed-role/([^/]+)/.+", re.DOTALL)
ROLE: Final = re.compile(r"arn:([a-z-]+):iam::([0-9]{12}):role/(?:.*/)?([^/]+)", re.DOTALL)


def check_covered_principals(subject: LintSubject) -> None:
    """Check every Principal and NotPrincipal, comparing the names of each type."""
    for statement in subject.document.statements:
        if statement.principals is None:
            continue
        for kind, words in statement.principals.named.items():
            if len(words) > 1:
                _check(kind, words, statement, subject)


def _check(kind: str, words: Sequence[SourceText], statement: LintStatement, subject: LintSubject) -> None:
    everybody = next((word for word in words if word.text == "*"), None)
    first: dict[str, SourceText] = {}
    accounts, roles = _accounts(words), _roles(words)
    for word in words:
        same = first.setdefault(_account_key(word), word)
        if same is not word:
            _report(word, f"{quoted(word.text)} is listed twice.", subject)
        elif statement.principals is not None and statement.principals.is_not:
            # NotPrincipal requires the account in addition to its users and roles.
            continue
        elif everybody is not None and word is not everybody:
            _report(word, f"* already includes {preview(word.text)}.", subject)
        elif kind == "AWS":
            _check_account(word, accounts, roles, statement, subject)


def _check_account(
    word: SourceText,
    accounts: Mapping[str, SourceText],
    roles: Mapping[tuple[str, ...], SourceText],
    statement: LintStatement,
    subject: LintSubject,
) -> None:
    own = OF_ACCOUNT.fullmatch(word.text)
    account = accounts.get(own[1]) if own is not None else None
    session = SESSION.fullmatch(word.text)
    role = roles.get(session.groups()) if session is not None else None
    if account is not None and account is not word:
        more = " Naming it only matters if it has no identity policy for this." if statement.allows else ""
        _report(
            word,
            f"Account {_account_key(account)} is listed too, which includes {preview(word.text)}.{more}",
            subject,
        )
    elif role is not None:
        _report(word, f"Role {preview(role.text)} is listed too, which includes its sessions.", subject)


def _report(word: SourceText, message: str, subject: LintSubject) -> None:
    subject.report.add("REDUNDANT_PRINCIPAL", word, message, "Remove it, if you don’t need it.")


def _accounts(words: Sequence[SourceText]) -> dict[str, SourceText]:
    """Return the accounts that are named as a whole, by ID."""
    matches = ((ACCOUNT.fullmatch(word.text), word) for word in words)
    return {match[1]: word for match, word in matches if match is not None}


def _roles(words: Sequence[SourceText]) -> dict[tuple[str, ...], SourceText]:
    """Return the roles by partition, account and name."""
    matches = ((ROLE.fullmatch(word.text), word) for word in words)
    return {match.groups(): word for match, word in matches if match is not None}


def _account_key(word: SourceText) -> str:
    """Return a key that is equal for an account ID and the ARN of its root."""
    match = ACCOUNT.fullmatch(word.text)
    return match[1] if match is not None else word.text
