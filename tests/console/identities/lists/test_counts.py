"""Counts are kept for a while, found anew after a reading, and capped where a filter leaves much."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from iam.directory.models import Role
from iam.guard import viewer_for
from iam.mirror.models import Account
from iam.mirror.pull.revisions import note_write
from iam.mirror.queries.lists import counts
from iam.mirror.queries.lists.context import ListContext
from iam.mirror.queries.lists.core import ListQuery
from iam.mirror.queries.lists.people import PEOPLE
from tests import factories
from tests.console.identities.lists.conftest import SignIn, tabs

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]


@pytest.fixture
def production() -> Account:
    return factories.account()


def test_a_count_is_kept_until_something_is_written(auditor: Client, production: Account) -> None:
    factories.user(production, "maya")
    assert tabs(auditor.get("/people/"))["All"] == 1
    factories.user(production, "hana")
    assert tabs(auditor.get("/people/"))["All"] == 1
    note_write(production.pk)
    assert tabs(auditor.get("/people/"))["All"] == 2


def test_the_page_itself_never_waits_for_a_count(auditor: Client, production: Account) -> None:
    """The number below a list is corrected by the rows that are there."""
    factories.user(production, "maya")
    auditor.get("/people/")
    factories.user(production, "hana")
    assert "1–2 of 2<" in auditor.get("/people/").content.decode()


def test_counts_of_one_viewer_are_not_shown_to_another(sign_in: SignIn, production: Account) -> None:
    factories.user(production, "maya")
    assert tabs(sign_in(Role.AUDITOR).get("/people/"))["All"] == 1
    assert tabs(sign_in(Role.TEAM_LEAD).get("/people/"))["All"] == 0


def test_counting_that_takes_long_is_done_more_rarely(
    production: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[float] = []
    real = cache.set_many

    def set_many(data: dict[str, Any], timeout: float) -> None:
        kept.append(timeout)
        real(data, timeout=timeout)

    monkeypatch.setattr(counts.cache, "set_many", set_many)
    clock = iter([0.0, 0.001, 10.0, 12.0])
    monkeypatch.setattr(counts.time, "perf_counter", lambda: next(clock))
    context = ListContext(factories.viewer(Role.AUDITOR))
    counts.tab_counts(PEOPLE, context, ListQuery(), generation=1)
    counts.tab_counts(PEOPLE, context, ListQuery(), generation=2)
    assert kept == [counts.MIN_CACHE_SECONDS, 2.0 * counts.CACHE_SECONDS_PER_QUERY_SECOND]


def test_filtered_rows_are_counted_only_so_far(
    auditor: Client, production: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(55):
        factories.user(production, f"user-{number}")
    monkeypatch.setattr(counts, "CAP", 52)
    monkeypatch.setattr("console.identities.lists.presenters.CAP", 52)
    assert "1–50 of more than 52<" in auditor.get("/people/?q=user").content.decode()
    assert "1–50 of 55<" in auditor.get("/people/").content.decode()


def test_all_counts_are_found_in_one_query(production: Account) -> None:
    someone = factories.person("Rosa Lind")
    factories.assign(someone, Role.AUDITOR)
    context = ListContext(viewer_for(someone))
    with CaptureQueriesContext(connection) as captured:
        tab_counts = counts.tab_counts(
            PEOPLE, context, ListQuery(text="ma", filters=(("mfa", ("none",)),)), generation=1
        )
    # PostgreSQL says by its index whose name has the text and in how many rows it is found.
    assert len(captured) == (3 if connection.vendor == "postgresql" else 1)
    assert set(tab_counts) == {*PEOPLE.tabs, ""}


def test_without_any_account_everything_counts_nothing() -> None:
    context = ListContext(factories.viewer(Role.AUDITOR))
    assert set(counts.tab_counts(PEOPLE, context, ListQuery(), generation=1).values()) == {0}
