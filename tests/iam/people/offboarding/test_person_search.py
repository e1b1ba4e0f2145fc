"""People are found by any part of what they are called, within what the viewer may ask for."""

from __future__ import annotations

import pytest

from iam.directory.models import Identity, Role, RuleKind, Team, TeamRule
from iam.guard import Viewer, viewer_for
from iam.linking.refresh import refresh_links
from iam.mirror.models import EdgeKind
from iam.people.offboarding.person_search import find_people, fold, without_users
from tests import factories
from tests.iam.people.offboarding.test_lists import tagged

pytestmark = [pytest.mark.on_postgresql, pytest.mark.django_db]


@pytest.fixture
def admin() -> Viewer:
    """Sees these: a linked person, one known by an address, one by a tag, and one by nothing but the
    login.
    """
    account, other = factories.account(), factories.account("222222222222", name="data")
    zoe = factories.user(account, "zluczak")
    person = factories.person("Zoë Łuczak", email="zoe.l@example.com")
    Identity.objects.create(person=person, user_arn=zoe.arn)
    tagged(factories.user(other, "x-4711"), email="ZOE.L@example.com")
    tagged(factories.user(account, "u-0815"), DisplayName="Seán O’Brien", email="sean@example.com")
    factories.user(account, "kwame.boateng")
    factories.user(account, "ci-release")
    factories.person("Nobody Here", email="nobody.here@example.com")
    refresh_links()
    return factories.viewer(Role.ADMINISTRATOR)


@pytest.mark.parametrize(
    ("text", "users"),
    [
        ("Zoë Łuczak", ["x-4711", "zluczak"]),
        ("zoe", ["x-4711", "zluczak"]),
        ("luczak ZOE", ["x-4711", "zluczak"]),
        ("ŁUCZ", ["x-4711", "zluczak"]),
        ("zoe.l@ex", ["x-4711", "zluczak"]),
        ("4711", ["x-4711", "zluczak"]),
        ("sean", ["u-0815"]),
        ("OBRIEN", []),
        ("o’brien", ["u-0815"]),
        ("brien", ["u-0815"]),
        ("sean@example", ["u-0815"]),
        ("boat", ["kwame.boateng"]),
        ("Kwame Boateng", ["kwame.boateng"]),
        ("arn:aws:iam::111111111111:user/kwame.boateng", ["kwame.boateng"]),
        ("kwame.*", []),
        ("[", []),
        ("nobody", []),
    ],
)
def test_any_part_finds_the_person_with_all_their_users(admin: Viewer, text: str, users: list[str]) -> None:
    matches = find_people(admin, text)
    names = [sorted(user.name for user in match.person.users) for match in matches.people]
    assert names == ([users] if users else [])


def test_the_best_match_comes_first_and_a_cut_list_says_so(admin: Viewer) -> None:
    account = factories.account("333333333333", name="lab")
    for name in ("maya.okafor", "amaya", "mayara"):
        factories.user(account, name)
    matches = find_people(admin, "maya")
    assert [match.user.name for match in matches.people] == ["maya.okafor", "mayara", "amaya"]
    assert not matches.is_cut
    cut = find_people(admin, "maya", most=2)
    assert (len(cut.people), cut.is_cut) == (2, True)


def test_without_a_text_everybody_in_reach_is_offered(admin: Viewer) -> None:
    people = [match.person for match in find_people(admin, "").people]
    assert [person.email for person in people] == ["sean@example.com", "zoe.l@example.com", "", ""]
    assert [person.name for person in without_users("nobody")] == ["Nobody Here"]
    assert without_users("zoe") == []
    assert without_users("") == []


def test_a_lead_finds_people_of_their_teams_only(admin: Viewer) -> None:
    account = factories.account("444444444444", name="shop")
    group = factories.group(account, "payments")
    factories.edge(EdgeKind.MEMBER, factories.user(account, "kwame.addo"), group)
    team = Team.objects.create(slug="payments", name="Payments")
    TeamRule.objects.create(team=team, kind=RuleKind.GROUP, value="payments")
    person = factories.person("Elif Kaya")
    factories.assign(person, Role.TEAM_LEAD, team=team)
    matches = find_people(viewer_for(person), "kwame")
    assert [match.user.name for match in matches.people] == ["kwame.addo"]


def test_the_number_of_queries_does_not_grow(admin: Viewer, django_assert_max_num_queries: object) -> None:
    account = factories.account("555555555555", name="many")
    for number in range(15):
        factories.user(account, f"kwame.{number}")
    with django_assert_max_num_queries(14):  # type: ignore[operator]
        assert len(find_people(admin, "kwame").people) == 16


def test_folding_takes_accents_and_capitals_away() -> None:
    assert fold("Zoë ŁUCZAK Ærøskøbing Straße İpek") == "zoe luczak aeroskobing strasse ipek"
