"""IAM users, roles and what a receipt does not list are counted each as what they are, in right singular and plural."""

from __future__ import annotations

from typing import Any

import pytest

from console.changes.counts import holders_of, principals, rest_of


@pytest.mark.parametrize(
    ("users", "roles", "words"),
    [
        (0, 0, "0 IAM users"),
        (1, 0, "1 IAM user"),
        (2, 0, "2 IAM users"),
        (0, 1, "1 role"),
        (1, 1, "1 IAM user and 1 role"),
        (1200, 2, "1,200 IAM users and 2 roles"),
    ],
)
def test_users_and_roles_are_never_one_number(users: int, roles: int, words: str) -> None:
    assert principals(users, roles) == words


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"more_people": 0, "more_users": 0, "more_roles": 0}, ""),
        ({"more_people": 1, "more_users": 1, "more_roles": 0}, "1 more IAM user"),
        ({"more_people": 1, "more_users": 0, "more_roles": 1}, "1 more role"),
        ({"more_people": 5, "more_users": 3, "more_roles": 2}, "3 more IAM users and 2 more roles"),
        ({"more_people": 1}, "1 more IAM user or role"),
        ({"more_people": 4}, "4 more IAM users or roles"),
    ],
)
def test_what_a_receipt_leaves_out_is_counted_by_kind(body: dict[str, Any], words: str) -> None:
    assert rest_of(body) == words


def test_the_holders_of_a_policy_are_counted_by_kind() -> None:
    assert holders_of({"holders": 3, "holder_users": 2, "holder_roles": 1}) == "2 IAM users and 1 role"
    assert holders_of({"holders": 3}) == "3 IAM users or roles"
