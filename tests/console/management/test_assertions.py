"""`manage.py assertions`: its list, and its exit code."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import call_command

from iam.audit.assertions.models import StandingAssertion
from tests import factories
from tests.iam.audit.assertions.test_checks import assertion_of, give

pytestmark = pytest.mark.django_db
NAMES = ["name", "state", "accounts", "actions", "resources", "allowed", "broken_by", "checked_at"]


def printed(*options: str) -> tuple[str, int]:
    out = StringIO()
    try:
        call_command("assertions", *options, stdout=out)
    except SystemExit as end:
        return out.getvalue(), int(end.code or 0)
    return out.getvalue(), 0


def test_a_broken_one_is_the_exit_code() -> None:
    account = factories.account()
    factories.synced(account)
    assertion_of()
    text, code = printed("--json")
    (row,) = json.loads(text)
    assert list(row)[: len(NAMES)] == NAMES
    assert (code, row["state"], row["broken_by"]) == (0, "held", [])
    user = factories.user(account, "tomas")
    give(user)
    text, code = printed("--json")
    (row,) = json.loads(text)
    assert (code, row["state"], row["broken_by"]) == (1, "broken", [user.arn])
    assert row["allowed"] == ["role BreakGlass"]
    text, code = printed()
    assert code == 1
    assert f"broken by {user.arn}" in text


def test_an_unknown_one_says_why_and_is_no_failure() -> None:
    assertion_of()
    text, code = printed()
    assert code == 0
    assert text.startswith("unknown  Users")


@pytest.mark.parametrize("status", ["requested", "retired", "declined"])
def test_only_active_ones_are_listed(status: str) -> None:
    assertion_of(status=status)
    assert StandingAssertion.objects.count() == 1
    assert json.loads(printed("--json")[0]) == []
