"""The search over everything: by name, ARN, unique id and key id, within what one may see."""

from __future__ import annotations

from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from iam.directory.models import Role
from iam.mirror.models import Account, EdgeKind, Entity, Kind, Pull
from iam.mirror.queries import search as queries
from tests import factories
from tests.console.identities.lists.conftest import SignIn

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]


@pytest.fixture
def production() -> Account:
    return factories.account()


def text_of(response: Any) -> str:
    assert response.status_code == 200
    return unescape(response.content.decode())


def access_key(owner: Entity | None, key_id: str, account: Account) -> Entity:
    made = factories.entity(account, Kind.ACCESS_KEY, key_id, arn="")
    Entity.objects.filter(pk=made.pk).update(owner=owner, aws_id=key_id, search=key_id.lower())
    return made


def test_results_stand_by_kind_with_the_closest_first(auditor: Client, production: Account) -> None:
    for name in ("maya.okafor", "tamaya", "maya"):
        factories.user(production, name)
    factories.group(production, "maya-team")
    factories.role(production, "for-maya")
    factories.role(production, "other")
    page = text_of(auditor.get("/search/?q=Maya"))
    titles = [part.split("<")[0] for part in page.split('<h2 id="s-')[1:]]
    assert [title.split(">")[1] for title in titles] == ["IAM users", "Groups", "Roles"]
    places = [page.index(f"<strong>{name}<") for name in ("maya", "maya.okafor", "tamaya")]
    assert places == sorted(places)
    assert "<strong>other<" not in page
    assert "5 found" in page


@pytest.mark.parametrize("exact", ["arn", "aws_id"])
def test_an_exact_id_goes_straight_to_its_page(auditor: Client, production: Account, exact: str) -> None:
    role = factories.role(production, "app")
    factories.role(production, "app2")
    response = auditor.get("/search/", {"q": getattr(role, exact)})
    assert (response.status_code, response["Location"]) == (302, f"/roles/{role.pk}/")


def test_a_key_id_goes_to_the_credentials_of_its_owner(auditor: Client, production: Account) -> None:
    user = factories.user(production, "maya")
    access_key(user, "AKIAIOSFODNN7EXAMPLE", production)
    response = auditor.get("/search/?q=AKIAIOSFODNN7EXAMPLE")
    assert response["Location"] == f"/people/{user.pk}/credentials/"
    page = text_of(auditor.get("/search/?q=akiaiosf"))
    assert "of maya, production" in page
    assert f'href="/people/{user.pk}/credentials/"' in page


def test_an_arn_that_was_given_twice_is_that_of_who_is_there(auditor: Client, production: Account) -> None:
    gone = factories.user(production, "maya", until=datetime(2026, 3, 1, tzinfo=UTC))
    here = factories.user(production, "maya", since=datetime(2026, 4, 1, tzinfo=UTC))
    assert auditor.get("/search/", {"q": here.arn})["Location"] == f"/people/{here.pk}/"
    assert auditor.get("/search/", {"q": gone.aws_id})["Location"] == f"/people/{gone.pk}/"
    page = text_of(auditor.get("/search/?q=maya"))
    assert page.index(f"/people/{here.pk}/") < page.index(f"/people/{gone.pk}/")
    assert "Gone since" in page


def test_many_hits_lead_to_the_list_of_their_kind(auditor: Client, production: Account) -> None:
    for number in range(14):
        factories.user(production, f"maya-{number}")
    page = text_of(auditor.get("/search/?q=maya"))
    assert page.count("<strong>maya-") == 10
    assert 'href="/people/?q=maya">Show all 14</a>' in page


def test_all_words_must_occur(auditor: Client, production: Account) -> None:
    factories.user(production, "maya.okafor")
    factories.user(production, "maya.lind")
    page = text_of(auditor.get("/search/?q=lind maya"))
    assert "maya.lind" in page
    assert "maya.okafor" not in page


@pytest.mark.parametrize("query", ["", "m", " m ", "  "])
def test_too_little_finds_nothing_and_says_what_to_write(
    auditor: Client, production: Account, query: str
) -> None:
    factories.user(production, "maya")
    page = text_of(auditor.get("/search/", {"q": query}))
    assert "Two characters or more" in page
    assert "<strong>maya<" not in page


@pytest.mark.parametrize("query", ["%%", "__", "\\\\", "a%a"])
def test_signs_of_patterns_are_letters(auditor: Client, production: Account, query: str) -> None:
    factories.user(production, "maya")
    assert "Nothing matches" in text_of(auditor.get("/search/", {"q": query}))


def test_hostile_text_is_shown_as_text(auditor: Client, production: Account) -> None:
    factories.user(production, "<img src=x onerror=alert(1)>")
    for headers in ({}, {"HTTP_HX_REQUEST": "true"}):
        raw = auditor.get("/search/?q=<img", **headers).content.decode()
        assert "<img" not in raw
        assert "&lt;img src=x" in raw


