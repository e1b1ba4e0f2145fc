"""The pages of campaigns: what came at the end, an exception that is refused, and more campaigns than a page
has.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from iam.directory.models import Person, Role
from iam.people.campaigns.models import Campaign, CampaignEnding, CampaignState, Participant
from tests import factories

pytestmark = pytest.mark.django_db
NOW = datetime.now(tz=UTC)
DUE = NOW.date() + timedelta(days=9)


@pytest.fixture
def admin() -> Client:
    """Of Ines Duarte."""
    client = Client()
    client.force_login(factories.operator(Role.ADMINISTRATOR, name="Ines Duarte"))
    return client


def campaign(ending: CampaignEnding = CampaignEnding.NOTIFY, *, days: int = 0, **more: object) -> Campaign:
    """One of hers, begun so many days ago."""
    values: dict[str, object] = {"name": "By December", "reason": "PCI", "due": DUE, "remind": []} | more
    author = Person.objects.get(name="Ines Duarte")
    begun_at = NOW - timedelta(days=days)
    return Campaign.objects.create(ending=ending, begun_by=author, begun_at=begun_at, **values)


def shown(client: Client, campaign: Campaign) -> str:
    """Its page."""
    return client.get(f"/mfa/campaigns/{campaign.pk}/").content.decode()


@pytest.mark.parametrize(
    ("ending", "words"),
    [
        (CampaignEnding.NOTIFY, "Ines Duarte got the list of users without MFA. The campaign stays open"),
        (CampaignEnding.RESTRICT, "A policy that requires MFA was requested for users without it."),
        (CampaignEnding.DISABLE, "Deletion of the console passwords of users without MFA was requested."),
    ],
)
def test_the_page_says_what_came_at_the_end(admin: Client, ending: CampaignEnding, words: str) -> None:
    running = campaign(ending)
    assert "After the due date" in shown(admin, running)
    Campaign.objects.update(state=CampaignState.DUE)
    assert words in shown(admin, running)
    assert "After the due date" not in shown(admin, running)
    Campaign.objects.update(state=CampaignState.CLOSED, closed_at=NOW)
    assert "Closed before its due date. Nothing was requested." in shown(admin, running)


def test_an_exception_that_is_refused_keeps_what_was_typed(admin: Client) -> None:
    running = campaign()
    user = factories.user(factories.account(), "kwame", credentials={"mfa": "none", "has_password": True})
    who = Participant.objects.create(campaign=running, user=user, joined_at=NOW)
    typed = {"do": "excuse", "who": str(who.pk), "until": "2099-01-01", "why": "At sea <until> then"}
    refused = admin.post(f"/mfa/campaigns/{running.pk}/act/", typed)
    assert refused.status_code == 422
    for words in ("to a year from now", 'value="2099-01-01"', "At sea &lt;until&gt; then", 'menu" open'):
        assert words in refused.content.decode()
    noted = admin.post(f"/mfa/campaigns/{running.pk}/act/?page=2", typed | {"until": str(DUE)})
    assert noted["Location"] == f"/mfa/campaigns/{running.pk}/?page=2", "where one was in the list"
    assert "At sea &lt;until&gt; then (Ines Duarte)" in shown(admin, running)


@pytest.mark.parametrize(
    ("number", "words"), [(0, ""), (1, "1 who is no longer included"), (2, "2 who are no longer included")]
)
def test_who_has_no_password_any_more_is_counted_apart(admin: Client, number: int, words: str) -> None:
    running, account = campaign(), factories.account()
    for name, has_password in (("maya", True), *((f"gone-{place}", False) for place in range(number))):
        user = factories.user(account, name, credentials={"mfa": "virtual", "has_password": has_password})
        Participant.objects.create(campaign=running, user=user, joined_at=NOW)
    page = " ".join(shown(admin, running).split())
    assert "<strong>1 of 1</strong> enrolled" in page
    assert page.count("no longer included, deleted or") == bool(number)
    assert words in page


def test_campaigns_beyond_a_page_are_on_the_next_one(admin: Client) -> None:
    for number in range(52):
        campaign(days=number, name=f"Campaign {number:02}.")
    first = admin.get("/mfa/campaigns/").content.decode()
    assert "Campaign 49." in first
    assert "Campaign 50." not in first
    assert 'href="?page=2"' in first
    assert "Campaign 51." in admin.get("/mfa/campaigns/?page=2").content.decode()


@pytest.mark.parametrize(
    ("days", "words"),
    [(9, "9 days left"), (1, "1 day left"), (0, "Due today"), (-1, "1 day overdue"), (-3, "3 days overdue")],
)
def test_the_page_counts_the_days_before_and_after_the_due_date(admin: Client, days: int, words: str) -> None:
    due = datetime.now(tz=UTC).date() + timedelta(days=days)
    page = shown(admin, campaign(due=due, state=CampaignState.RUNNING))
    assert f'<span class="muted">{words}</span>' in page
