"""IAM users, roles and what a receipt does not list are counted each as what they are, in right singular and
plural.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from console.changes.counts import affected_of, holders_of, principals, rest_of


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


@pytest.mark.parametrize(
    ("body", "parts", "words"),
    [
        ({"affected": 14, "more_users": 10, "more_roles": 1}, [(2, 0), (0, 1)], "12 IAM users and 2 roles"),
        ({"affected": 1, "more_users": 0, "more_roles": 0}, [(0, 1)], "1 role"),
        ({"affected": 0, "more_users": 0, "more_roles": 0}, [], "0 IAM users"),
        # Receipts that were stored before they told users from roles.
        ({"affected": 14}, [(2, 0)], "14 IAM users or roles"),
        ({"affected": 1}, [], "1 IAM user or role"),
    ],
)
def test_who_is_affected_is_counted_by_kind(
    body: dict[str, Any], parts: list[tuple[int, int]], words: str
) -> None:
    assert affected_of(body, [{"users": users, "roles": roles} for users, roles in parts]) == words


TEMPLATES = Path(__file__).parents[3] / "templates"
BARE = re.compile(r"\{\{[^}]*affected(?:\|\w+)*\s*\}\}|\{\{[^}]*\}\} affected")


def test_no_template_says_how_many_are_affected_without_saying_of_what() -> None:
    matches = {
        f"{path.relative_to(TEMPLATES)}: {bare}"
        for path in TEMPLATES.rglob("*.html")
        for bare in BARE.findall(path.read_text())
        if "affected_words" not in bare
    }
    assert matches == set()
