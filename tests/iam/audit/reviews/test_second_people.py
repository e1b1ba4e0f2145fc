"""A decision that waits for a second person names who that can be, or says how to get one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from iam.audit.findings.calculation import calculate
from iam.audit.frameworks import assessment
from iam.audit.reviews.models import ReviewCampaign
from iam.audit.reviews.sign_off import acknowledge, who_can_acknowledge, why_not_acknowledge
from iam.directory.models import Person, Role
from iam.guard import viewer_for
from iam.people.runs.models import RunState
from tests import factories
from tests.iam.audit.reviews import made
from tests.iam.audit.reviews.test_outcomes import signed

pytestmark = [pytest.mark.on_both, pytest.mark.django_db(transaction=True)]
NOBODY = "No one can acknowledge it yet"


def _page(person: Person, campaign: ReviewCampaign) -> str:
    operator = factories.operator(None, name=f"sign-in of {person.name}")
    operator.person = person
    operator.save()
    client = Client()
    client.force_login(operator)
    return client.get(reverse("reviews:campaign", args=[campaign.pk])).content.decode()


def test_who_can_acknowledge_is_named() -> None:
    world = made.world()
    campaign = signed(world)
    assert [person.name for person in who_can_acknowledge(campaign)] == ["Hana"]
    page = _page(Person.objects.get(name="Maya"), campaign)
    assert "Waiting for Hana" in " ".join(page.split())
    assert NOBODY not in page


def test_a_single_operator_is_led_to_somebody_else() -> None:
    """No dead end: the page says why and leads to the form, and who is added there can acknowledge."""
    world = made.world()
    campaign = signed(world)
    Person.objects.filter(name="Hana").update(is_active=False)
    assert who_can_acknowledge(campaign) == []
    page = _page(Person.objects.get(name="Maya"), campaign)
    assert NOBODY in page
    assert reverse("operator-new") in page
    manager = made.person("Manager", Role.APPROVER)
    assert [person.name for person in who_can_acknowledge(campaign)] == ["Manager"]
    assert why_not_acknowledge(campaign, viewer_for(manager)) == ""
    acknowledge(campaign, is_accepted=True, note="", actor=viewer_for(manager), now=datetime.now(tz=UTC))
    campaign.refresh_from_db()
    assert campaign.state == RunState.DONE


def test_an_approver_of_another_account_is_not_named() -> None:
    world = made.world()
    campaign = signed(world)
    Person.objects.filter(name="Hana").delete()
    made.person("Elsewhere", Role.APPROVER, account="222222222222")
    assert who_can_acknowledge(campaign) == []


def test_a_requirement_says_who_approves_or_that_nobody_can() -> None:
    account = factories.account()
    factories.synced(account)
    factories.user(account, "shared-ops", credentials={"mfa": "none"})
    calculate(account)
    assessment.assess_due()
    client = Client()
    client.force_login(factories.operator(Role.ADMINISTRATOR))
    row = reverse("compliance:requirement", args=["pci-dss-4.0.1", "8.2.2"])
    until = f"{datetime.now(tz=UTC) + timedelta(days=30):%Y-%m-%d}"
    fields = {"kind": "exception", "reason": "Looked at the device policy.", "until": until}
    assert client.post(f"{row}decide/", fields).status_code == 302
    page = client.get(row).content.decode()
    assert "No one can decide about it yet" in page
    assert reverse("operator-new") in page
    made.person("Hana", Role.APPROVER)
    assert "Waiting for Hana" in " ".join(client.get(row).content.decode().split())


def test_a_campaign_that_runs_says_nothing_of_it() -> None:
    world = made.world()
    campaign = signed(world)
    ReviewCampaign.objects.filter(pk=campaign.pk).update(state=RunState.RUNNING)
    campaign.refresh_from_db()
    assert NOBODY not in _page(Person.objects.get(name="Maya"), campaign)
