"""Assertions are checked where something was written, and their history is kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from iam.audit.assertions.checks import LASTS, check_due
from iam.audit.assertions.models import AssertionEvent, AssertionState, StandingAssertion
from iam.audit.assertions.tasks import check_assertions
from iam.audit.assertions.terms import AllowedKind, AllowedPrincipal, AssertionTerms
from iam.mirror.models import Account, Entity, InlinePolicy, Section, SectionState
from iam.mirror.pull.sections import GROUPS
from tests import factories

pytestmark = pytest.mark.django_db
ALLOW = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "iam:CreateUser", "Resource": "*"}],
}


def assertion_of(**changes: Any) -> StandingAssertion:
    """An active assertion: only BreakGlass creates users."""
    allowed = (AllowedPrincipal(AllowedKind.ROLE, "BreakGlass"),)
    terms = AssertionTerms(("iam:CreateUser",), ("*",), allowed)
    now = datetime.now(tz=UTC)
    values = {"name": "Users", "reason": "x", "status": "active", "terms": terms.to_json(), "created_at": now}
    return StandingAssertion.objects.create(**values | changes)


@pytest.fixture
def account() -> Account:
    account = factories.account()
    factories.synced(account)
    return account


def written(account: Account, entity: Entity | None = None) -> None:
    """Something was written to the mirror."""
    account.refresh_from_db()
    revision = account.revision + 1
    if entity is not None:
        Entity.objects.filter(pk=entity.pk).update(revision=revision)
    Account.objects.filter(pk=account.pk).update(writes=account.writes + 1, revision=revision)


def give(entity: Entity) -> InlinePolicy:
    """It can create users."""
    row = factories.inline(entity, "create", body=ALLOW)
    written(entity.account, entity)
    return row


def states(assertion: StandingAssertion) -> list[str]:
    return list(
        AssertionEvent.objects.filter(assertion=assertion).order_by("at").values_list("kind", flat=True)
    )


def test_it_holds_breaks_and_holds_again_with_its_history(account: Account) -> None:
    assertion = assertion_of()
    give(factories.role(account, "BreakGlass"))
    user = factories.user(account, "tomas")
    start = datetime.now(tz=UTC)
    check_due(now=start)
    assertion.refresh_from_db()
    assert (assertion.state, assertion.first_broken) == (AssertionState.HELD, None)
    row = give(user)
    check_due(now=start + timedelta(minutes=1))
    assertion.refresh_from_db()
    assert assertion.state == AssertionState.BROKEN
    (breach,) = assertion.results.get().breaches
    assert (breach["arn"], breach["policy"], breach["statement"]) == (user.arn, "create", "statement 1")
    row.delete()
    written(account, user)
    check_due(now=start + timedelta(minutes=2))
    assertion.refresh_from_db()
    assert assertion.state == AssertionState.HELD
    assert assertion.first_broken == assertion.last_broken == start + timedelta(minutes=1)
    assert states(assertion) == ["held", "broken", "held"]
    (event,) = AssertionEvent.objects.filter(kind="broken")
    assert event.detail["broken_by"] == [user.arn]


def test_only_accounts_that_were_written_to_are_checked_again(account: Account) -> None:
    other = factories.account("222222222222", name="data")
    factories.synced(other)
    assertion_of()
    now = datetime.now(tz=UTC)
    assert check_due(now=now) == 2
    assert check_due(now=now) == 0
    written(other)
    # An organization that was synced has a say about every account; here both tell of theirs.
    Section.objects.filter(name="organization").update(state=SectionState.NEVER)
    assert check_due(now=now) == 2
    written(other)
    assert check_due(now=now) == 1
    assert check_due(now=now + LASTS + timedelta(seconds=1)) == 2


@pytest.mark.parametrize("state", [s for s in SectionState if s != SectionState.COMPLETE])
def test_what_was_not_synced_makes_it_unknown(account: Account, state: SectionState) -> None:
    assertion = assertion_of()
    Section.objects.filter(account=account, name=GROUPS).update(state=state)
    check_due()
    assertion.refresh_from_db()
    assert assertion.state == AssertionState.UNKNOWN
    assert assertion.results.get().unread == ["groups weren’t fully synced"]
    give(factories.user(account, "tomas"))
    check_due()
    assertion.refresh_from_db()
    assert assertion.state == AssertionState.BROKEN


@pytest.mark.parametrize("scope", [[], ["999999999999"], ["111111111111", "999999999999"]])
def test_an_account_that_is_not_connected_is_unknown(scope: list[str], account: Account) -> None:
    if not scope:
        Account.objects.update(removed_at=datetime.now(tz=UTC))
    assertion = assertion_of()
    assertion.terms["accounts"] = scope
    assertion.save()
    check_due()
    assertion.refresh_from_db()
    assert assertion.state == AssertionState.UNKNOWN


def test_the_task_asks_nothing_more_while_nothing_is_written(
    account: Account, django_assert_num_queries: Any
) -> None:
    assertion_of()
    assert check_assertions() == 1
    with django_assert_num_queries(2):
        assert check_assertions() == 0
    written(account)
    assert check_assertions() == 1


def test_a_second_check_writes_nothing(account: Account) -> None:
    assertion_of()
    now = datetime.now(tz=UTC)
    check_due(now=now)
    with CaptureQueriesContext(connection) as captured:
        check_due(now=now)
    assert not [query for query in captured.captured_queries if "UPDATE" in query["sql"]]
