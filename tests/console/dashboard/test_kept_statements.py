"""The overview keeps the statements that it asks, never what they found."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.db import connection
from django.db.models import F
from django.db.models.sql.compiler import SQLCompiler
from django.test import Client
from django.test.utils import CaptureQueriesContext

from console.dashboard.waiting_counts import waiting
from iam.access.grants.models import Grant, GrantState
from iam.directory.models import Role
from iam.mirror.models import Account, Section
from iam.mirror.queries.account_lists import accounts_by_need
from iam.mirror.queries.figures import figures
from iam.mirror.queries.lists.context import ListContext
from tests import factories

pytestmark = pytest.mark.django_db


def test_an_account_is_old_when_its_time_has_come() -> None:
    account, viewer = factories.account(), factories.viewer()
    factories.synced(account, at=datetime.now(tz=UTC))
    assert accounts_by_need(viewer, account=account) == accounts_by_need(viewer) == [(account.pk, False)]
    with time_machine.travel(datetime.now(tz=UTC) + timedelta(days=400)):
        assert accounts_by_need(viewer, account=account) == accounts_by_need(viewer) == [(account.pk, True)]


def test_somebody_sees_what_was_added_and_removed_since_they_last_looked() -> None:
    factories.synced(factories.account(), at=datetime.now(tz=UTC))
    client = Client()
    client.force_login(factories.operator(Role.ADMINISTRATOR))

    def page() -> str:
        cache.clear()
        return client.get("/").content.decode()

    assert "Accounts that need attention" not in page()
    other = factories.account("222222222222", name="sandbox")
    Section.objects.create(account=other, name="users", state="denied")
    after = page()
    assert "Accounts that need attention" in after
    assert "sandbox" in after
    Section.objects.filter(account=other).delete()
    assert "Accounts that need attention" not in page()
    Account.objects.filter(pk=other.pk).update(removed_at=datetime.now(tz=UTC))
    assert "sandbox" not in page()


COMPILED = 3
"""So many statements of a page may still be written anew: one about who can become administrator, and
whatever comes after it.
"""


@time_machine.travel(datetime.now(tz=UTC), tick=False)  # what is kept for a minute stays kept
@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.APPROVER, Role.AUDITOR])
@pytest.mark.parametrize("number", ["", "?account=111111111111"], ids=["all", "chosen"])
def test_the_overview_is_asked_with_few_statements_that_were_compiled_before(
    role: Role, number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in range(1, 13):
        factories.synced(factories.account(str(each) * 12 if each < 10 else f"{each:012d}"))
    client = Client()
    client.force_login(factories.operator(role))
    client.get(f"/{number}")
    compiled: list[str] = []
    whole = SQLCompiler.execute_sql

    def noted(self: SQLCompiler, *args: Any, **kwargs: Any) -> Any:
        compiled.append(str(self.query))
        return whole(self, *args, **kwargs)

    monkeypatch.setattr(SQLCompiler, "execute_sql", noted)
    with CaptureQueriesContext(connection) as queries:
        client.get(f"/{number}")
    statements = [query["sql"][:180] for query in queries]
    assert len(statements) <= 24, "\n".join(statements)
    assert sum("SUM(writes)" in statement for statement in statements) == 1, "once for the whole page"
    assert len(compiled) <= COMPILED, compiled


def test_a_grant_is_counted_as_ending_soon_when_its_time_has_come() -> None:
    viewer = factories.viewer()
    ends = datetime.now(tz=UTC) + timedelta(days=30)
    Grant.objects.create(
        title="Read", state=GrantState.ACTIVE, ends_at=ends, requested_by=viewer.person_id, terms={}
    )
    assert waiting(viewer, account=None).count_of("soon") == 0
    with time_machine.travel(ends - timedelta(days=6)):
        assert waiting(viewer, account=None).count_of("soon") == 1


def test_numbers_are_counted_again_after_a_write_and_after_a_minute() -> None:
    cache.clear()
    account, viewer = factories.account(), factories.viewer()
    factories.user(account, "maya.okafor")
    assert figures(ListContext(viewer=viewer)).values["people.all"] == 1
    context = ListContext(viewer=viewer, now=datetime.now(tz=UTC).replace(second=0))
    figures(context)
    with CaptureQueriesContext(connection) as queries:
        figures(context)
    assert len(queries) == 1, "only whether something was written"
    Account.objects.filter(pk=account.pk).update(writes=F("writes") + 1)
    factories.user(account, "hana.sato")
    assert figures(ListContext(viewer=viewer)).values["people.all"] == 2
    with CaptureQueriesContext(connection) as queries:
        figures(ListContext(viewer=viewer, now=datetime.now(tz=UTC) + timedelta(minutes=2)))
    assert len(queries) > 1, "keys get old and users inactive without a write"


def test_what_is_kept_of_one_account_is_not_shown_of_another() -> None:
    cache.clear()
    first_account, other, viewer = factories.account(), factories.account("222222222222"), factories.viewer()
    factories.user(first_account, "maya.okafor")
    for account, number in ((first_account, 1), (other, 0), (first_account, 1)):
        assert figures(ListContext(viewer=viewer, account=account)).values["people.all"] == number


def test_waiting_requests_are_read_only_where_some_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    factories.account()
    client = Client()
    client.force_login(factories.operator(Role.APPROVER))

    def refuse(*_: Any) -> Any:
        raise AssertionError("nothing waits")

    monkeypatch.setattr("console.dashboard.overview._first_waiting", refuse)
    assert client.get("/").status_code == 200
