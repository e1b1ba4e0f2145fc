"""A large grant in the browser: its page answers at once, shows how it is prepared, and says what to do where
it cannot be; and asking again.
"""

from __future__ import annotations

from uuid import UUID

import pytest
from django.urls import reverse

from iam.access.drafts.models import GrantDraft
from iam.access.grants.models import Grant, GrantState
from iam.access.grants.services import large_requests, requests
from iam.mirror.models import Account
from tests import factories as make
from tests.console.access.grants import made
from tests.console.access.grants.conftest import HTMX, READ_ONLY, Office, at

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft(office: Office) -> UUID:
    """Of READ_ONLY for the same name in more accounts than a page waits for, agreed to end only while
    Gatehouse runs.
    """
    arns = []
    for place in range(large_requests.MAX_ACCOUNTS_AT_ONCE + 1):
        number = f"{300_000_000_000 + place}"
        role = f"arn:aws:iam::{number}:role/gatehouse-writer"
        account = make.account(number, name=f"unit-{place}", write_role_arn=role)
        arns.append(make.user(account, "ama").arn)
    return office.draft(
        kind="users",
        who={"users": {"kind": "users", "arns": arns}},
        what={"kind": "managed", "policy_arn": READ_ONLY},
        ends="8h",
        why="The migration",
    )


def submitted(office: Office, draft: UUID, **fields: str) -> Grant:
    answer = office.asker.post(at("preview", draft), {"accepts": "1"} | fields)
    assert (answer.status_code, answer["Location"]) == (302, at("done", draft))
    return Grant.objects.get()


def test_the_page_plans_nothing_and_shows_how_it_stands_until_it_waits(
    office: Office, draft: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(requests, "plan_parts", None)
        grant = submitted(office, draft)
        page = office.asker.get(at("done", draft)).content.decode()
    assert "Preparing" in page
    assert "Planning for 6 accounts" in page
    assert 'hx-trigger="every 1s"' in page
    row = office.asker.get("/grants/", {"tab": "waiting"}).content.decode()
    assert "6 accounts" in row
    seen = office.asker.get(at("done", draft)).context["version"]
    assert office.asker.get(at("done", draft), {"seen": seen}, headers=HTMX).status_code == 204
    large_requests.prepare(grant.pk)
    after = office.asker.get(at("done", draft), {"seen": seen}, headers=HTMX)
    assert "Waiting for approval" in after.content.decode()
    assert "unit-0" in office.approver.get(reverse("access:grant", args=[grant.pk])).content.decode()


def test_why_a_large_request_cannot_be_made_is_said_and_can_be_changed(office: Office, draft: UUID) -> None:
    grant = submitted(office, draft)
    Account.objects.filter(name="unit-3").update(write_role_arn="")
    large_requests.prepare(grant.pk)
    page = office.asker.get(reverse("access:grant", args=[grant.pk])).content.decode()
    assert "This couldn’t be submitted in any account" in page
    assert "unit-3: unit-3 is read-only" in page
    assert "hx-trigger" not in page.partition('id="live"')[2].partition(">")[0]
    answer = office.asker.post(reverse("access:grant-again", args=[grant.pk]))
    again = GrantDraft.objects.exclude(pk=draft).get()
    assert answer["Location"] == at("preview", again.pk)
    first = GrantDraft.objects.get(pk=draft).body
    assert {name: again.body[name] for name in ("kind", "what", "ends", "why")} == {
        name: first[name] for name in ("kind", "what", "ends", "why")
    }
    assert "unit-3 is read-only" in office.asker.get(at("preview", again.pk)).content.decode()


def test_a_large_request_can_be_withdrawn_while_it_is_prepared(office: Office, draft: UUID) -> None:
    grant = submitted(office, draft)
    assert office.approver.post(reverse("access:grant-withdraw", args=[grant.pk])).status_code == 404
    office.asker.post(reverse("access:grant-withdraw", args=[grant.pk]))
    large_requests.prepare(grant.pk)
    grant.refresh_from_db()
    assert (grant.state, grant.parts.count()) == (GrantState.WITHDRAWN, 0)


@pytest.mark.parametrize("state", [GrantState.REJECTED, GrantState.ENDED])
def test_what_is_over_is_asked_for_again_by_whoever_asked(office: Office, state: GrantState) -> None:
    grant = made.grant(
        office.account, office.of["maya.okafor"], asked_by=office.people["asker"].person, state=state
    )
    address = reverse("access:grant-again", args=[grant.pk])
    assert address in office.asker.get(reverse("access:grant", args=[grant.pk])).content.decode()
    assert address not in office.approver.get(reverse("access:grant", args=[grant.pk])).content.decode()
    assert office.approver.post(address).status_code == 404
    office.asker.post(address)
    draft = GrantDraft.objects.get()
    assert (draft.body["why"], draft.body["ends"]) == ("The audit of the quarter", "8h")


def test_a_grant_that_is_active_is_not_requested_again(office: Office) -> None:
    grant = made.grant(office.account, office.of["maya.okafor"], asked_by=office.people["asker"].person)
    assert office.asker.post(reverse("access:grant-again", args=[grant.pk])).status_code == 404
    assert not GrantDraft.objects.exists()


def test_what_was_withdrawn_says_by_whom_and_that_nothing_was_given(office: Office) -> None:
    draft = office.draft(
        kind="users",
        who={"users": {"kind": "users", "arns": [office.arn("maya.okafor")]}},
        what={"kind": "managed", "policy_arn": READ_ONLY},
        ends="never",
        why="On call",
    )
    office.asker.post(at("preview", draft))
    grant = Grant.objects.get()
    address = reverse("access:grant", args=[grant.pk])
    assert "Not yet" in office.asker.get(address).content.decode()
    office.asker.post(reverse("access:grant-withdraw", args=[grant.pk]))
    page = office.asker.get(address).content.decode()
    assert "Ines Duarte withdrew it" in page
    assert "Never given" in page
    assert "Not yet" not in page
