"""The page of a membership: who may see it, what it shows, and what sending it does."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from iam.changes.models import Change, ChangeState
from iam.directory.models import Role
from iam.mirror.models import EdgeKind
from tests import factories
from tests.iam.changes.site import HTMX, Site, page_of, signed_in


def test_the_preview_shows_the_policies_the_calls_and_who_approves(site: Site) -> None:
    text = site.asker.get(site.address()).content.decode()

    assert "Add kwame.boateng to deployers" in text
    assert "PaymentsDeploy" in text
    assert "iam:AddUserToGroup" in text
    assert "aws iam add-user-to-group --group-name deployers --user-name kwame.boateng" in text
    assert "add_user_to_group(" in text
    assert "--aws-sigv4" in text
    assert "1 of 10" in text
    assert "Hana Sato" in text


def test_sending_the_form_asks_and_leads_to_the_change(site: Site) -> None:
    answer = site.post(site.asker)

    change = Change.objects.get()
    assert answer.status_code == 302
    assert answer.url == page_of(change)
    assert (change.state, change.reason, change.requested_label) == (
        ChangeState.AWAITING,
        "On call",
        "Ines Duarte",
    )


def test_the_form_sent_twice_leads_to_the_same_change(site: Site) -> None:
    key = str(uuid.uuid4())
    assert site.post(site.asker, key=key).url == site.post(site.asker, key=key).url
    assert Change.objects.count() == 1


def test_a_form_without_a_reason_comes_back_with_what_is_wrong(site: Site) -> None:
    answer = site.post(site.asker, reason=" ")

    assert answer.status_code == 422
    assert "Enter a reason" in answer.content.decode()
    assert 'aria-invalid="true"' in answer.content.decode()
    assert not Change.objects.exists()


def test_what_cannot_be_asked_for_is_said_and_has_no_button(site: Site) -> None:
    factories.edge(EdgeKind.MEMBER, site.user, site.group)
    text = site.asker.get(site.address()).content.decode()

    assert "is already in deployers" in text
    assert "Ask for approval" not in text


def test_what_is_asked_for_already_leads_there(site: Site) -> None:
    change = site.asked()
    text = site.asker.get(site.address()).content.decode()

    assert page_of(change) in text


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.MEMBER, None])
def test_who_may_not_ask_finds_no_membership_page(site: Site, role: Role | None) -> None:
    client = signed_in(factories.operator(role, name="Somebody Else"))
    assert client.get(site.address()).status_code == 404
    assert site.post(client).status_code == 404


def test_nobody_gets_anywhere_without_signing_in(site: Site) -> None:
    change = site.asked()
    for name in ("list", "approvals", "membership"):
        assert Client().get(reverse(f"changes:{name}")).status_code == 302
    for name in ("change", "decide", "withdraw", "refresh", "undo"):
        answer = Client().get(reverse(f"changes:{name}", args=[change.pk]))
        assert answer.status_code == 302
        assert "sign-in" in answer.url


def test_a_group_is_chosen_for_a_person(site: Site) -> None:
    factories.group(site.account, "auditors")
    factories.edge(EdgeKind.MEMBER, site.user, factories.group(site.account, "already-in"))
    address = f"{reverse('changes:membership')}?user={site.user.pk}&do=add"

    text = site.asker.get(address).content.decode()
    assert "deployers" in text
    assert "auditors" in text
    assert "already-in" not in text

    page = site.asker.get(f"{address}&q=audit", headers=HTMX).content.decode()
    assert "auditors" in page
    assert "deployers" not in page
    assert "<html" not in page


def test_a_person_is_chosen_for_a_group(site: Site) -> None:
    factories.user(site.account, "maya.okafor")
    factories.edge(EdgeKind.MEMBER, site.user, site.group)
    address = f"{reverse('changes:membership')}?group={site.group.pk}"

    adding = site.asker.get(f"{address}&do=add").content.decode()
    removing = site.asker.get(f"{address}&do=remove").content.decode()

    assert "maya.okafor" in adding
    assert "kwame.boateng" not in adding
    assert "kwame.boateng" in removing
    assert "maya.okafor" not in removing


@pytest.mark.parametrize("pk", ["0", "x", "-1", "99999999999999999999"])
def test_a_membership_of_an_unknown_user_is_404(site: Site, pk: str) -> None:
    assert site.asker.get(f"{reverse('changes:membership')}?user={pk}").status_code == 404


def test_the_past_cannot_be_changed(site: Site) -> None:
    yesterday = (datetime.now(tz=UTC) - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    text = site.asker.get(f"{site.address()}&as-of={yesterday}").content.decode()
    assert "The past cannot be changed" in text
    assert "Ask for approval" not in text

    change = site.asked()
    then = f"{page_of(change)}?as-of={yesterday}"
    assert "Your decision" not in site.approver.get(then).content.decode()
    assert "Withdraw" not in site.asker.get(then).content.decode()
    answer = site.approver.post(
        f"{reverse('changes:decide', args=[change.pk])}?as-of={yesterday}", {"decision": "approve"}
    )
    assert answer.status_code == 404
