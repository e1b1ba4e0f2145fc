"""Trying what failed of a grant again: who is offered it, who may, and what comes of it."""

from __future__ import annotations

import pytest
from django.urls import reverse

from iam.access.grants.models import Grant, GrantState
from iam.changes.models import Change, ChangeState
from tests import factories as make
from tests.console.access.grants import made
from tests.console.access.grants.conftest import Office
from tests.iam.changes.site import signed_in

pytestmark = pytest.mark.django_db


def failed(office: Office, *, approved: bool = True) -> Grant:
    """Of maya, who is the member; the one who asked for it is the asker."""
    receiver, asker = office.of["maya.okafor"], office.people["asker"].person
    return made.failed(office.account, receiver, asked_by=asker, approved=approved)


@pytest.mark.parametrize(
    ("who", "may"),
    [("asker", True), ("member", True), ("approver", True), ("lead", False), ("auditor", False)],
)
def test_the_button_is_there_for_whoever_may_press_it_and_for_nobody_else(
    office: Office, who: str, may: bool
) -> None:
    grant = failed(office)
    address = reverse("access:grant-retry", args=[grant.pk])
    browser = getattr(office, who)
    page = browser.get(reverse("access:grant", args=[grant.pk])).content.decode()
    assert (f'action="{address}"' in page) is may
    assert ("Retry what failed" in page) is may
    assert (browser.post(address).status_code == 302) is may
    assert Change.objects.filter(state=ChangeState.QUEUED).count() == may


def test_what_is_tried_again_is_what_was_approved_once(office: Office) -> None:
    grant = failed(office)
    address = reverse("access:grant-retry", args=[grant.pk])
    assert [office.asker.post(address).status_code for _ in range(2)] == [302, 422]
    first, again = Change.objects.order_by("created_at")
    assert (again.state, again.params) == (ChangeState.QUEUED, first.params)
    grant.refresh_from_db()
    assert grant.state == GrantState.APPLYING
    page = office.asker.get(reverse("access:grant", args=[grant.pk])).content.decode()
    assert "Ines Duarte retried what failed" in page
    assert address not in page


def test_nothing_is_offered_where_nothing_can_be_tried(office: Office) -> None:
    unapproved, over = failed(office, approved=False), failed(office)
    Grant.objects.filter(pk=over.pk).update(ends_at=over.created_at)
    for grant in (unapproved, over):
        address = reverse("access:grant-retry", args=[grant.pk])
        page = office.asker.get(reverse("access:grant", args=[grant.pk])).content.decode()
        assert address not in page
        assert office.asker.post(address).status_code == 422
    assert not Change.objects.filter(state=ChangeState.QUEUED).exists()


def test_a_refusal_is_told_on_its_page_and_nothing_is_tried(office: Office) -> None:
    grant = failed(office)
    type(office.account).objects.filter(pk=office.account.pk).update(write_role_arn="")
    answer = office.asker.post(reverse("access:grant-retry", args=[grant.pk]))
    assert answer.status_code == 422
    assert "read-only" in answer.content.decode()
    grant.refresh_from_db()
    assert (grant.state, Change.objects.count()) == (GrantState.FAILED, 1)


def test_an_approver_of_one_account_does_not_try_it_in_all(office: Office) -> None:
    grant = failed(office)
    other = make.account("222222222222", name="staging")
    grant.parts.create(account=other, lane=1, way="attach", change_set=grant.parts.get().change_set)
    person = make.operator(None, name="Ada Lund")
    make.assign(person.person, "approver", account_id=office.account.account_id)
    assert signed_in(person).post(reverse("access:grant-retry", args=[grant.pk])).status_code == 404
