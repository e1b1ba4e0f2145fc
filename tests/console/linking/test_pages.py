"""The pages of links: what each role sees of a person's users, what is done by one click, the preview of the
ways, many rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from iam.directory.models import Identity, Person, Role, RuleKind, Team, TeamRule
from iam.linking.models import ExcludedMatch, NameRule
from iam.linking.refresh import refresh_links
from iam.mirror.models import Account, EdgeKind, Entity
from tests import factories
from tests.iam.linking.test_ownership import tagged

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]


@dataclass
class World:
    """Maya has a user in the team payments, one elsewhere by tag, one elsewhere by hand."""

    maya: Person
    team: Team
    first: Entity
    by_tag: Entity
    by_hand: Entity
    stranger: Entity

    def browser(self, role: Role, *, name: str = "Ines Duarte", arns: tuple[str, ...] = ()) -> Client:
        client = Client()
        team = self.team if role is Role.TEAM_LEAD else None
        client.force_login(factories.operator(role, name=name, team=team, arns=arns))
        return client


def page(client: Client, user: Entity, **query: str) -> str:
    answer = client.get(reverse("linking:person", args=[user.pk]), query)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def post(client: Client, act: str, *args: object, **data: object) -> int:
    return client.post(reverse(f"linking:{act}", args=list(args)), data).status_code


@pytest.fixture
def world() -> World:
    account, other = factories.account(), factories.account("222222222222", name="data")
    maya = factories.person("Maya Okafor", email="maya.okafor@example.com")
    first = factories.user(account, "maya.okafor")
    factories.edge(EdgeKind.MEMBER, first, factories.group(account, "payments-dev"))
    team = Team.objects.create(slug="payments", name="Payments")
    TeamRule.objects.create(team=team, kind=RuleKind.GROUP, value="payments-dev")
    by_tag = tagged(factories.user(other, "mo", credentials={"mfa": "none"}), email=maya.email)
    by_hand = factories.user(other, "maya-data")
    Identity.objects.create(person=maya, user_arn=first.arn)
    Identity.objects.create(person=maya, user_arn=by_hand.arn)
    stranger = factories.user(other, "ci-release")
    refresh_links()
    return World(maya, team, first, by_tag, by_hand, stranger)


def test_an_administrator_sees_all_users_of_the_person_in_one_summary(world: World) -> None:
    text = page(world.browser(Role.ADMINISTRATOR), world.first)
    assert "3 IAM users in 2 accounts" in text
    assert "Missing for 1 of 3 with a password" in text
    assert "Password without MFA in data." in text
    assert "Tag email: maya.okafor@example.com" in text
    assert text.count("Not confirmed") == 1
    assert "outside your scope" not in text


def test_users_that_have_gone_are_told_apart_from_those_that_are_there(world: World) -> None:
    Entity.objects.filter(pk__in=[world.by_tag.pk, world.by_hand.pk]).update(gone_at=factories.FIRST_READ)
    factories.user(world.by_hand.account, "maya-data")
    text = page(world.browser(Role.ADMINISTRATOR), world.first)
    assert "1 IAM user in 1 account" in text
    assert text.count("deleted in AWS, noticed") == 2
    assert "deleted in AWS" not in page(world.browser(Role.TEAM_LEAD, name="Elif Kaya"), world.first)


def test_a_lead_learns_that_there_are_more_and_not_which(world: World) -> None:
    text = page(world.browser(Role.TEAM_LEAD, name="Elif Kaya"), world.first)
    assert "2 more outside your scope." in text
    assert "maya-data" not in text
    assert f"/people/{world.by_hand.pk}/" not in text
    assert "1 IAM user in 1 account" in text


def test_a_member_sees_their_own_and_what_was_not_confirmed_as_a_number(world: World) -> None:
    client = Client()
    operator = factories.operator(Role.MEMBER, name="Maya Berg")
    operator.person = world.maya
    operator.save()
    factories.assign(world.maya, Role.MEMBER)
    client.force_login(operator)
    text = page(client, world.first)
    assert "maya-data" in text
    assert "1 more seems to be yours." in text
    assert "Confirm" not in text
    assert "1 more AWS user may be yours" in client.get("/").content.decode()
    assert f"/people/{world.by_tag.pk}/" not in text
    assert client.get(reverse("linking:person", args=[world.by_tag.pk])).status_code == 404


def test_a_proposal_is_confirmed_taken_back_and_refused_by_a_click_each(world: World) -> None:
    client = world.browser(Role.ADMINISTRATOR)
    user, person = world.by_tag, str(world.maya.pk)
    assert post(client, "link", user.pk, person=person) == 302
    assert Identity.objects.get(user_arn=user.arn).linked_by == "Ines Duarte"
    assert post(client, "undo", user.pk) == 302
    assert "Not confirmed" in page(client, world.first)
    assert post(client, "mark-not-theirs", user.pk, person=person, why="A service") == 302
    assert "2 IAM users in 2 accounts" in page(client, world.first)
    text = page(client, user)
    assert "A service" in text
    assert post(client, "forget-mark", ExcludedMatch.objects.get().pk) == 302
    assert "3 IAM users in 2 accounts" in page(client, world.first)


def test_nobody_known_leads_to_a_search_and_a_link_by_hand(world: World) -> None:
    client = world.browser(Role.ADMINISTRATOR)
    assert "Link to a person" in page(client, world.stranger)
    assert "maya.okafor@example.com" in page(client, world.stranger, q="maya")
    assert "ci-release" in page(client, world.first, q="CI-")
    assert post(client, "link", world.stranger.pk, person=str(world.maya.pk)) == 302
    assert "4 IAM users in 2 accounts" in page(client, world.stranger)
    assert post(client, "link", world.stranger.pk, person="x") == 404


def test_whoever_a_tag_names_and_nobody_knows_is_added_and_linked(world: World) -> None:
    client = world.browser(Role.ADMINISTRATOR)
    user = tagged(factories.user(world.first.account, "kofi"), email="kofi@example.com")
    refresh_links(whole=True)
    assert "Add and link" in page(client, user)
    assert post(client, "add", user.pk, name=" Kofi  Mensah ") == 302
    kofi = Person.objects.get(email="kofi@example.com")
    assert (kofi.name, kofi.assignments.count(), kofi.identities.get().user_arn) == (
        "Kofi Mensah",
        0,
        user.arn,
    )
    assert post(client, "add", world.stranger.pk, name="X") == 302
    assert Person.objects.filter(name="X").count() == 0


def test_the_page_of_links_has_each_view_and_confirms_many_at_once(world: World) -> None:
    client = world.browser(Role.ADMINISTRATOR)
    jonas = factories.person("Jonas Berg", email="jonas@example.com")
    for name in ("Hana Sato", "Lena Berg"):
        factories.assign(factories.person(name), Role.APPROVER)
    twin = factories.user(Account.objects.get(name="production"), "maya-data")
    NameRule.objects.create(user_name="{local}", address="{local}", added_by="test")
    doubt = tagged(factories.user(twin.account, "jonas"), email=world.maya.email)
    own = tagged(factories.user(twin.account, "ines"), email="ines.duarte@example.com")
    assert refresh_links(whole=True) == 7
    shown = {
        view: client.get(reverse("linking:links"), {"view": view}).content.decode()
        for view in ("proposed", "doubtful", "unlinked", "linked", "apart")
    }
    assert ">mo</a>" in shown["proposed"]
    assert ">jonas</a>" in shown["doubtful"]
    assert "Maya Okafor" in shown["doubtful"]
    assert "has maya-data in data" in shown["unlinked"]
    assert ">ci-release</a>" in shown["unlinked"]
    assert ">maya-data</a>" in shown["linked"]
    assert post(client, "confirm", all="1") == 302
    # All but the administrator's own.
    assert not Identity.objects.filter(user_arn__in=[own.arn, doubt.arn]).exists()
    assert Identity.objects.get(user_arn=world.by_tag.arn).tie == "confirmed"
    assert jonas.identities.count() == 0
    assert client.get(reverse("linking:links"), {"view": "none"}).status_code == 404


def test_the_ways_are_looked_at_before_they_are_saved(world: World) -> None:
    client = world.browser(Role.ADMINISTRATOR)
    factories.user(world.first.account, "mokafor")
    refresh_links(whole=True)
    form = {
        "tags": "email\nOwner",
        "by_address": "on",
        "user_name": ["{f}{last}", ""],
        "address": ["{first}.{last}", ""],
    }
    answer = client.post(reverse("linking:match-rules"), form | {"act": "look"})
    text = answer.content.decode()
    assert "1, of 1 person" in text
    assert ">mokafor<" in text
    assert not NameRule.objects.exists()
    assert client.post(reverse("linking:match-rules"), form | {"act": "save"}).status_code == 302
    assert refresh_links()
    assert "4 IAM users in 2 accounts" in page(client, world.first)
    bad = client.post(reverse("linking:match-rules"), form | {"user_name": ["{nick}"], "act": "look"})
    assert (bad.status_code, "{nick} isn’t a part" in bad.content.decode()) == (422, True)


def test_the_list_of_people_has_a_row_for_each_with_their_users(world: World) -> None:
    client = world.browser(Role.ADMINISTRATOR)
    text = client.get(reverse("linking:persons")).content.decode()
    assert "Maya Okafor" in text
    assert "3 IAM users in 2 accounts" in text
    assert "Ines Duarte" in text
    assert "Maya" not in client.get(reverse("linking:persons"), {"q": "ines"}).content.decode()
    lead = world.browser(Role.TEAM_LEAD, name="Elif Kaya").get(reverse("linking:persons")).content.decode()
    assert "2 more outside your scope" in lead
    assert "Ines Duarte" not in lead


def test_pages_take_the_same_queries_for_one_user_and_for_many(world: World) -> None:
    client = world.browser(Role.ADMINISTRATOR)
    addresses = [
        reverse("linking:person", args=[world.first.pk]),
        reverse("linking:persons"),
        *(
            f"{reverse('linking:links')}?view={view}"
            for view in ("proposed", "doubtful", "unlinked", "linked")
        ),
    ]

    def asked() -> list[int]:
        asked = []
        for address in addresses:
            client.get(address)
            with CaptureQueriesContext(connection) as queries:
                assert client.get(address).status_code == 200
            asked.append(len(queries))
        return asked

    tagged(factories.user(world.first.account, "p0"), email="p0@example.com")
    factories.person("P 0", email="p0@example.com")
    refresh_links(whole=True)
    before = asked()
    for at in range(1, 30):
        tagged(factories.user(world.first.account, f"m{at}"), email=world.maya.email)
        tagged(factories.user(world.first.account, f"p{at}"), email=f"p{at}@example.com")
        factories.person(f"P {at}", email=f"p{at}@example.com")
        factories.user(world.first.account, f"n{at}")
    refresh_links(whole=True)
    assert asked() == before
    assert max(before) < 40, before
