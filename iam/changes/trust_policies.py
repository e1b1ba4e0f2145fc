"""Reads trust policies regardless of their layout: their meaning, their errors, and the principals that a new
one lets in.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

from iam.changes.quotas import quota_of
from iam.mirror.models import Account
from iam.mirror.pull.trust import trust_category
from iam.policy.document import read
from iam.policy.letter_case import fold
from iam.policy.lint import TRUST, CharacterQuota, lint

OPEN: Final = frozenset({"any", "oidc", "saml", "cross-account"})
"""Categories of trust that let in principals from outside the account."""
SERVICE_LINKED: Final = "/aws-service-role/"


def trust_meaning(text: str) -> str:
    """A digest that is the same for equivalent texts: a list of one equals its item, order is ignored, and an
    account's ID equals the ARN of its root.
    """
    try:
        canonical = json.dumps(_plain(json.loads(text)), sort_keys=True, separators=(",", ":"))
    except (ValueError, RecursionError):
        canonical = text
    return blake2b(canonical.encode(), digest_size=16).hexdigest()


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


def refusal_of(text: str, *, account: Account) -> str:
    """Why AWS would refuse the text as a trust policy; "" if it wouldn't."""
    limit = quota_of(account, "AssumeRolePolicySizeQuota", default=TRUST.limit)
    findings = lint(text, kind="trust", quota=CharacterQuota(TRUST.name, limit))
    for finding in findings:
        if finding.is_refused:
            return f"{finding.message.rstrip('.')} (line {finding.line}). {finding.remedy}"
    return ""


@dataclass(frozen=True, slots=True)
class TrustWay:
    """One principal of a statement, with the calls and conditions under which the statement lets it in (or
    keeps it out).
    """

    whom: str
    calls: frozenset[str]
    is_not_action: bool
    conditions: tuple[tuple[str, str, frozenset[str]], ...]

    def covers(self, other: TrustWay) -> bool:
        """True if this lets in everyone whom `other` lets in: it names them and requires no more."""
        if self.is_not_action != other.is_not_action or self.whom not in (other.whom, "* *"):
            return False
        allows_all_calls = "sts:*" in self.calls and not self.is_not_action
        if not allows_all_calls and not self.calls >= other.calls:
            return False
        return all(any(_asks_more(new, old) for new in other.conditions) for old in self.conditions)


def _asks_more(new: tuple[str, str, frozenset[str]], old: tuple[str, str, frozenset[str]]) -> bool:
    """True if everything that meets the new condition meets the old one: the same test, with fewer values to
    match or more to avoid.
    """
    if new[:2] != old[:2]:
        return False
    if "not" in old[0]:
        return new[2] >= old[2]
    return new[2] <= old[2]


def _ways(text: str, *, allows: bool = True) -> set[TrustWay]:
    ways = set()
    for statement in read(text).statements:
        if statement.allows != allows:
            continue
        conditions = tuple(
            sorted(
                (fold(operator), fold(key), frozenset(values))
                for operator, key, values in statement.conditions
            )
        )
        sort = "all but " if statement.is_not_principal else ""
        named = statement.principals or {"*": ("*",)}
        calls = frozenset(map(str.lower, statement.actions))
        for kind, names in named.items():
            for name in names:
                whom = sort + _principal_in_one_form(kind, name)
                ways.add(TrustWay(whom, calls, statement.is_not_action, conditions))
    return ways


def _principal_in_one_form(kind: str, name: str) -> str:
    """Normalize a principal: the root of an account to the account ID, and everyone to "* *"."""
    if kind == "AWS" and name.startswith("arn:") and name.endswith(":root"):
        return f"AWS {name.split(':')[4]}"
    return "* *" if name == "*" else f"{kind} {name}"


def admitted(text: str) -> set[str]:
    """The principals that the text lets in, each as type and name."""
    return {way.whom for way in _ways(text)}


def lets_in_more(before: str, after: str) -> bool:
    """True if the new text lets in principals, or under conditions, that the old one doesn't; false if it
    only narrows access.
    """
    former = _ways(before)
    if any(not any(old.covers(new) for old in former) for new in _ways(after)):
        return True
    return not _ways(before, allows=False) <= _ways(after, allows=False)


def is_open(text: str, *, account: Account, path: str) -> bool:
    """True if the text lets in a principal from outside the account other than an AWS service."""
    return trust_category(text, path=path, account_id=account.account_id) in OPEN


def said_of(before: str, after: str) -> Iterator[str]:
    """Sentences on who can assume the role from now on, and who no longer can."""
    old = admitted(before) if before else set()
    new = admitted(after) if after else set()
    if gained := sorted(new - old):
        yield f"Can assume the role: {', '.join(gained)}."
    if lost := sorted(old - new):
        yield f"Can no longer assume the role: {', '.join(lost)}."
    if not gained and not lost and before and after:
        stricter = not lets_in_more(before, after)
        how = "under stricter conditions" if stricter else "under other conditions"
        yield f"The same principals can assume the role, {how}."
