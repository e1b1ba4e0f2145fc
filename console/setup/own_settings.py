"""An account's own settings: password policy, root user, and usage of AWS quotas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from console.web.middleware import parse_moment
from console.web.moments import moment_text
from iam.mirror.models import AccountFact

CHARACTERS = (
    ("requires_uppercase", "upper case"),
    ("requires_lowercase", "lower case"),
    ("requires_numbers", "numbers"),
    ("requires_symbols", "symbols"),
)
DEFAULT = "AWS’s default"
QUOTAS = (
    ("IAM users", "Users", "UsersQuota"),
    ("Groups", "Groups", "GroupsQuota"),
    ("Roles", "Roles", "RolesQuota"),
    ("Customer managed policies", "Policies", "PoliciesQuota"),
    ("Policy versions", "PolicyVersionsInUse", "PolicyVersionsInUseQuota"),
    ("Instance profiles", "InstanceProfiles", "InstanceProfilesQuota"),
    ("Server certificates", "ServerCertificates", "ServerCertificatesQuota"),
)
"""Label of a quota, and AWS's names of its usage and limit."""


NOTHING_USED: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class PasswordRuleRow:
    """The rules of the password policy as (rule, value); empty if AWS's default applies."""

    rules: tuple[tuple[str, str], ...]
    fact: AccountFact


@dataclass(frozen=True, slots=True)
class RootCredentials:
    """The root user's credentials; None means unknown."""

    mfa: bool | None
    keys: int
    last_used: datetime | None
    is_reported: bool


@dataclass(frozen=True, slots=True)
class OwnAccountCard:
    """The card of the page; what was not synced is None or empty."""

    passwords: PasswordRuleRow | None
    root: RootCredentials | None
    quotas: list[tuple[str, int, int]]


def own_settings(
    facts: Mapping[str, AccountFact], *, used: Mapping[str, int] = NOTHING_USED
) -> OwnAccountCard | None:
    """Return the card from the facts; None if none were synced. `used` is the usage of each quota as the
    lists count it.
    """
    policy, summary = facts.get("password_policy"), _value(facts, "summary")
    passwords = PasswordRuleRow(_rules(policy.value), policy) if policy else None
    own = OwnAccountCard(
        passwords=passwords,
        root=_root(_value(facts, "root_credentials"), summary),
        quotas=[
            (label, used.get(name, summary.get(name, 0)), summary[most])
            for label, name, most in QUOTAS
            if most in summary and (name in used or name in summary)
        ],
    )
    return own if own.passwords or own.root or own.quotas else None


def setting_changes(name: str, old: Any, new: Any) -> list[tuple[str, str, str]]:
    """Return the differences between two values of a setting as (label, before, after), with AWS's names for
    unlabeled ones.
    """
    if name == "alias":
        return [("Alias", old or "None", new or "None")]
    if name == "password_policy":
        left, right = dict(_rules(old)), dict(_rules(new))
        whats = list(dict.fromkeys([*left, *right]))
        return [
            (what, left.get(what, DEFAULT), right.get(what, DEFAULT))
            for what in whats
            if left.get(what) != right.get(what)
        ]
    left = old if isinstance(old, dict) else {}
    right = new if isinstance(new, dict) else {}
    return [
        (
            key.replace("_", " ").capitalize() if "_" in key else key,
            _said(left.get(key)),
            _said(right.get(key)),
        )
        for key in sorted(left.keys() | right.keys())
        if left.get(key) != right.get(key)
    ]


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) and "T" in value and (moment := parse_moment(value)):
        return moment_text(moment)
    return "none" if value is None else str(value)


def _value(facts: Mapping[str, AccountFact], name: str) -> dict[str, Any]:
    return (facts[name].value or {}) if name in facts else {}


def _rules(policy: dict[str, Any] | None) -> tuple[tuple[str, str], ...]:
    if not policy:
        return ()
    needed = [words for name, words in CHARACTERS if policy.get(name)]
    age, remembered = policy.get("maximum_age"), policy.get("reuse_prevention")
    ends = f"After {age} days" if age else "Never"
    return (
        ("Length", f"At least {policy.get('minimum_length')} characters"),
        ("Required characters", ", ".join(needed).capitalize() if needed else "None"),
        (
            "Expires",
            f"{ends}, then only an administrator can reset it" if policy.get("hard_expiry") else ends,
        ),
        ("Reuse", f"The last {remembered}" if remembered else "No limit"),
        ("Can be changed by", "Each user" if policy.get("allows_change") else "Administrators only"),
    )


def _root(report: dict[str, Any], summary: dict[str, Any]) -> RootCredentials | None:
    """Return the root credentials from the credential report, or from the summary, which has no dates and no
    number of keys.
    """
    if report:
        used = ("password_last_used", "key_1_last_used", "key_2_last_used")
        dates = [moment for name in used if (moment := parse_moment(report.get(name) or ""))]
        keys = sum(bool(report.get(f"access_key_{slot}_active")) for slot in (1, 2))
        return RootCredentials(report.get("mfa_active"), keys, max(dates, default=None), is_reported=True)
    if "AccountMFAEnabled" in summary:
        keys = int(summary.get("AccountAccessKeysPresent") or 0)
        return RootCredentials(bool(summary["AccountMFAEnabled"]), keys, None, is_reported=False)
    return None
