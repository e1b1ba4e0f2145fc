"""The account's own settings in words, and what differs between two of them."""

from __future__ import annotations

from typing import Any

import pytest

from console.setup.own_settings import own_settings, setting_changes
from iam.mirror.models import AccountFact

LONG = {"minimum_length": 14, "requires_symbols": True, "maximum_age": 90, "allows_change": True}
DEFAULT = "AWS’s default"


def fact(value: Any) -> AccountFact:
    return AccountFact(value=value)


def test_a_password_policy_is_told_rule_by_rule() -> None:
    own = own_settings({"password_policy": fact(LONG | {"hard_expiry": True, "reuse_prevention": 24})})
    assert own is not None
    assert own.passwords is not None
    assert own.passwords.rules == (
        ("Length", "At least 14 characters"),
        ("Required characters", "Symbols"),
        ("Expires", "After 90 days, then only an administrator can reset it"),
        ("Reuse", "The last 24"),
        ("Can be changed by", "Each user"),
    )
    assert own_settings({}) is None
    default = own_settings({"password_policy": fact(None)})
    assert default is not None
    assert default.passwords is not None
    assert default.passwords.rules == ()


def test_the_root_user_is_known_from_the_report_or_else_from_the_summary() -> None:
    summary = {"AccountMFAEnabled": 1, "AccountAccessKeysPresent": 0, "Users": 3, "UsersQuota": 5000}
    report = {
        "mfa_active": False,
        "access_key_1_active": True,
        "key_1_last_used": "2026-03-01T10:00:00Z",
        "password_last_used": "2026-02-01T10:00:00Z",
    }
    both = own_settings({"summary": fact(summary), "root_credentials": fact(report)})
    assert both is not None
    assert both.root is not None
    assert (both.root.mfa, both.root.keys) == (False, 1)
    assert both.root.last_used is not None
    assert both.root.last_used.isoformat() == "2026-03-01T10:00:00+00:00"
    assert both.quotas == [("IAM users", 3, 5000)]
    own = own_settings({"summary": fact(summary)})
    assert own is not None
    assert own.root is not None
    assert (own.root.mfa, own.root.keys, own.root.is_reported) == (True, 0, False)


@pytest.mark.parametrize(
    ("name", "old", "new", "changes_told"),
    [
        ("alias", "", "acme", [("Alias", "None", "acme")]),
        ("password_policy", LONG, LONG | {"maximum_age": None}, [("Expires", "After 90 days", "Never")]),
        ("summary", {"Users": 1, "Roles": 2}, {"Users": 3, "Roles": 2}, [("Users", "1", "3")]),
        ("organization", None, {"Id": "o-1"}, [("Id", "none", "o-1")]),
        (
            "root_credentials",
            {"mfa_active": True, "password_last_used": None},
            {"mfa_active": False, "password_last_used": "2026-03-01T10:00:00Z"},
            [("Mfa active", "yes", "no"), ("Password last used", "none", "1 Mar 2026, 10:00 UTC")],
        ),
    ],
)
def test_two_values_differ_in_words(
    name: str, old: Any, new: Any, changes_told: list[tuple[str, str, str]]
) -> None:
    assert setting_changes(name, old, new) == changes_told


def test_a_policy_that_was_set_replaces_the_default() -> None:
    changes_told = setting_changes("password_policy", None, LONG)
    assert changes_told[0] == ("Length", DEFAULT, "At least 14 characters")
    assert {old for _, old, _ in changes_told} == {DEFAULT}