def test_nobody_finds_what_is_not_theirs(sign_in: SignIn, production: Account) -> None:
    team = factories.group(production, "payments-dev")
    mine, other = factories.user(production, "maya.mine"), factories.user(production, "maya.other")
    factories.edge(EdgeKind.MEMBER, mine, team)
    factories.role(production, "maya-role")
    access_key(other, "AKIAMAYAOTHERXXXXXXX", production)
    client = sign_in(Role.TEAM_LEAD)
    page = text_of(client.get("/search/?q=maya"))
    assert "maya.mine" in page
    for hidden in ("maya.other", "maya-role", "AKIAMAYA"):
        assert hidden not in page
    for exact in (other.arn, other.aws_id, "AKIAMAYAOTHERXXXXXXX"):
        response = client.get("/search/", {"q": exact})
        assert "Nothing matches" in text_of(response)
        assert exact not in text_of(client.get("/search/", {"q": exact}, HTTP_HX_REQUEST="true")).replace(
            f"“{exact}”", ""
        )


def test_suggestions_are_a_few_links_to_what_exists(auditor: Client, production: Account) -> None:
    for number in range(12):
        factories.user(production, f"maya-{number:02d}")
    factories.user(production, "maya-gone", until=datetime(2026, 3, 1, tzinfo=UTC))
    response = auditor.get("/search/?q=maya", HTTP_HX_REQUEST="true")
    page = text_of(response)
    assert "<!DOCTYPE" not in page
    assert page.count("<strong>") == 8
    assert "maya-gone" not in page
    assert 'href="/search/?q=maya"' in page
    assert text_of(auditor.get("/search/?q=zz", HTTP_HX_REQUEST="true")).strip() == ""


def test_the_moment_is_kept(auditor: Client, production: Account) -> None:
    user = factories.user(production, "maya")
    when = "2026-02-01T00:00:00"
    encoded = when.replace(":", "%3A")
    assert f"/people/{user.pk}/?as-of={encoded}" in text_of(auditor.get(f"/search/?q=may&as-of={when}"))
    assert auditor.get("/search/", {"q": user.arn, "as-of": when})["Location"] == (
        f"/people/{user.pk}/?as-of={encoded}"
    )


def test_a_device_that_nobody_has_is_found_without_a_page(auditor: Client, production: Account) -> None:
    factories.entity(production, Kind.MFA_DEVICE, "spare-device")
    page = text_of(auditor.get("/search/?q=spare"))
    assert "<strong>spare-device</strong>" in page
    assert auditor.get("/search/?q=spare", HTTP_HX_REQUEST="true").status_code == 200


THEN = "as-of=2026-02-01T09:00:00"


def test_the_past_knows_what_was_there_by_then(auditor: Client, production: Account) -> None:
    came, went = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 1, 20, tzinfo=UTC)
    factories.user(production, "maya.late", since=came)
    factories.user(production, "maya.early", until=came)
    factories.user(production, "maya.gone", until=went)
    page = text_of(auditor.get(f"/search/?q=maya&{THEN}"))
    assert "maya.late" not in page
    assert "2 found" in page
    assert page.count("Gone since") == 1
    assert page.index("<strong>maya.early<") < page.index("<strong>maya.gone<")
    typed = auditor.get(f"/search/?q=maya&{THEN}", headers={"HX-Request": "true"}).content.decode()
    assert ("maya.early" in typed, "maya.gone" in typed, "maya.late" in typed) == (True, False, False)


def test_the_past_finds_a_name_of_then_and_shows_it(auditor: Client, production: Account) -> None:
    married = datetime(2026, 3, 1, tzinfo=UTC)
    user = factories.user(production, "maya.okafor", until=married)
    Entity.objects.filter(pk=user.pk).update(name="maya.lind", search="maya.lind", gone_at=None)
    page = text_of(auditor.get(f"/search/?q=okafor&{THEN}"))
    assert "<strong>maya.okafor</strong>" in page
    assert "Gone since" not in page
    assert "Nothing matches" in text_of(auditor.get("/search/?q=okafor"))
    assert "<strong>maya.okafor</strong>" in text_of(auditor.get(f"/search/?q=maya&{THEN}"))


def test_nothing_is_found_of_the_time_before(auditor: Client, production: Account) -> None:
    factories.user(production, "maya")
    page = text_of(auditor.get("/search/?q=maya&as-of=2025-01-01T00:00"))
    assert "Only what existed by then is searched." in page
    assert "Search what exists now" in page
    Pull.objects.create(
        account=production,
        state="complete",
        added=1,
        began_at=factories.FIRST_READ,
        ended_at=factories.FIRST_READ,
    )
    page = text_of(auditor.get("/search/?q=maya&as-of=2025-01-01T00:00"))
    assert "Nothing was synced by then" in page
    assert "See the first sync" in page


def test_a_search_costs_two_queries_however_much_matches(production: Account) -> None:
    viewer = factories.viewer(Role.AUDITOR)
    for number in range(25):
        factories.user(production, f"maya-{number:02d}")
        factories.role(production, f"maya-role-{number:02d}")
    factories.group(production, "maya-group")
    with CaptureQueriesContext(connection) as captured:
        groups = queries.search(viewer, "maya")
    assert len(captured) == 2
    assert [(group.kind, len(group.hits), group.total) for group in groups] == [
        ("user", 10, 25),
        ("group", 1, 1),
        ("role", 10, 25),
    ]
    assert [hit.name for hit in groups[0].hits] == [f"maya-{number:02d}" for number in range(10)]
