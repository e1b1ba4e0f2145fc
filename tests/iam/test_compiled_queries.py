"""Statements that are compiled once: they answer what their query set would, for every value."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.db.models import (
    BigAutoField,
    BigIntegerField,
    Case,
    CharField,
    Count,
    DateTimeField,
    F,
    IntegerField,
    QuerySet,
    Value,
    When,
)

from iam.compiled_queries import CompiledCounts, CompiledQuery, columns, instance
from iam.guard import ViewerScope
from iam.mirror.models import Account, Entity, Kind, Pull
from iam.mirror.queries.accounts import frame
from iam.prepared_statements import QueryParam
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.on_both]
MOMENT = datetime(2026, 2, 1, 9, 30, 15, 250_000, tzinfo=UTC)


def test_a_statement_is_compiled_once_and_filled_in_each_time(django_assert_num_queries: Any) -> None:
    made = []

    def by_number() -> QuerySet[Account, Any]:
        made.append(1)
        return Account.objects.filter(account_id=QueryParam("number", CharField())).values_list(
            "name", "removed_at"
        )

    factories.account("111111111111", name="production")
    factories.account("222222222222", name="staging", removed_at=MOMENT)
    statement = CompiledQuery(by_number)
    with django_assert_num_queries(3):
        assert statement.rows(number="222222222222") == [("staging", MOMENT)]
        assert statement.rows(number="111111111111") == [("production", None)]
        assert statement.rows(number="333333333333' OR 1=1 --") == []
    assert made == [1]


def test_a_parameter_that_is_written_twice_is_one_value() -> None:
    factories.account("111111111111", name="50% %s of 'production'")
    number = QueryParam("number", CharField())
    is_chosen = Case(When(account_id=number, then=Value("chosen %s")), default=Value("100 %"))
    grouped = Account.objects.annotate(said=is_chosen).values("said").annotate(count=Count("pk"))
    of_name = grouped.filter(name="50% %s of 'production'").values_list("said", "count")
    statement = CompiledQuery(lambda: of_name)
    assert statement.rows(number="111111111111") == [("chosen %s", 1)]
    assert statement.rows(number="%") == [("100 %", 1)]


@pytest.mark.postgresql
@pytest.mark.parametrize("field", [BigAutoField(), IntegerField(), BigIntegerField()])
def test_what_runs_often_is_prepared_once_for_numbers_of_all_sizes(field: Any) -> None:
    pulls = Pull.objects.filter(calls=QueryParam("calls", field)).order_by("pk")
    statement = CompiledQuery(lambda: pulls.values_list("pk"))
    pull = Pull.objects.create(account=factories.account(), state="complete", began_at=MOMENT, calls=70_000)
    prepared = "SELECT COUNT(*) FROM pg_prepared_statements WHERE statement LIKE '%calls\" = %'"
    for calls, found in ((1, []), (70_000, [(pull.pk,)]), (2_000_000_000, []), (70_000, [(pull.pk,)])):
        assert statement.rows(calls=calls) == found
        with connection.cursor() as cursor:
            cursor.execute(prepared)
            assert cursor.fetchone() == (1,)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_migration_beside_a_prepared_statement_changes_nothing_for_who_asks() -> None:
    factories.account("111111111111", name="production")
    statement = CompiledQuery(lambda: Account.objects.order_by("pk").values_list("name"))
    counts = CompiledCounts(lambda: [Account.objects.values("name")], most=5)
    for length in (300, 200, None):
        assert (statement.rows(), counts.numbers()) == ([("production",)], [1])
        with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": None}) as other:
            sort = f"varchar({length})" if length else Account._meta.get_field("name").db_type(connection)
            other.execute(f"ALTER TABLE mirror_account ALTER COLUMN name TYPE {sort}")
    assert (statement.rows(), counts.numbers()) == ([("production",)], [1])


def test_slots_stand_for_moments_and_in_orders_too() -> None:
    account = factories.account()
    for hour in (1, 2, 3):
        Pull.objects.create(account=account, state="complete", began_at=MOMENT.replace(hour=hour), calls=hour)
    shown = QueryParam("shown", DateTimeField())
    first = Case(When(began_at=shown, then=0), default=1)
    statement = CompiledQuery(
        lambda: (
            Pull.objects.filter(began_at__gte=shown)
            .order_by(first, F("began_at").desc())
            .values_list("calls", "began_at")
        )
    )
    rows = statement.rows(shown=MOMENT.replace(hour=1))
    assert [calls for calls, _ in rows] == [1, 3, 2]
    assert rows[0][1] == MOMENT.replace(hour=1)


def test_a_value_that_is_missing_is_an_error_and_not_everything() -> None:
    statement = CompiledQuery(
        lambda: Account.objects.filter(account_id=QueryParam("number", CharField())).values_list("name")
    )
    with pytest.raises(KeyError):
        statement.rows()


def test_an_account_from_its_columns_is_the_account() -> None:
    account = factories.account()
    [values] = Account.objects.values_list(*columns(Account))
    account_of_row = instance(Account, values)
    assert {c: getattr(account_of_row, c) for c in columns(Account)} == {
        c: getattr(account, c) for c in columns(Account)
    }
    assert account_of_row == account
    assert not account_of_row._state.adding


def test_each_scope_has_a_frame_of_its_own() -> None:
    for number in ("111111111111", "222222222222"):
        factories.account(number, name=number)
    everyone = factories.viewer()
    viewer = replace(everyone, scope=ViewerScope(accounts=frozenset({"111111111111"})))
    for _ in range(2):
        assert [a.account_id for a in frame(viewer, account_id="").accounts] == ["111111111111"]
        assert frame(viewer, account_id="222222222222").chosen is None
        assert len(frame(everyone, account_id="").accounts) == 2


def test_objects_have_what_their_query_set_reads_with_them(django_assert_num_queries: Any) -> None:
    for number, name in (("111111111111", "production"), ("222222222222", "staging")):
        account = factories.account(number, name=name)
        policy = factories.policy(account, "readers")
        if name == "staging":
            Entity.objects.filter(pk=policy.pk).update(owner=factories.user(account, "ana"))
    entities = Entity.objects.filter(kind=QueryParam("kind", CharField()))
    beside = entities.select_related("account", "owner").order_by("arn")
    statement = CompiledQuery(lambda: beside.only("arn", "account__name", "owner"))
    for _ in range(2):
        with django_assert_num_queries(1):
            policies = statement.objects(kind=Kind.POLICY)
            shown = [(e.account.name, e.owner.name if e.owner else "") for e in policies]
        assert shown == [("production", ""), ("staging", "ana")]
    assert policies == list(Entity.objects.filter(kind=Kind.POLICY).order_by("arn"))
    assert "name" in policies[0].get_deferred_fields()
    assert policies[0].name == "readers"
    assert statement.objects(kind=Kind.ROLE) == []
    assert CompiledQuery(entities.none).objects(kind=Kind.ROLE) == []


def test_what_can_have_no_rows_has_none(django_assert_num_queries: Any) -> None:
    factories.account("111111111111")
    nothing = CompiledQuery(lambda: Account.objects.filter(pk__in=[]).values_list("name"))
    with django_assert_num_queries(0):
        assert nothing.rows() == nothing.rows() == []
    assert frame(replace(factories.viewer(), scope=ViewerScope()), account_id="").accounts == []


def test_several_are_counted_at_once_up_to_a_limit(django_assert_num_queries: Any) -> None:
    for number in ("111111111111", "222222222222", "333333333333"):
        factories.account(number)
    every, accounts = (
        Account.objects.values("pk"),
        Account.objects.filter(account_id="111111111111").values("pk"),
    )
    with django_assert_num_queries(1):
        assert CompiledCounts(lambda: (every, accounts, accounts.none()), most=2).numbers() == [2, 1, 0]
    with django_assert_num_queries(0):
        assert CompiledCounts(lambda: [accounts.none()], most=2).numbers() == [0]
        assert CompiledCounts(list, most=2).numbers() == []


def test_counts_that_are_kept_are_of_today_and_of_the_values_that_are_given(
    django_assert_num_queries: Any,
) -> None:
    made: list[int] = []

    def querysets() -> list[Any]:
        made.append(1)
        named = Account.objects.filter(name=QueryParam("name", CharField())).values("pk")
        return [Account.objects.values("pk"), named, named.none()]

    statement = CompiledCounts(querysets, most=5)
    for number in ("111111111111", "222222222222"):
        factories.account(number, name=number)
        with django_assert_num_queries(1):
            numbers = statement.numbers(name=number)
        assert numbers == [int(number[0]), 1, 0]
    assert statement.numbers(name="nowhere") == [2, 0, 0]
    assert made == [1]
    with pytest.raises(KeyError):
        statement.numbers()
