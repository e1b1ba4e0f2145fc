"""An access key is found by the end of its ID, as pages show it."""

from __future__ import annotations

import pytest

from iam.activity.queries import ActivityFilter, events_in, made_by
from iam.directory.models import Role
from iam.mirror.models import Kind
from iam.mirror.pull.upsert_entities import search_text
from iam.search_words import shown_end, words_of
from tests import factories
from tests.console.findings.test_history import words_in
from tests.console.findings.test_pages import signed_in, text
from tests.iam.activity.events import happened, identity_of

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]
KEY, OTHER = "AKIAIOSFODNN7EXWXYZ9", "AKIAIOSFODNN7EXAMPLE"
TYPED = ("…XYZ9", "...XYZ9", "…xyz9", "XYZ9")


@pytest.mark.parametrize(
    ("typed", "end"),
    [
        *((typed, "XYZ9") for typed in TYPED),
        ("xyz9", ""),
        ("WXYZ9", ""),
        ("…", ""),
        ("… XYZ9", ""),
        ("maya", ""),
        (" …XYZ9 ", "XYZ9"),
    ],
)
def test_ends_are_read(typed: str, end: str) -> None:
    assert shown_end(typed) == end


def test_words_have_no_ellipsis() -> None:
    assert words_of("maya …XYZ9 ...AB … a…b") == ["maya", "xyz9", "ab", "…", "a…b"]


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.AUDITOR])
def test_the_search_and_the_lists_find_the_key(role: Role) -> None:
    account = factories.account()
    factories.synced(account)
    for name, aws_id in (("maya", KEY), ("tomas", OTHER)):
        user = factories.user(account, name)
        key = factories.entity(account, Kind.ACCESS_KEY, aws_id, arn="")
        key.owner, key.aws_id = user, aws_id
        key.search = search_text(key)
        key.save()
    client = signed_in(role)
    for typed in TYPED:
        for address in ("/search/", "/people/", "/keys/"):
            page = text(client, f"{address}?q={typed}")
            assert "maya" in page, (address, typed)
            assert "tomas" not in page, (address, typed)


def test_the_activity_finds_the_calls_that_it_shows_with_the_key() -> None:
    user = factories.user(factories.account(), "maya")
    happened(identity_of(user, accessKeyId=KEY), eventName="GetObject")
    happened(identity_of(user, accessKeyId=OTHER), eventName="PutObject")
    every = events_in(None, ActivityFilter())
    client = signed_in(Role.AUDITOR)
    for typed in TYPED:
        assert {event.access_key for event in made_by(every, typed)} == {KEY}
        assert {event.access_key for event in events_in(None, ActivityFilter(text=typed))} == {KEY}
        page = words_in(text(client, f"/activity/?who={typed}"))
        assert "ey …XYZ9" in page
        assert "ey …MPLE" not in page
