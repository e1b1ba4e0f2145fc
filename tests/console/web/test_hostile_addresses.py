"""Addresses that nobody of good will types: moments at the edges of the calendar, places of no list,
fragments of no page.
"""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

import pytest
from django.test import Client

from console.web.middleware import parse_moment
from console.web.page_cursors import CursorError, PageCursor, decode, encode
from iam.keyset import KeysetPlace
from tests import factories

pytestmark = pytest.mark.django_db
EDGES = (
    "0001-01-01",
    "0001-01-01T00:00:00+14:00",
    "0001-01-01T00:00:00-14:00",
    "9999-12-31T23:59:59-14:00",
    "9999-12-31T23:59:59.999999",
    "1969-12-31T23:59:59",
)
PAGES = (
    "/",
    "/people/",
    "/groups/",
    "/roles/",
    "/policies/",
    "/search/?q=ma",
    "/changes/",
)
HTMX = {"HX-Request": "true"}


@pytest.fixture
def browser(client: Client) -> Client:
    """An administrator's, with an account, a user and a group."""
    account = factories.account("111111111111")
    factories.user(account, "kwame.boateng")
    factories.group(account, "deployers")
    client.force_login(factories.operator())
    return client


@pytest.mark.parametrize("edge", EDGES)
def test_the_edges_of_the_calendar_are_no_moments(browser: Client, edge: str) -> None:
    assert parse_moment(edge) is None
    for page in PAGES:
        joint = "&" if "?" in page else "?"
        assert browser.get(f"{page}{joint}{urlencode({'as-of': edge})}").status_code == 200, page
    query = urlencode({"as-of": edge})
    file = browser.get(f"/people/export.csv?{query}")
    assert (file.status_code, file["Location"]) == (302, f"/people/?{query}")
    for name in ("from", "to"):
        query = urlencode({"account": "111111111111", name: edge})
        assert browser.get(f"/compare/?{query}").status_code == 200
    older = urlencode({"older": edge})
    assert browser.get(f"/accounts/111111111111/pulls/?{older}").status_code == 200


@pytest.mark.parametrize("edge", EDGES[1:4])
def test_a_place_at_the_edge_of_the_calendar_breaks_no_list(browser: Client, edge: str) -> None:
    word = encode(PageCursor(KeysetPlace(edge, UUID(int=0)), 0))
    query = urlencode({"after": word})
    assert browser.get(f"/changes/?{query}").status_code == 200


def test_a_moment_that_cannot_be_brought_to_utc_is_no_place() -> None:
    word = "WyIwMDAxLTAxLTAxVDAwOjAwOjAwKzE0OjAwIiwxLDFd"  # ["0001-01-01T00:00:00+14:00",1,1]
    with pytest.raises(CursorError):
        decode(word, kind=datetime)


def test_a_page_without_fragments_comes_whole_to_htmx_too(browser: Client) -> None:
    group = factories.group(factories.account("222222222222"), "late")
    for page in ("/", "/compare/", f"/groups/{group.pk}/history/?as-of=2001-01-01T00:00"):
        response = browser.get(page, headers=HTMX)
        assert response.status_code == 200, page
        assert 'href="/people/' in response.content.decode(), "with its navigation"


NUMBERED = (
    "/keys/rotations/",
    "/keys/roots/",
    "/leaving/",
    "/mfa/campaigns/",
    "/mfa/roots/",
    "/moving/",
    "/onboarding/",
)


@pytest.mark.parametrize("page", ["0", "-1", "9999", "99999999", "²", "one"])
def test_a_page_that_there_is_not_is_no_fault(browser: Client, page: str) -> None:
    for address in NUMBERED:
        assert browser.get(address, {"page": page}).status_code == 200, address
