"""Tests whether a Principal or NotPrincipal element names the caller, and how: as an account, as a role, or
directly.

Source: "AWS JSON policy elements: Principal" and "NotPrincipal",
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from iam.policy.document import Names, Principals
from iam.policy.logic import NO, OPEN, YES
from iam.policy.request import PROVIDERS, Principal, PrincipalKind

ACCOUNT: Final = 0
"""The element names the account, which can delegate the permission to its principals with their
own policies.
"""
ROLE: Final = 1
"""The element names the role of the session. Boundary and session policies still limit what this allows."""
DIRECT: Final = 2
"""The element names the caller itself, or everyone."""
OUTSIDERS: Final = frozenset({PrincipalKind.SERVICE, PrincipalKind.PROVIDER, PrincipalKind.ANONYMOUS})
"""Principals outside any account. Under AWS, only `*` matches them."""

Grades = tuple[int, int, int]
"""How certainly the element names the caller (NO, OPEN, YES), for each grade."""
NOBODY: Final[Grades] = (NO, NO, NO)
EVERYBODY: Final[Grades] = (NO, NO, YES)
Match = Callable[[Principal, bool], Grades]


def compile_principals(named: Principals, *, is_not: bool) -> Match:
    """Return the matcher of the element. It takes a principal, and whether unknown properties of the
    principal count as not matching (strict).
    """
    if is_not:
        return lambda who, strict: _everybody_but(named, who, strict)
    if "*" in named.get("AWS", ()):
        return lambda who, strict: EVERYBODY
    return lambda who, strict: _match_named(named, who, strict)


def _match_named(named: Principals, who: Principal, strict: bool) -> Grades:
    if who.kind in OUTSIDERS:
        return NO, NO, _outsider(named, who)
    account, role, direct = NO, NO, NO
    for name in named.get("AWS", ()):
        grade, mark = _match_aws_name(name, who, strict)
        if grade == ACCOUNT:
            account = max(account, mark)
        elif grade == ROLE:
            role = max(role, mark)
        else:
            direct = max(direct, mark)
    if named.get("CanonicalUser") and who.account and not strict:
        # Only S3 knows which account a canonical ID belongs to.
        direct = max(direct, OPEN)
    return account, role, direct


def _outsider(named: Mapping[str, Names], who: Principal) -> int:
    """Match services and identity providers by their full names. Wildcards don't apply to either."""
    is_service = who.kind is PrincipalKind.SERVICE or who.arn in PROVIDERS
    if is_service and who.arn in named.get("Service", ()):
        return YES
    return YES if who.kind is PrincipalKind.PROVIDER and who.arn in named.get("Federated", ()) else NO


def _match_aws_name(name: str, who: Principal, strict: bool) -> tuple[int, int]:
    """Return the (grade, certainty) of a name under AWS."""
    if who.account and name in {who.account, who.root_arn}:
        return (DIRECT if who.kind is PrincipalKind.ROOT else ACCOUNT), YES
    if who.unique_id and name == who.unique_id:
        return (ROLE if who.role_arn else DIRECT), YES
    if who.kind is PrincipalKind.SESSION:
        return _means_session(name, who)
    if who.kind is PrincipalKind.ROLE:
        if name == who.arn:
            return ROLE, YES
        is_session = _session_of(name) == (who.partition, who.account, who.name)
        return DIRECT, OPEN if is_session and not strict else NO
    return DIRECT, YES if name == who.arn else NO


def _means_session(name: str, who: Principal) -> tuple[int, int]:
    """Match a session by its own name or by its role. A session's ARN lacks the role's path, but role names
    are unique.
    """
    if name == who.arn:
        return DIRECT, YES
    parts = name.split(":", 5)
    if len(parts) < 6 or parts[2] != "iam" or not parts[5].startswith("role/"):
        return ROLE, NO
    if parts[1] != who.partition or parts[4] != who.account:
        return ROLE, NO
    role = parts[5].rsplit("/", 1)[-1]
    return ROLE, YES if role == who.name else NO


def _session_of(name: str) -> tuple[str, str, str] | None:
    parts = name.split(":", 5)
    if len(parts) < 6 or parts[2] != "sts" or not parts[5].startswith("assumed-role/"):
        return None
    return parts[1], parts[4], parts[5].split("/")[1]


def _everybody_but(named: Principals, who: Principal, strict: bool) -> Grades:
    """Match every principal that the element doesn't exempt by each of its identities.

    A user is exempt only if its account is also listed, a session only if its role and account are also
    listed. For a role, the names of its sessions are open. Source: "AWS JSON policy elements: NotPrincipal".
    """
    if "*" in named.get("AWS", ()):
        return NOBODY
    account, role, direct = _match_named(named, who, strict)
    if who.kind is PrincipalKind.SESSION:
        exempt = min(account, role, direct)
    elif who.kind is PrincipalKind.ROLE:
        session_names = YES if strict else OPEN
        exempt = min(account, role, session_names)
    elif who.kind is PrincipalKind.ROOT or not who.account or who.kind in OUTSIDERS:
        exempt = direct
    else:
        exempt = min(account, direct)
    return (NO, NO, YES - exempt)
