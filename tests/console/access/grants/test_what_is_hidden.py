"""Who sees a part of a grant learns nothing of the others: no name, no ARN, no account, in no page, search,
message or title.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from iam.access.grants.models import Grant, GrantPart, GrantState, LedgerEntry
from iam.access.grants.services.notifications import tell_began, tell_ended
from iam.access.grants.services.requests import request_grant
from iam.access.grants.terms import GrantContent, GrantTerms, WhatKind, WhoKind, WhoTerms
from iam.changes.models import Change, ChangeSet, ChangeState
from iam.guard import viewer_for
from iam.notify.models import OutgoingMessage
from tests import factories as make
from tests.console.access.grants.conftest import WRITER, Office

pytestmark = pytest.mark.django_db
OTHER = "222222222222"
SECRETS = ("tomas", "kwame", "sandbox", OTHER, "2222-2222-2222")


@pytest.fixture
def shared(office: Office) -> Grant:
    """For maya, for two people outside her team, and for one in an account that neither she nor her lead
    sees; it has ended.
    """
    sandbox = make.account(OTHER, name="sandbox", write_role_arn=WRITER.replace("111111111111", OTHER))
    office.of["tomas.there"] = make.user(sandbox, "tomas.lind")
    who = WhoTerms(
        WhoKind.USERS,
        arns=tuple(
            office.arn(user_name)
            for user_name in ("maya.okafor", "tomas.lind", "kwame.boateng", "tomas.there")
        ),
    )
    grant = request_grant(
        GrantTerms(
            who=who,
            what=GrantContent(WhatKind.STATEMENTS, documents=(json.dumps(make.ALLOW_S3),)),
            accounts=(office.account.account_id, OTHER),
            why="The audit",
            lasts=3600,
        ),
        actor=viewer_for(office.people["asker"].person),
        idempotency_key="shared",
    )
    now = datetime.now(tz=UTC)
    Grant.objects.filter(pk=grant.pk).update(state=GrantState.ENDED, begins_at=now, ends_at=now, ended_at=now)
    LedgerEntry.objects.update(since=now, until=now)
    for part in grant.parts.all():
        ending = ChangeSet.objects.create(cause_kind="grant-end", cause_id=grant.pk)
        for change in part.change_set.changes.filter(account=part.account):
            _taken(change, ending)
        GrantPart.objects.filter(pk=part.pk).update(state=GrantState.ENDED, ending_set=ending, ended_at=now)
    return Grant.objects.get(pk=grant.pk)


def _taken(change: Change, ending: ChangeSet) -> None:
    """What took it away: the same subjects, by name."""
    fields: dict[str, Any] = {
        field.attname: getattr(change, field.attname) for field in Change._meta.concrete_fields
    }
    place = ending.changes.count()
    fields |= {
        "change_set_id": ending.pk,
        "position": place,
        "idempotency_key": f"end-{change.pk}",
        "state": ChangeState.APPLIED,
        "title": f"Undo: {change.title}",
        "confirming_at": datetime.now(tz=UTC),
        "ended_at": datetime.now(tz=UTC),
        "reads": 2,
    }
    del fields["id"]
    Change.objects.create(**fields)


def texts(office: Office, client: Client, grant: Grant) -> dict[str, str]:
    """What every page about it says that somebody may open; the frame around names the accounts in which one
    has a team.
    """
    part = grant.parts.get(account=office.account)
    maya = office.of["maya.okafor"].pk
    addresses = [
        reverse("access:grants"),
        reverse("access:grant", args=[grant.pk]),
        reverse("access:grant-part", args=[grant.pk, part.pk]),
        reverse("access:person-grants", args=[maya]),
        reverse("access:my-access"),
        reverse("changes:list"),
        "/",
    ]
    seen = Change.objects.filter(entity=maya)
    addresses += [reverse("changes:change", args=[change.pk]) for change in seen]
    answers = {address: client.get(address) for address in addresses}
    return {
        address: response.content.decode().partition("<main")[2]
        for address, response in answers.items()
        if response.status_code == 200
    }


@pytest.mark.parametrize("who", ["lead", "member"])
def test_nothing_of_the_others_is_on_any_page(office: Office, shared: Grant, who: str) -> None:
    pages = texts(office, getattr(office, who), shared)
    assert reverse("access:grant", args=[shared.pk]) in pages
    for address, page in pages.items():
        for word in SECRETS:
            assert word not in page.lower(), f"{word} is on {address}"
    page = pages[reverse("access:grant", args=[shared.pk])]
    assert "Maya Okafor, and 3 outside your teams" in page
    assert "confirmed by" in page
    assert "maya.okafor" in page


def test_whoever_sees_all_reads_of_all(office: Office, shared: Grant) -> None:
    """The test above can fail: what it looks for is there for who may see it."""
    page = texts(office, office.auditor, shared)[reverse("access:grant", args=[shared.pk])]
    for word in SECRETS[:3]:
        assert word in page.lower()


@pytest.mark.parametrize("who", ["lead", "member"])
def test_a_search_finds_it_by_those_who_are_seen_only(office: Office, shared: Grant, who: str) -> None:
    client = getattr(office, who)

    def finds(text: str) -> bool:
        return shared.reference in client.get(reverse("access:grants"), {"q": text}).content.decode()

    assert finds("maya")
    for word in ("tomas", "kwame", OTHER):
        assert not finds(word), word
    assert shared.reference in office.auditor.get(reverse("access:grants"), {"q": "kwame"}).content.decode()


def test_a_part_in_an_account_that_is_not_seen_is_nowhere(office: Office, shared: Grant) -> None:
    there = shared.parts.get(account__account_id=OTHER)
    address = reverse("access:grant-part", args=[shared.pk, there.pk])
    assert office.auditor.get(address).status_code == 200
    for client in (office.lead, office.member):
        assert client.get(address).status_code == 404


def test_who_has_access_now_reads_of_their_own_account_only(office: Office, shared: Grant) -> None:
    now = datetime.now(tz=UTC)
    LedgerEntry.objects.filter(part__grant=shared).update(since=now, until=None)
    Grant.objects.filter(pk=shared.pk).update(state=GrantState.ACTIVE, ended_at=None)
    tell_began(Grant.objects.get(pk=shared.pk))
    [message] = OutgoingMessage.objects.filter(recipient=office.people["member"].person_id, channel="email")
    assert f"({office.account.name})" in message.text
    assert all(word not in f"{message.subject} {message.text}".lower() for word in SECRETS)


def test_messages_name_none_of_them(office: Office, shared: Grant) -> None:
    tell_ended(shared)
    assert OutgoingMessage.objects.filter(recipient=office.people["member"].person_id).exists()
    # Approvers see everybody in it, and the request for approval names them.
    limited = [office.people[name].person_id for name in ("member", "lead")]
    for outgoing in OutgoingMessage.objects.filter(recipient__in=limited):
        text = f"{outgoing.subject} {outgoing.text}".lower()
        assert all(word not in text for word in SECRETS), text
    assert all(
        word not in f"{message.subject} {message.body}".lower() for message in mail.outbox for word in SECRETS
    )
