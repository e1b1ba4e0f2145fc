"""The pages of a suspension: one click with a reason, what they claim of the access, and its review."""

from __future__ import annotations

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse

from console.offboarding.suspend import confirmed_text
from iam.changes.models import Change
from iam.mirror.models import Entity
from iam.people.offboarding.models import OffboardingStage
from iam.people.offboarding.suspension_decisions import CUT
from tests import factories
from tests.console import offboarding

pytestmark = pytest.mark.django_db


def test_suspend_now_takes_a_reason_and_one_click(admin: Client, user: Entity) -> None:
    begin = admin.get(f"{reverse('offboarding:begin')}?user={user.pk}").content.decode()
    address = f"{reverse('offboarding:suspend')}?user={user.pk}"
    assert f'formaction="{address}"' in begin
    assert "Denies them everything" in admin.get(address).content.decode()
    refused = admin.post(address, {"reason": " ", "key": "k"})
    assert refused.status_code == 422
    page = refused.content.decode()
    assert 'aria-invalid="true"' in page
    assert "Enter a reason." in page
    assert page.count("The approver and the auditor read it.") == 1, "the hint is not repeated by the error"
    assert not Change.objects.exists()
    places = {admin.post(address, {"reason": "Stolen laptop", "key": "k"})["Location"] for _ in range(2)}
    assert len(places) == 1
    live = admin.get(places.pop()).content.decode()
    assert "Suspend maya.okafor" in live
    assert set(Change.objects.values_list("state", flat=True)) == {"queued"}
    again = admin.get(address).content.decode()
    assert "There is nothing to suspend" in again


def test_a_review_of_a_suspension_leads_to_the_page_where_it_is_confirmed(
    admin: Client, user: Entity
) -> None:
    address = f"{reverse('offboarding:suspend')}?user={user.pk}"
    place = admin.post(address, {"reason": "Stolen laptop", "key": "k"})["Location"]
    review = reverse("changes:review", args=[Change.objects.get(position=0).pk])
    run = admin.get(review)["Location"]
    assert admin.get(run)["Location"] == place


@pytest.mark.parametrize(
    ("unseen", "differs", "words"),
    [
        (0, [], "maya.okafor can’t do anything in AWS."),
        (1, [], "The IAM users below can’t do anything in AWS."),
        (0, ["Has a password again."], "AWS shows access again"),
    ],
)
def test_a_suspension_claims_nothing_about_access_that_it_leaves(
    user: Entity, unseen: int, differs: list[str], words: str
) -> None:
    leaver = offboarding.left(user, factories.person("Hana Sato"), stage=OffboardingStage.SUSPENDED)
    leaver.unseen = unseen
    claim = render_to_string("offboarding/_denied.html", {"leaver": leaver, "differs": differs})
    assert words in claim
    assert claim.count("can’t do anything") == (not differs)


@pytest.mark.parametrize(
    ("stage", "is_cut"), [(OffboardingStage.SUSPENDED, True), (OffboardingStage.RETURNED, False)]
)
def test_a_suspension_whose_access_is_back_is_reviewed_and_not_confirmed(
    user: Entity, stage: OffboardingStage, is_cut: bool
) -> None:
    leaver = offboarding.left(user, factories.person("Hana Sato"), stage=stage)
    context = {"leaver": leaver, "run": leaver.run, "may_confirm": True, "is_cut": stage in CUT}
    card = " ".join(render_to_string("offboarding/_confirm.html", context).split())
    assert ("Confirm suspension" in card) == ("Restore access now" in card) == is_cut
    assert ("Status now: access restored." in card) == ("Mark as reviewed" in card) == (not is_cut)
    assert ("stays in force" in confirmed_text(leaver)) == is_cut
