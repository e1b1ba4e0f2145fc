"""The review of all matches: what is proposed and why, what is ambiguous, who is new, what stays; deselected
rows stay; one confirmation.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse_lazy

from console.linking import review as console_review
from iam.directory.models import Identity, OwnedUser, Person, Role, RuleKind, Team, TeamRule
from iam.journal.models import Entry
from iam.linking import proposals
from iam.linking.models import NameRule
from iam.linking.refresh import refresh_links
from iam.mirror.models import Account, EdgeKind, Entity, TagSet
from tests import factories
from tests.iam.linking.test_ownership import tagged

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]
ADDRESS = reverse_lazy("linking:review")
RULE = "name rule {f}{last} of {first}.{last}"
CONFIRM = {"confirm": "1"}


def browser(role: Role = Role.ADMINISTRATOR, **more: Any) -> Client:
    client = Client()
    client.force_login(factories.operator(role, name="Ines Duarte", **more))
    return client


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def form(answer: Any) -> dict[str, Any]:
    """What a browser would post of the page, without a button."""
    fields: dict[str, Any] = {}
    for tag in re.findall(r"<input[^>]*>", answer.content.decode()):
        matches = dict(re.findall(r'([a-z-]+)="([^"]*)"', tag))
        kind = matches.get("type", "text")
        if "name" not in matches or (kind in ("checkbox", "radio") and " checked" not in tag):
            continue
        fields[matches["name"]] = matches.get("value", "")
    return {name: value for name, value in fields.items() if name != "csrfmiddlewaretoken"}


def opened(client: Client, group: str = "", page: int = 1) -> Any:
    return client.get(ADDRESS, {"group": group, "page": page})


def posted(client: Client, answer: Any, *, without: tuple[str, ...] = (), **more: str) -> Any:
    """The form of a page, posted with some fields more, and some less."""
    fields = {name: value for name, value in form(answer).items() if name not in without}
    address = f"{answer.request['PATH_INFO']}?{answer.request['QUERY_STRING']}"
    return client.post(address, fields | more, follow=True)


def names(answer: Any) -> set[str]:
    return {row.row.user.name for row in answer.context["rows"]}


def groups(answer: Any) -> dict[str, tuple[int, int]]:
    """Label of each group, with how many are selected of how many."""
    shown = answer.context["groups"]
    return {group.group.label: (group.selected, len(group.group.proposals)) for group in shown}


@pytest.fixture
def account() -> Account:
    return factories.account()


@pytest.fixture
def maya() -> Person:
    return factories.person("Maya Okafor", email="maya.okafor@example.com")


@pytest.fixture
def users(account: Account, maya: Person) -> dict[str, Entity]:
    """A match by tag, one by rule, a contradiction, a name, an address that is new, and a machine."""
    factories.person("Jonas Berg", email="jonas.berg@example.com")
    NameRule.objects.create(user_name="{f}{last}", address="{first}.{last}", added_by="test")
    users = {
        "by tag": tagged(factories.user(account, "mo"), email=maya.email),
        "by rule": factories.user(account, "mokafor"),
        "ambiguous": tagged(factories.user(account, "jberg"), email=maya.email),
        "by name": tagged(factories.user(account, "m-okafor-2"), DisplayName="Maya Okafor"),
        "new": tagged(factories.user(account, "kofi"), email="kofi@example.com", DisplayName="Kofi Mensah"),
        "machine": factories.user(account, "ci-release"),
    }
    refresh_links(whole=True)
    return users


def test_everything_is_shown_with_its_reason_and_nothing_is_saved(users: dict[str, Entity]) -> None:
    client = browser()
    assert groups(opened(client)) == {
        "Tag email": (1, 1),
        "Name rule {f}{last} of {first}.{last}": (1, 1),
        "Several people fit": (0, 2),
        "New to Gatehouse": (0, 1),
    }
    assert names(opened(client, "tag email")) == {"mo"}
    assert "Tag email: maya.okafor@example.com" in text(opened(client, "tag email"))
    assert names(opened(client, RULE)) == {"mokafor"}
    several = opened(client, "several")
    ambiguous = {row.row.user.name: row.row for row in several.context["rows"]}
    assert set(ambiguous) == {"jberg", "m-okafor-2"}
    assert {choice.person.name for choice in ambiguous["jberg"].choices} == {"Maya Okafor", "Jonas Berg"}
    assert ambiguous["m-okafor-2"].choices[0].words == ("has the same name",)
    newcomers = opened(client, "new").context["rows"]
    assert [(newcomer.row.user.name, newcomer.name) for newcomer in newcomers] == [("kofi", "Kofi Mensah")]
    assert several.context["unmatched"] == "1"
    assert not Identity.objects.exists()


def test_what_is_selected_in_each_group_is_linked_by_one_confirmation(
    users: dict[str, Entity], maya: Person
) -> None:
    client = browser()
    jonas = Person.objects.get(name="Jonas Berg")
    rule = opened(client, RULE)
    several = posted(client, rule, without=(f"link-{users['by rule'].pk}",), go="several~1")
    assert several.context["group"].key == "several"
    newcomers = posted(client, several, go="new~1", **{f"link-{users['ambiguous'].pk}": str(jonas.pk)})
    new = users["new"].pk
    more = {f"add-{new}": "1", f"name-{new}": "Kofi  Mensah", "why": "First match"}
    answer = posted(client, newcomers, **more, **CONFIRM)
    assert "3 IAM users are linked" in text(answer)
    linked = dict(Identity.objects.values_list("user_arn", "person__name"))
    assert linked == {
        users["by tag"].arn: "Maya Okafor",
        users["ambiguous"].arn: "Jonas Berg",
        users["new"].arn: "Kofi Mensah",
    }
    # What was cleared is still proposed, and still cleared.
    assert groups(answer)["Name rule {f}{last} of {first}.{last}"] == (0, 1)
    whys = {entry.data["why"] for entry in Entry.objects.filter(kind="identity.link")}
    assert "First match" in whys


def many(account: Account, count: int) -> list[Entity]:
    """Users whose tag names a person each."""
    made = []
    for number in range(count):
        email = f"p{number:03}@example.com"
        factories.person(f"P {number:03}", email=email)
        made.append(tagged(factories.user(account, f"p{number:03}"), email=email))
    refresh_links(whole=True)
    return made


def test_the_selection_holds_over_pages_and_every_row_is_on_one(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console_review, "PAGE", 3)
    made = many(account, 8)
    client = browser()
    first = opened(client)
    assert len(first.context["rows"]) == 3
    assert "1–3 of 8" in text(first)
    second = posted(client, first, without=(f"link-{made[1].pk}",), go="tag email~2")
    third = posted(client, second, without=(f"link-{made[4].pk}",), go="tag email~3")
    assert "7–8 of 8" in text(third)
    assert [names(page_of_review) for page_of_review in (first, second, third)] == [
        {"p000", "p001", "p002"}, {"p003", "p004", "p005"}, {"p006", "p007"},
    ]  # fmt: skip
    again = posted(client, third, go="tag email~1")
    assert [row.is_selected for row in again.context["rows"]] == [True, False, True]
    assert 'data-selected="6">6</span> selected' in text(again)
    assert again.content.decode().count('data-selected="6"') == 3, "the script counts on from here"
    # A link of the page, a reload, another day: it is kept.
    assert 'data-selected="6">6</span> selected' in text(opened(client))

    answer = posted(client, again, **CONFIRM)
    assert "6 IAM users are linked" in text(answer)
    assert names(answer) == {"p001", "p004"}


def test_a_group_is_cleared_and_selected_as_a_whole(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console_review, "PAGE", 3)
    made = many(account, 5)
    for number in range(4):
        tagged(factories.user(account, f"n{number}"), email=f"n{number}@example.com", Name=f"N {number}")
    refresh_links(whole=True)
    client = browser()
    page = posted(client, opened(client), without=(f"link-{made[0].pk}",), none="tag email")
    assert groups(page) == {"Tag email": (0, 5), "New to Gatehouse": (0, 4)}
    page = posted(client, page, all="new")
    assert groups(page) == {"Tag email": (0, 5), "New to Gatehouse": (4, 4)}
    page = posted(client, page, all="tag email")
    assert groups(page) == {"Tag email": (5, 5), "New to Gatehouse": (4, 4)}
    page = posted(client, page, none="tag email")
    answer = posted(client, opened(client, "new", 2), **CONFIRM)
    assert "4 IAM users are linked" in text(answer)
    assert Identity.objects.count() == 4


def test_more_than_one_request_links_stays_selected_and_is_said(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console_review, "BATCH_SIZE", 3)
    many(account, 5)
    client = browser()
    page = opened(client)
    assert "links 3 IAM users at a time" in text(page)
    page = posted(client, page, **CONFIRM)
    assert "2 more selected matches are left" in text(page)
    assert groups(page) == {"Tag email": (2, 2)}
    page = posted(client, page, **CONFIRM)
    assert Identity.objects.count() == 5
    assert groups(page) == {}


def test_what_nobody_was_shown_is_not_linked(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console_review, "PAGE", 2)
    many(account, 3)
    client = browser()
    page = opened(client)
    late = factories.person("Late Comer", email="late@example.com")
    tagged(factories.user(account, "zz-late"), email=late.email)
    refresh_links(whole=True)
    page = posted(client, page, **CONFIRM)
    assert page.status_code == 422
    assert "The matches changed since this page was shown" in text(page)
    assert not Identity.objects.exists()
    assert "4 IAM users are linked" in text(posted(client, page, **CONFIRM))


def test_a_row_that_means_somebody_else_by_now_is_not_linked(account: Account) -> None:
    many(account, 1)
    client = browser()
    page = opened(client)
    other = factories.person("Nora Whitfield", email="nora@example.com")
    TagSet.objects.update(tags={"email": other.email})
    refresh_links(whole=True)
    page = posted(client, page, **CONFIRM)
    assert page.status_code == 422
    assert not Identity.objects.exists()


def test_two_users_of_one_new_person_are_both_linked(account: Account) -> None:
    for name in ("k1", "k2"):
        tagged(factories.user(account, name), email="kofi@example.com")
    refresh_links(whole=True)
    client = browser()
    posted(client, posted(client, opened(client), all="new"), **CONFIRM)
    assert Person.objects.get(email="kofi@example.com").identities.count() == 2


def test_a_missing_name_is_said_at_its_field_and_nothing_is_saved(users: dict[str, Entity]) -> None:
    client, new = browser(), users["new"].pk
    page = opened(client, "new")
    page = posted(client, page, go="several~1", **{f"add-{new}": "1", f"name-{new}": " ", "why": "Because"})
    answer = posted(client, page, **CONFIRM)
    assert answer.status_code == 422
    assert f'aria-describedby="n{new}-error"' in text(answer)
    assert 'value="Because"' in text(answer)
    assert not Identity.objects.exists()


def test_nothing_selected_is_refused_in_words(users: dict[str, Entity]) -> None:
    client = browser()
    page = posted(client, posted(client, opened(client), none="tag email"), none=RULE)
    answer = posted(client, page, **CONFIRM)
    assert answer.status_code == 422
    assert "No match is selected" in text(answer)


@pytest.mark.parametrize("group", ["", "tag email", "several", "new", "nothing"])
@pytest.mark.parametrize("page", ["1", "99", "-1", "x", "9" * 30])
def test_any_address_shows_a_page(users: dict[str, Entity], group: str, page: str) -> None:
    assert browser().get(ADDRESS, {"group": group, "page": page}).status_code == 200


def test_an_administrators_own_user_is_refused_and_stops_no_other(
    users: dict[str, Entity], maya: Person
) -> None:
    viewer = factories.viewer(Role.ADMINISTRATOR, name="Ines Duarte", email="ines@example.com")
    for name in ("Hana Sato", "Lena Berg"):
        factories.assign(factories.person(name), Role.APPROVER)
    own = Person.objects.get(pk=viewer.person_id)
    pairs = {users["machine"].pk: own.pk, users["by tag"].pk: maya.pk}
    done = proposals.link_many(viewer, pairs, newcomers={})
    assert done.linked == 1
    assert "can’t link an IAM user to yourself" in done.refused[0]


def test_a_lead_reviews_only_the_users_of_their_team(
    users: dict[str, Entity], account: Account, maya: Person
) -> None:
    team = Team.objects.create(slug="payments", name="Payments")
    TeamRule.objects.create(team=team, kind=RuleKind.GROUP, value="payments-dev")
    factories.edge(EdgeKind.MEMBER, users["by tag"], factories.group(account, "payments-dev"))
    client = browser(Role.TEAM_LEAD, team=team)
    page = opened(client)
    assert groups(page) == {"Tag email": (1, 1)}
    assert names(page) == {"mo"}
    forged = posted(
        client, page, rows=f"{users['by rule'].pk}", **{f"link-{users['by rule'].pk}": str(maya.pk)}
    )
    assert forged.status_code == 422
    assert not Identity.objects.exists()
    posted(client, page, **CONFIRM)
    assert Identity.objects.get().user_arn == users["by tag"].arn


def test_machine_users_with_an_owning_team_are_not_unmatched(users: dict[str, Entity]) -> None:
    machine = users["machine"]
    team = Team.objects.create(slug="payments", name="Payments")
    OwnedUser.objects.create(
        team=team, account_id="111111111111", aws_id=machine.aws_id, user_arn=machine.arn, set_by="test"
    )
    assert browser().get(ADDRESS).context["unmatched"] == "0"


def test_the_page_takes_the_same_queries_for_few_and_for_many(account: Account, maya: Person) -> None:
    client, counts = browser(), defaultdict[str, list[int]](list)
    for size in (2, 30):
        for number in range(size):
            name = f"u{size}-{number}"
            tagged(factories.user(account, name), email=maya.email)
            tagged(factories.user(account, f"n{name}"), email=f"{name}@example.com")
            tagged(factories.user(account, f"d{name}"), DisplayName="Maya Okafor")
        refresh_links(whole=True)
        for group in ("tag email", "several", "new"):
            opened(client, group)
            with CaptureQueriesContext(connection) as queries:
                assert opened(client, group).status_code == 200
            counts[group].append(len(queries))
    assert all(few == many for few, many in counts.values()), counts
