"""What is compressed, and what isn't: an attacker measures the length of answers that they asked for through
their reader's browser.
"""

from __future__ import annotations

import gzip

import pytest
from django.test import Client

from tests import factories

pytestmark = pytest.mark.django_db
ASKS = {"Accept-Encoding": "gzip, deflate, br, zstd"}


def encoding(client: Client, path: str = "/people/", *, method: str = "GET", **headers: str) -> str:
    return client.generic(method, path, headers=ASKS | headers).headers.get("Content-Encoding", "")


@pytest.fixture
def reader(client: Client) -> Client:
    client.force_login(factories.operator())
    return client


@pytest.mark.parametrize("asked_by", ["same-origin", "none"])
def test_a_page_that_its_reader_asked_for_is_compressed(reader: Client, asked_by: str) -> None:
    plain = reader.get("/people/?q=ada").content
    answer = reader.get("/people/?q=ada", headers=ASKS | {"Sec-Fetch-Site": asked_by})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert b"ada" in gzip.decompress(answer.content)
    assert len(answer.content) * 2 < len(plain)
    assert {"Accept-Encoding", "Sec-Fetch-Site"} <= set(answer.headers["Vary"].split(", "))


@pytest.mark.parametrize("asked_by", ["cross-site", "same-site", "odd", ""])
def test_what_another_site_asked_for_is_not(reader: Client, asked_by: str) -> None:
    assert encoding(reader, **{"Sec-Fetch-Site": asked_by}) == ""


def test_nothing_is_where_the_browser_does_not_say_who_asked(reader: Client) -> None:
    assert encoding(reader) == ""


def test_no_answer_to_a_form_is(reader: Client) -> None:
    """Passwords and keys are shown after a form was sent."""
    assert encoding(reader, "/sign-in/", method="POST", **{"Sec-Fetch-Site": "same-origin"}) == ""


def test_a_fragment_is_and_an_export_is_not(reader: Client) -> None:
    here = {"Sec-Fetch-Site": "same-origin"}
    assert encoding(reader, **here, **{"HX-Request": "true"}) == "gzip"
    assert encoding(reader, "/people/export.csv", **here) == ""
