"""Whose changes one sees, the inbox, and the list."""

from __future__ import annotations

import copy
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from iam.changes import services
from iam.changes.models import Change
from iam.directory.models import Role, RuleKind, Team, TeamRule
from iam.guard import viewer_for
from iam.mirror.models import EdgeKind
from tests import factories
from tests.iam.changes.site import HTMX, Site, page_of, signed_in

pytestmark = pytest.mark.on_both


def test_a_member_sees_what_is_about_themselves_and_nothing_else(site: Site) -> None:
    change = site.asked()
    own = signed_in(factories.operator(Role.MEMBER, name="Kwame Boateng", arns=(site.user.arn,)))
    other = signed_in(factories.operator(Role.MEMBER, name="Maya Okafor"))

    assert own.get(page_of(change)).status_code == 200
    assert "Add kwame.boateng" in own.get(reverse("changes:list")).content.decode()
    assert other.get(page_of(change)).status_code == 404
    assert "Add kwame.boateng" not in other.get(reverse("changes:list")).content.decode()


def test_a_team_lead_sees_their_people_and_their_own_requests(site: Site) -> None:
    payments = factories.group(site.account, "payments-dev")
    factories.edge(EdgeKind.MEMBER, site.user, payments)
    change = site.asked()
    team = Team.objects.create(slug="payments", name="Payments")
    TeamRule.objects.create(team=team, kind=RuleKind.GROUP, value="payments-dev")
    lead = signed_in(factories.operator(Role.TEAM_LEAD, name="Elif Kaya", team=team))
    elsewhere = Team.objects.create(slug="data", name="Data")
    stranger = signed_in(factories.operator(Role.TEAM_LEAD, name="Omar Faye", team=elsewhere))

    assert lead.get(page_of(change)).status_code == 200
    assert stranger.get(page_of(change)).status_code == 404
    assert stranger.post(reverse("changes:withdraw", args=[change.pk])).status_code == 404
    assert stranger.get(reverse("changes:undo", args=[change.pk])).status_code == 404


def test_an_approver_of_another_account_finds_nothing(site: Site) -> None:
    change = site.asked()
    operator = factories.operator(None, name="Ben Okri")
    factories.assign(operator.person, Role.APPROVER, account_id="222222222222")
    client = signed_in(operator)

    assert client.get(page_of(change)).status_code == 404
    assert site.decide(client, change, "approve").status_code == 404
    assert "kwame" not in client.get(reverse("changes:approvals")).content.decode()


def test_the_inbox_has_what_waits_for_me_and_what_waits_for_others(site: Site) -> None:
    change = site.asked()
    other = factories.group(site.account, "auditors")
    viewer = viewer_for(site.approves.person)
    own = services.request_membership(
        viewer, user=site.user, group=other, do="add", reason="r", idempotency_key="k"
    )

    page = site.approver.get(reverse("changes:approvals"))
    assert [row["change"] for row in page.context["rows"]] == [change]
    assert [row["change"] for row in page.context["others"]] == [own]

    mine = site.approver.get(f"{reverse('changes:approvals')}?tab=mine", headers=HTMX)
    assert [row["change"] for row in mine.context["rows"]] == [own]
    assert "<html" not in mine.content.decode()

    site.decide(site.approver, change, "reject", "No")
    decided = site.approver.get(f"{reverse('changes:approvals')}?tab=decided")
    assert [row["change"] for row in decided.context["rows"]] == [change]


def test_whoever_decides_nothing_has_no_inbox(site: Site) -> None:
    for role in (Role.MEMBER, Role.AUDITOR):
        browser = signed_in(factories.operator(role, name=f"Some {role.label}"))
        assert browser.get(reverse("changes:approvals")).status_code == 404


def many(site: Site, count: int, *, word: str = "group") -> list[Change]:
    """Changes, the oldest first: one that was asked for, and its copies."""
    first = services.request_membership(
        viewer_for(site.asks.person),
        user=site.user,
        group=factories.group(site.account, word),
        do="add",
        reason="r",
        idempotency_key=word,
    )
    return [first, *(copied(first, f"{word}-{number}") for number in range(1, count))]


def copied(change: Change, key: str) -> Change:
    """A change like this one, in a set of its own, asked for now."""
    whole, whole_change = copy.copy(change.change_set), copy.copy(change)
    whole.pk = uuid.uuid4()
    whole.save(force_insert=True)
    whole_change.pk, whole_change.change_set, whole_change.idempotency_key = uuid.uuid4(), whole, key
    whole_change.requested_at = timezone.now()
    whole_change.save(force_insert=True)
    return whole_change


def test_the_list_goes_on_page_by_page(site: Site) -> None:
    made = many(site, 60)
    first = site.asker.get(reverse("changes:list"))
    assert [row["change"] for row in first.context["rows"]] == made[:9:-1]

    place = first.context["following"]
    second = site.asker.get(reverse("changes:list"), {"after": str(place)}, headers=HTMX)
    assert [row["change"] for row in second.context["rows"]] == made[9::-1]
    assert second.context["following"] is None
    assert "<html" not in second.content.decode()


def test_the_list_costs_the_same_queries_for_one_row_and_for_fifty(
    site: Site,
) -> None:
    many(site, 1)
    site.asker.get(reverse("changes:list"))
    with CaptureQueriesContext(
        connection,
    ) as queries:
        site.asker.get(reverse("changes:list"))
    many(site, 49, word="more")
    with CaptureQueriesContext(connection) as fifty:
        site.asker.get(reverse("changes:list"))
    assert len(fifty) == len(queries)
    assert len(fifty) <= 12


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("tab=waiting", 1),
        ("tab=applied", 0),
        ("tab=nonsense", 1),
        ("q=kwame", 1),
        ("q=maya", 0),
        ("q=Ines", 1),
        ("mine=1", 1),
        ("account=111111111111", 1),
        ("account=222222222222", 0),
        ("after=nonsense", 1),
    ],
)
def test_the_list_is_filtered_by_its_address(site: Site, query: str, number: int) -> None:
    site.asked()
    page = site.asker.get(f"{reverse('changes:list')}?{query}")
    assert len(page.context["rows"]) == number


def test_a_change_is_found_by_its_reference(site: Site) -> None:
    change = site.asked()
    page = site.asker.get(reverse("changes:list"), {"q": change.reference.lower()})
    assert [row["change"] for row in page.context["rows"]] == [change]


def test_hostile_names_are_shown_as_text(site: Site) -> None:
    bad = factories.group(site.account, "<script>alert(1)</script>")
    address = f"{reverse('changes:membership')}?user={site.user.pk}&group={bad.pk}&do=add"
    text = site.asker.get(address).content.decode()
    assert "<script>alert(1)" not in text
    assert "&lt;script&gt;" in text


@pytest.mark.sqlite_plan
def test_what_undid_a_change_is_found_among_the_few_that_undo(site: Site) -> None:
    assert "change_undoing" in Change.objects.filter(reverts=site.asked()).order_by("-created_at").explain()
