"""Which moments around the shown one are worth a click."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models.sql.compiler import SQLCompiler
from django.test import RequestFactory

from console.web.asof import asof_context
from iam.mirror.models import EdgeKind, Pull
from iam.mirror.models.accounts import PullState
from iam.mirror.queries.moments import account_moments, entity_moments, just_after, just_before
from tests import factories

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]
DAY = timedelta(days=1)
FIRST = factories.FIRST_READ


def _pull(account: Any, began: datetime, *, added: int = 0, state: str = PullState.COMPLETE) -> Pull:
    pull = Pull.objects.create(
        account=account, began_at=began, ended_at=began + timedelta(seconds=30), state=state, added=added
    )
    Pull.objects.filter(pk=pull.pk).update(created_at=began)
    return pull


def test_what_began_within_a_second_is_there_a_second_later_and_not_before() -> None:
    moment = datetime(2026, 2, 1, 9, 0, 3, 500_000, tzinfo=UTC)
    assert just_before(moment) == datetime(2026, 2, 1, 9, 0, 3, tzinfo=UTC)
    assert just_after(moment) == datetime(2026, 2, 1, 9, 0, 4, tzinfo=UTC)
    whole = datetime(2026, 2, 1, 9, 0, 3, tzinfo=UTC)
    assert just_before(whole) == whole - timedelta(seconds=1)
    assert just_after(whole) == whole


def test_an_account_steps_from_change_to_change() -> None:
    account = factories.account()
    other = factories.account("222222222222", name="staging")
    _pull(account, FIRST, added=9)
    changed = _pull(account, FIRST + DAY, added=1)
    _pull(account, FIRST + 2 * DAY)
    later = _pull(account, FIRST + 3 * DAY, added=2)
    _pull(other, FIRST + 2 * DAY, added=5)
    moments = account_moments(account, at=FIRST + 2 * DAY + timedelta(hours=1))
    assert moments.earliest == FIRST + timedelta(seconds=30)
    assert moments.before == just_before(changed.began_at)
    assert moments.after == later.ended_at
    assert moments.read_at == FIRST + 2 * DAY + timedelta(seconds=30)
    assert account_moments(account, at=None).after is None


def test_nothing_lies_before_the_first_reading() -> None:
    account = factories.account()
    _pull(account, FIRST, added=9)
    assert account_moments(account, at=None).before is None
    assert account_moments(account, at=FIRST - DAY).read_at is None


def test_a_failed_pull_is_no_reading() -> None:
    account = factories.account()
    _pull(account, FIRST, state=PullState.FAILED)
    assert account_moments(account, at=None).earliest is None


def test_moments_of_all_accounts_take_one_query(django_assert_num_queries: Any) -> None:
    for number in ("111111111111", "222222222222"):
        _pull(factories.account(number, name=number), FIRST, added=1)
    with django_assert_num_queries(1):
        assert account_moments(None, at=FIRST + DAY).earliest == FIRST + timedelta(seconds=30)


def test_an_entity_steps_through_what_its_pages_show() -> None:
    account = factories.account()
    maya, deployers = factories.user(account), factories.group(account)
    factories.edge(EdgeKind.MEMBER, maya, deployers, since=FIRST + DAY, until=FIRST + 3 * DAY)
    factories.inline(maya, since=FIRST + 5 * DAY)
    for entity in (maya, deployers):
        assert entity_moments(entity, at=FIRST).before is None
        assert entity_moments(entity, at=FIRST).after == FIRST + DAY
        assert entity_moments(entity, at=FIRST + 2 * DAY).before == just_before(FIRST + DAY)
        assert entity_moments(entity, at=FIRST + 2 * DAY).after == FIRST + 3 * DAY
    assert entity_moments(maya, at=None).before == just_before(FIRST + 5 * DAY)
    assert entity_moments(deployers, at=None).before == just_before(FIRST + 3 * DAY)


def test_the_control_keeps_filters_and_drops_the_place_in_the_list() -> None:
    request = RequestFactory().get("/people/?mfa=none&mfa=virtual&after=xyz&as-of=2026-01-06T10:00")
    request.viewer, request.at = factories.viewer(), datetime(2026, 1, 6, 10, tzinfo=UTC)
    asof = asof_context(request)["asof"]
    assert asof.kept == [("mfa", "none"), ("mfa", "virtual")]
    assert asof.compare == ""


def test_the_control_compares_the_chosen_account() -> None:
    account = factories.account()
    _pull(account, FIRST, added=1)
    request = RequestFactory().get("/people/?account=111111111111")
    request.viewer, request.at = factories.viewer(), datetime(2026, 1, 6, 10, tzinfo=UTC)
    asof = asof_context(request)["asof"]
    assert asof.compare == "/compare/?account=111111111111&from=2026-01-06T10%3A00%3A00"
    assert [label for label, _, _ in asof.moments] == ["Yesterday, end of day", "A week ago", "First sync"]


def test_the_moments_of_an_entity_are_asked_with_statements_that_were_compiled_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    user = factories.user(factories.account(), "maya.okafor")
    first = entity_moments(user, at=None)

    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("a statement was written anew")

    monkeypatch.setattr(SQLCompiler, "as_sql", refuse)
    assert entity_moments(user, at=None) == first
