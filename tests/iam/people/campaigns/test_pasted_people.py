"""A campaign for the people of a pasted list: every way to name somebody, ambiguous names chosen at the
review, wrong names block no one.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from iam.directory.models import Identity, Role
from iam.guard import viewer_for
from iam.mirror.models import Entity
from iam.people.campaigns.models import Campaign
from iam.people.campaigns.services import enlist
from tests import factories

pytestmark = pytest.mark.django_db
PASSWORD = {"has_password": True, "mfa": "none"}


@pytest.fixture
def users() -> dict[str, Entity]:
    account = factories.account(write_role_arn="arn:aws:iam::111111111111:role/w")
    other = factories.account("222222222222", name="data", write_role_arn="arn:aws:iam::222222222222:role/w")
    users = {
        "maya": factories.user(account, "maya.okafor", credentials=PASSWORD),
        "maya data": factories.user(other, "mo", credentials=PASSWORD),
        "jonas": factories.user(account, "jonas", credentials=PASSWORD),
        "jonas data": factories.user(other, "jonas", credentials=PASSWORD),
        "noor": factories.user(account, "noor.amin", credentials=PASSWORD),
        "machine": factories.user(account, "ci", credentials={"has_password": False, "mfa": "none"}),
    }
    maya = factories.person("Maya Okafor", email="maya@example.com")
    for name in ("maya", "maya data"):
        Identity.objects.create(person=maya, user_arn=users[name].arn)
    return users


@pytest.fixture
def client() -> Client:
    browser = Client()
    browser.force_login(factories.operator(Role.ADMINISTRATOR))
    return browser


def post(client: Client, people: str, do: str, **more: Any) -> Any:
    due = (datetime.now(tz=UTC) + timedelta(days=20)).date().isoformat()
    data = {
        "name": "MFA for some",
        "place": "all",
        "due": due,
        "remind": "7",
        "ending": "notify",
        "reason": "PCI",
    }
    return client.post(reverse("mfa:campaign-begin"), data | {"people": people, "do": do} | more)


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def names(campaign: Campaign) -> set[str]:
    return set(campaign.participants.values_list("user__name", flat=True))


def test_a_person_takes_part_with_all_their_users_and_a_wrong_name_is_left_out_and_said(
    client: Client, users: dict[str, Entity]
) -> None:
    review = post(client, "Maya Okafor, noor.amin\nnobody.here; ci", "review")
    assert "matches nobody.here, ci. These names are left out" in text(review)
    assert "3 IAM users take part" in text(review)
    assert not Campaign.objects.exists()
    assert post(client, "Maya Okafor, noor.amin\nnobody.here; ci", "start").status_code == 302
    assert names(Campaign.objects.get()) == {"maya.okafor", "mo", "noor.amin"}


def test_an_ambiguous_name_is_chosen_at_the_review(client: Client, users: dict[str, Entity]) -> None:
    review = text(post(client, "jonas", "review"))
    assert "<strong>jonas</strong> can mean:" in review
    assert "Choose at least one person" in review
    assert post(client, "jonas", "start").status_code == 422
    assert post(client, "jonas", "start", pick=[users["jonas data"].pk]).status_code == 302
    campaign = Campaign.objects.get()
    assert [participant.user for participant in campaign.participants.all()] == [users["jonas data"]]


def test_no_match_at_all_is_said_at_the_field_and_the_list_is_kept(
    client: Client, users: dict[str, Entity]
) -> None:
    answer = post(client, "nobody.here", "review")
    assert answer.status_code == 422
    assert "None of these names matches" in text(answer)
    assert "nobody.here</textarea>" in text(answer)


def test_who_comes_later_does_not_join_a_campaign_of_a_list(client: Client, users: dict[str, Entity]) -> None:
    post(client, "noor.amin", "start")
    campaign = Campaign.objects.get()
    factories.user(users["noor"].account, "late", credentials=PASSWORD)
    assert enlist(campaign, viewer=viewer_for(campaign.begun_by)) == 1
    page = text(client.get(reverse("mfa:campaign", args=[campaign.pk])))
    assert "1 IAM user of a list" in page
