"""Queries that a page sends at once: each call gets the rows that it would get alone, and an error that it
would get alone.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DataError, connection
from django.db.models import CharField, DateTimeField

from iam.compiled_queries import CompiledCounts, CompiledQuery, WrittenQuery
from iam.mirror.models import Account, Pull
from iam.planned_reads import SAME_TIME, read_ahead
from iam.prepared_statements import QueryParam
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.on_both]
PRODUCTION, STAGING = "111111111111", "222222222222"
MOMENT = datetime(2026, 2, 1, 9, 30, tzinfo=UTC)


@pytest.fixture
def name_of() -> CompiledQuery:
    factories.account(PRODUCTION, name="production")
    factories.account(STAGING, name="staging")
    rows = Account.objects.filter(account_id=QueryParam("number", CharField()))
    return CompiledQuery(lambda: rows.values_list("name"))


@pytest.fixture
def accounts() -> CompiledCounts:
    return CompiledCounts(lambda: [Account.objects.values("pk"), Account.objects.none()], most=5)


def rename(name: str) -> None:
    Account.objects.filter(account_id=PRODUCTION).update(name=name)


def test_each_call_gets_what_it_would_get_alone(name_of: CompiledQuery, accounts: CompiledCounts) -> None:
    largest = WrittenQuery(f"SELECT MAX(account_id) FROM {Account._meta.db_table}")
    with read_ahead([name_of.planned(number=STAGING), accounts.planned(), largest.planned()]):
        assert name_of.rows(number=STAGING) == [("staging",)]
        assert accounts.numbers() == [2, 0]
        assert largest.rows() == [(STAGING,)]
    assert name_of.rows(number=PRODUCTION) == [("production",)]


def test_only_the_call_with_the_planned_values_takes_the_rows(name_of: CompiledQuery) -> None:
    with read_ahead([name_of.planned(number=STAGING)]):
        assert name_of.rows(number=PRODUCTION) == [("production",)]
        assert name_of.rows(number=STAGING) == [("staging",)]


def test_a_second_call_and_one_after_the_block_see_what_was_written_since(name_of: CompiledQuery) -> None:
    planned = name_of.planned(number=PRODUCTION)
    with read_ahead([planned]):
        planned.rows()
        rename("prod")
        assert planned.rows() == [("prod",)]
    with read_ahead([planned]):
        rename("main")
    assert planned.rows() == [("main",)]


@pytest.mark.postgresql
def test_the_rows_are_of_the_moment_when_they_were_sent_for(name_of: CompiledQuery) -> None:
    planned = name_of.planned(number=PRODUCTION)
    with read_ahead([planned]):
        rename("prod")
        assert planned.rows() == [("production",)]


def test_a_block_within_another_leaves_its_rows(name_of: CompiledQuery, accounts: CompiledCounts) -> None:
    with read_ahead([name_of.planned(number=STAGING)]):
        with read_ahead([accounts.planned()]):
            assert accounts.numbers() == [2, 0]
        assert name_of.rows(number=STAGING) == [("staging",)]


@pytest.mark.parametrize(("later", "numbers"), [(timedelta(), [0]), (SAME_TIME, [1])])
def test_the_present_may_move_on_a_little(later: timedelta, numbers: list[int]) -> None:
    account = factories.account(PRODUCTION)
    until = Pull.objects.filter(began_at__lt=QueryParam("now", DateTimeField()))
    begun = CompiledCounts(lambda: [until.values("pk")], most=5)
    Pull.objects.create(account=account, state="complete", began_at=MOMENT)
    with read_ahead([begun.planned(now=MOMENT)]):
        assert begun.numbers(now=MOMENT + later) == numbers


def test_a_query_without_any_row_costs_nothing() -> None:
    nothing = CompiledQuery(lambda: Account.objects.none().values_list("pk"))
    with read_ahead([nothing.planned()]):
        assert nothing.rows() == []


@pytest.mark.django_db(transaction=True)
def test_a_query_that_fails_fails_for_its_own_call_alone(name_of: CompiledQuery) -> None:
    wrong = WrittenQuery("SELECT CAST('x' || name AS INTEGER) FROM mirror_account")
    with read_ahead([name_of.planned(number=STAGING), wrong.planned(), name_of.planned(number=PRODUCTION)]):
        assert name_of.rows(number=STAGING) == [("staging",)]
        if connection.vendor == "postgresql":
            with pytest.raises(DataError):
                wrong.rows()
        assert name_of.rows(number=PRODUCTION) == [("production",)]


@pytest.mark.postgresql
def test_queries_are_counted_one_by_one_where_they_are_logged(
    name_of: CompiledQuery, accounts: CompiledCounts, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(2), read_ahead([name_of.planned(number=STAGING), accounts.planned()]):
        assert name_of.rows(number=STAGING) == [("staging",)]
        assert accounts.numbers() == [2, 0]
