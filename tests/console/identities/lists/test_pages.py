"""Pages of a list: every row once, forwards and backwards, under ties, in every order; and addresses that
make no sense.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from iam.mirror.models import NEVER, Account
from tests import factories
from tests.console.identities.lists.conftest import link, shown

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]

NOW = datetime(2026, 6, 1, tzinfo=UTC)
SORTS = ["name", "created", "mfa", "key", "activity"]


def crowd(size: int = 120) -> list[Account]:
    """So many users in two accounts, with few different values, so that every order has ties over pages and
    accounts.
    """
    accounts = [factories.account(), factories.account("222222222222", name="staging")]
    with factories.at_once():
        for number in range(size):
            factories.user(
                accounts[number % 2],
                f"user-{number // 2:03d}",
                created_at=NOW - timedelta(days=number % 3),
                credentials={
                    "mfa": ["none", "virtual"][number % 2],
                    "oldest_key_at": NEVER if number % 4 else NOW,
                },
                usage={"last_used_at": [NEVER, NOW][number % 2]},
            )
    return accounts


def rows(response: object) -> list[tuple[str, str]]:
    from tests.console.identities.lists.conftest import ROW

    return [(name, address.split("?")[0]) for address, name in ROW.findall(response.content.decode())]  # type: ignore[attr-defined]


@pytest.mark.parametrize("account", ["", "111111111111"])
@pytest.mark.parametrize("direction", ["", "-"])
@pytest.mark.parametrize("sort", SORTS)
def test_every_row_comes_once_forwards_and_backwards(
    auditor: Client, sort: str, direction: str, account: str
) -> None:
    crowd(120 if not account else 220)
    address = f"/people/?sort={direction}{sort}" + (f"&account={account}" if account else "")
    forwards, pages = [], []
    response = auditor.get(address)
    while True:
        pages.append(rows(response))
        forwards += pages[-1]
        if not (following := link(response, "next")):
            break
        response = auditor.get(f"/people/{following}")
    assert len(forwards) == len(set(forwards)) == (110 if account else 120)
    assert [len(page) for page in pages] == ([50, 50, 10] if account else [50, 50, 20])
    backwards = [pages[-1]]
    while previous := link(response, "prev"):
        response = auditor.get(f"/people/{previous}")
        backwards.insert(0, rows(response))
    assert backwards == pages


def test_names_are_in_order_whatever_their_case(auditor: Client) -> None:
    production = factories.account()
    for name in ("beta", "Alpha", "gamma", "Delta"):
        factories.role(production, name)
    assert shown(auditor.get("/roles/")) == ["Alpha", "beta", "Delta", "gamma"]
    assert shown(auditor.get("/roles/?sort=-name")) == ["gamma", "Delta", "beta", "Alpha"]


def test_a_page_says_which_rows_of_how_many_it_shows(auditor: Client) -> None:
    crowd(120)
    first = auditor.get("/people/")
    second = auditor.get("/people/" + link(first, "next"))
    third = auditor.get("/people/" + link(second, "next"))
    for response, words in ((first, "1–50 of 120"), (second, "51–100 of 120"), (third, "101–120 of 120")):
        assert f"<span>{words}</span>" in response.content.decode()
    again = auditor.get("/people/" + link(third, "prev"))
    assert "<span>51–100 of 120</span>" in again.content.decode()
    assert rows(again) == rows(second)


def test_a_row_that_vanished_does_not_break_the_next_page(auditor: Client) -> None:
    from iam.mirror.models import EntityState

    crowd(120)
    first = auditor.get("/people/")
    last = rows(first)[-1][1].strip("/").split("/")[-1]
    EntityState.objects.filter(entity=last).update(valid_to=timezone.now())
    second = auditor.get("/people/" + link(first, "next"))
    assert not set(rows(first)) & set(rows(second))
    assert len(rows(second)) == 50


@pytest.mark.parametrize(
    "word",
    [
        "!!!",
        "x",
        "e30",
        "WzFd",
        "W251bGwsMSwxXQ",
        "WyJ1c2VyIiwtMSwxXQ",
        "WyJ1c2VyIiwiMSIsMV0",
        "WyJ1XHUwMDAwIiwxLDFd",
        "WyJ1c2VyIiwxLDFd" * 80,
        "WyJ1XHVkODAwIiwxLDFd",
        "WyJ1c2VyIiwxZTk5OSwxXQ",
    ],
)
@pytest.mark.parametrize("side", ["after", "before"])
def test_a_place_that_makes_no_sense_is_the_first_page_and_says_so(
    auditor: Client, side: str, word: str
) -> None:
    crowd(60)
    response = auditor.get("/people/", {side: word})
    assert rows(response) == rows(auditor.get("/people/"))
    assert "This page of the list no longer exists" in response.content.decode()


def test_a_place_of_another_order_is_refused(auditor: Client) -> None:
    crowd(60)
    by_name = link(auditor.get("/people/"), "next").removeprefix("?after=")
    response = auditor.get("/people/", {"sort": "created", "after": by_name})
    assert "This page of the list no longer exists" in response.content.decode()


def test_after_the_last_row_the_page_leads_back(auditor: Client) -> None:
    from console.web.page_cursors import PageCursor, encode
    from iam.keyset import KeysetPlace

    crowd(4)
    response = auditor.get("/people/", {"after": encode(PageCursor(KeysetPlace("zzz", 1), 4))})
    assert shown(response) == []
    assert "This page of the list is empty" in response.content.decode()


def test_an_unknown_order_is_that_of_the_view(auditor: Client) -> None:
    crowd(4)
    assert rows(auditor.get("/people/?sort=shoe-size")) == rows(auditor.get("/people/"))
