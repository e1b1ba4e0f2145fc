"""What a trust policy says, however AWS lays it out; what is wrong with it; and whom it lets in anew."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import blake2b
from typing import Any, Final

from iam.changes.operations.holder import quota_of
from iam.mirror.models import Account
from iam.mirror.pull.trust import trust_category
from iam.policy.document import read
from iam.policy.lint import TRUST, Quota, Severity, lint

OPEN: Final = frozenset({"any", "oidc", "saml", "cross-account"})
"""Categories of trust by which somebody from outside of the account comes in."""
SERVICE_LINKED: Final = "/aws-service-role/"


def trust_meaning(text: str) -> str:
    """A digest that texts share which say the same: lists of one are as good as the one, order does not count, and the number of an
    account is its root's ARN."""
    try:
        said = json.dumps(_plain(json.loads(text)), sort_keys=True, separators=(",", ":"))
    except (ValueError, RecursionError):
        said = text
    return blake2b(said.encode(), digest_size=16).hexdigest()


def _plain(value: Any, *, is_principal: bool = False) -> Any:
    if isinstance(value, dict):
        return {
            key: _plain(part, is_principal=is_principal or key == "Principal") for key, part in value.items()
        }
    if isinstance(value, list):
        parts = sorted((_plain(part, is_principal=is_principal) for part in value), key=repr)
        return parts[0] if len(parts) == 1 else parts
    if is_principal and isinstance(value, str) and value.startswith("arn:") and value.endswith(":root"):
        return value.split(":")[4]
    return value


def problems_of(text: str, *, account: Account) -> list[str]:
    """Why AWS would not take the text as a trust policy; empty is well."""
    limit = quota_of(account, "AssumeRolePolicySizeQuota", default=TRUST.limit)
    found = lint(text, kind="trust", quota=Quota(TRUST.name, limit))
    errors = [one for one in found if one.severity is Severity.ERROR]
    return [f"{one.message.rstrip('.')} (line {one.line}). {one.remedy}" for one in errors]


def admitted(text: str) -> set[tuple[str, str, str]]:
    """Whom the text lets in, each with the calls and the conditions under which it does: (sort and name, calls, conditions)."""
    found = set()
    for statement in read(text).statements:
        if not statement.allows:
            continue
        named = statement.principals
        sort = "all but " if statement.is_not_principal else ""
        whom = [f"{sort}{kind} {name}" for kind, names in (named or {"*": ("*",)}).items() for name in names]
        for one in whom:
            found.add((one, repr(sorted(statement.actions)), repr(sorted(statement.conditions))))
    return found


def opens(before: str, after: str) -> bool:
    """Whether the new text lets somebody in, or in another way, whom the former did not."""
    return not admitted(after) <= admitted(before)


def is_open(text: str, *, account: Account, path: str) -> bool:
    """Whether the text lets in somebody from outside of the account, other than an AWS service."""
    return trust_category(text, path=path, account_id=account.account_id) in OPEN


def said_of(before: str, after: str) -> Iterator[str]:
    """Sentences on who may assume the role from now on, and who no longer."""
    old = {one for one, _, _ in admitted(before)} if before else set()
    new = {one for one, _, _ in admitted(after)} if after else set()
    if gained := sorted(new - old):
        yield f"May assume the role from then on: {', '.join(gained)}."
    if lost := sorted(old - new):
        yield f"May no longer assume the role: {', '.join(lost)}."
    if not gained and not lost and before and after:
        yield "The same principals are named, under other conditions."
