"""Preview, confirmation, grant page and list say the same effect and the same end."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.urls import reverse

from console.access.grants.effect_blocks import end_of
from iam.access.drafts.models import GrantDraft
from iam.access.grants.models import Grant, GrantState
from iam.changes import notifications
from iam.changes.models import Change, ChangeSet
from iam.notify.models import OutgoingMessage
from tests.console.access.grants import made
from tests.console.access.grants.conftest import Office, at
from tests.console.access.grants.test_preview import whole

pytestmark = pytest.mark.django_db
SAYS = "Read objects in s3://pay-ledger"


def text_of(page: bytes) -> str:
    """The words of a page, on one line."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page.decode())).split())


def test_each_page_says_what_is_given_where_and_until_when(office: Office) -> None:
    pk = whole(office)
    pages = [office.asker.get(at("preview", pk))]
    office.asker.post(at("preview", pk))
    grant = Grant.objects.get()
    pages += [
        office.asker.get(at("done", pk)),
        office.asker.get(reverse("access:grant", args=[grant.pk])),
        office.approver.get(reverse("access:grant", args=[grant.pk])),
    ]
    for page in pages:
        words = text_of(page.content)
        assert "In production for 8 hours after approval" in words
        assert "Read" in words.partition("In production for 8 hours after approval")[2][:200]
    line = next(line.text for line in pages[0].context["effect_blocks"][0].lines)
    for page in pages:
        assert line in text_of(page.content)
    assert line in text_of(office.asker.get("/grants/").content)


def test_a_request_names_no_date_for_an_end_that_its_approval_sets(office: Office) -> None:
    pk = whole(office)
    office.asker.post(at("preview", pk))
    change = Change.objects.get(position=0)
    ends_on = Grant.objects.get().ends_at
    assert ends_on
    for client, address in (
        (office.asker, reverse("changes:request", args=[change.pk])),
        (office.asker, reverse("changes:list")),
        (office.asker, "/"),
        (office.approver, reverse("changes:approvals")),
        (office.approver, reverse("changes:request", args=[change.pk])),
    ):
        words = text_of(client.get(address).content)
        assert "in production, for 8 hours after approval" in words, address
        assert f"until {ends_on:%-d %b}" not in words, address
    mails = " ".join(OutgoingMessage.objects.values_list("text", flat=True))
    assert "(production) for 8 hours after approval" in mails


def test_a_member_reads_it_without_the_words_of_iam(office: Office) -> None:
    pk = whole(office)
    office.asker.post(at("preview", pk))
    grant = Grant.objects.get()
    exact = office.asker.get(reverse("access:grant", args=[grant.pk])).context["effect_blocks"][0].lines
    assert any("s3:" in line.text or "s3:" in line.names for line in exact)


def test_the_request_and_its_mails_have_the_words_of_the_preview(office: Office) -> None:
    statement = {"Effect": "Allow", "Action": "budgets:DescribeBudgetActionsForAccount", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    body = {
        "kind": "users",
        "who": {"users": {"arns": [office.arn("maya.okafor")]}},
        "what": {"kind": "statements", "documents": [document]},
        "ends": "8h",
        "why": "Settles the quarter",
    }
    for reader, client in (("member", office.member), ("asker", office.asker)):
        pk = GrantDraft.objects.create(person_id=office.people[reader].person_id, body=body).pk
        preview = client.get(at("preview", pk))
        line = preview.context["effect_blocks"][0].lines[0]
        words = line.plain if preview.context["effect_is_plain"] else line.text
        assert (":" in words) is (reader == "asker")
        client.post(at("preview", pk))
        grant = Grant.objects.latest("created_at")
        change = Change.objects.filter(change_set__cause_id=grant.pk).earliest("position")
        shown = client.get(reverse("changes:request", args=[change.pk]), follow=True).context["blocks"]
        assert shown[0].what == (words,)
        assert words in text_of(client.get(reverse("changes:list")).content)
        person = office.people[reader].person
        OutgoingMessage.objects.all().delete()
        Change.objects.filter(change_set=change.change_set).update(state="applied")
        change.refresh_from_db()
        notifications.tell_end(change)
        mail = OutgoingMessage.objects.get(recipient=str(person.pk))
        assert words in mail.text


@pytest.mark.parametrize(
    ("state", "ends_in", "words"),
    [
        (GrantState.ACTIVE, None, "permanently"),
        (GrantState.WAITING, timedelta(hours=8), "for 8 hours after approval"),
        (GrantState.REJECTED, timedelta(hours=8), "for 8 hours after approval"),
        (GrantState.WAITING, None, "permanently"),
    ],
)
def test_an_end_without_a_date_is_said_in_the_same_words_everywhere(
    office: Office, state: GrantState, ends_in: timedelta | None, words: str
) -> None:
    grant = made.grant(
        office.account,
        office.of["tomas.lind"],
        asked_by=office.people["asker"].person,
        state=state,
        ends_in=ends_in,
    )
    assert end_of(grant).words == words
    for address in (reverse("access:grant", args=[grant.pk]), "/grants/"):
        assert words.lower() in text_of(office.asker.get(address).content).lower()


def test_a_request_that_undoes_an_ending_says_when_the_grant_ends(office: Office) -> None:
    from iam.changes.approval import ends

    grant = made.grant(
        office.account,
        office.of["tomas.lind"],
        asked_by=office.people["asker"].person,
        state=GrantState.ENDED,
    )
    Grant.objects.filter(pk=grant.pk).update(ends_at=datetime(2026, 12, 5, 12, tzinfo=UTC))
    taken = made.change(grant, cause_kind="grant-end")
    undo = made.change(grant, cause_kind="", reverts=taken)
    assert ends.end_of(undo.change_set) == datetime(2026, 12, 5, 12, tzinfo=UTC)
    assert ends.end_of(ChangeSet.objects.create()) is None
