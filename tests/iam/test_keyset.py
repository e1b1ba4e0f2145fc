"""A place in the order of several columns, compared as a row."""

from __future__ import annotations

from datetime import timedelta

import pytest

from iam.keyset import KeysetOrder, page, pages, rows_beyond
from iam.mirror.models import Account, Entity
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def accounts() -> list[Account]:
    """Some that are equal in one column, and some in two."""
    names = [("a", "export"), ("a", "role"), ("b", "export"), ("b", "export"), ("a", "export")]
    return [
        factories.account(f"{number:012}", name=name, source=source)
        for number, (name, source) in enumerate(names, start=1)
    ]


@pytest.mark.parametrize("is_descending", [False, True])
def test_after_each_place_of_three_columns_comes_the_rest_of_the_list(
    accounts: list[Account], is_descending: bool
) -> None:
    columns = ("name", "source", "account_id")
    in_order = sorted(
        ((account.name, account.source, account.account_id) for account in accounts), reverse=is_descending
    )
    ordering = [f"-{column}" if is_descending else column for column in columns]
    for number, place in enumerate(in_order, start=1):
        rows = Account.objects.filter(rows_beyond(columns, place, descending=is_descending))
        assert list(rows.order_by(*ordering).values_list(*columns)) == in_order[number:]


def test_a_place_of_a_number_a_moment_and_a_flag_is_compared_by_value() -> None:
    account = factories.account()
    user = factories.user(account, "kwame.boateng")
    moment = user.first_seen
    later = moment + timedelta(microseconds=1)
    columns = ("account_id", "first_seen", "pk")

    assert Entity.objects.filter(rows_beyond(columns, (account.pk, moment, user.pk - 1))).count() == 1
    assert Entity.objects.filter(rows_beyond(columns, (account.pk, later, user.pk - 1))).count() == 0
    assert Entity.objects.filter(rows_beyond(columns, (account.pk, later, 0), descending=True)).count() == 1


def test_pages_hold_each_row_once(accounts: list[Account]) -> None:
    order = KeysetOrder("name", "pk")
    first = page(Account.objects.all(), order=order, size=2)
    second = page(Account.objects.all(), order=order, size=2, after=first.after)
    back = page(Account.objects.all(), order=order, size=2, before=second.before)

    assert back.rows == first.rows
    assert (first.has_before, second.has_before, second.has_after) == (False, True, True)
    everyone = [account.pk for part in pages(Account.objects.all(), order=order, size=2) for account in part]
    assert sorted(everyone) == sorted(account.pk for account in accounts)
