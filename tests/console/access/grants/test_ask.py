"""Ask for access: a message becomes an address, an answer and a draft; members ask for themselves only;
nothing pasted is kept.
"""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from django.urls import reverse

from iam.access.drafts.models import GrantDraft
from iam.access.grants.models import Grant, GrantState
from tests import factories as make
from tests.console.access.grants import made
from tests.console.access.grants.conftest import LEDGER, NUMBER, Office

pytestmark = pytest.mark.django_db
ASK = "/ask/"


def message(arn: str, *, why: str = "because no identity-based policy allows the s3:GetObject action") -> str:
    return (
        "An error occurred (AccessDenied) when calling the GetObject operation: User: "
        f"{arn} is not authorized to perform: s3:GetObject on resource: {LEDGER} {why}"
    )


def test_a_message_becomes_an_address_without_the_message(office: Office) -> None:
    secret = "AKIAIOSFODNN7EXAMPLE"
    answer = office.member.post(ASK, {"message": f"{secret} {message(office.arn('maya.okafor'))}"})
    assert answer.status_code == 302
    assert secret not in answer["Location"]
    page = office.member.get(answer["Location"]).content.decode()
    assert "Nothing that you hold allows it" in page
    assert "The smallest permission that helps" in page
    assert secret not in page


def test_what_is_proposed_becomes_a_draft_about_oneself(office: Office) -> None:
    form = {"do": "ask", "action": "s3:GetObject", "resource": LEDGER, "ends": "1h", "why": "The audit"}
    answer = office.member.post(ASK, form)
    draft = GrantDraft.objects.get()
    assert answer["Location"] == reverse("access:grant-preview", args=[draft.pk])
    assert draft.body["who"] == {"users": {"arns": [office.arn("maya.okafor")]}}
    statement = json.loads(draft.body["what"]["documents"][0])["Statement"]
    assert statement == [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": LEDGER}]
    page = office.member.get(answer["Location"]).content.decode()
    assert "Submit request" in page
    assert "Hana Sato" in page


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"why": ""}, "Enter a reason. The approver"),
        ({"why": "x" * 1001}, "1,001 characters"),
        ({"ends": "", "until": ""}, "Choose a duration"),
        ({"ends": "date", "until": "tomorrow"}, "Enter the end as a date"),
        ({"action": "s3:*"}, "one full action"),
        ({"action": "nonsense"}, "aria-invalid"),
        ({"resource": ""}, "name the resource"),
        ({"resource": "<b>"}, 'id="resource-error"'),
    ],
)
def test_what_is_missing_is_said_and_nothing_lost(office: Office, change: dict[str, str], words: str) -> None:
    form = {"do": "ask", "action": "s3:GetObject", "resource": LEDGER, "ends": "1h", "why": "The audit"}
    answer = office.member.post(ASK, form | change)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert words in page
    assert "<b>" not in page
    assert not GrantDraft.objects.exists()


def test_a_member_asks_for_nobody_else(office: Office) -> None:
    form = {
        "do": "ask",
        "action": "s3:GetObject",
        "resource": LEDGER,
        "principal": office.arn("tomas.lind"),
        "user": str(office.of["tomas.lind"].pk),
        "ends": "1h",
        "why": "x",
    }
    answer = office.member.post(ASK, form)
    assert answer.status_code == 422
    assert "This message isn’t about your own AWS user" in answer.content.decode()
    session = f"arn:aws:sts::{NUMBER}:assumed-role/app/maya"
    page = office.member.get(ASK, {"action": "s3:GetObject", "resource": LEDGER, "principal": session})
    assert "You were using the role app" in page.content.decode()
    assert not GrantDraft.objects.exists()


def test_a_lead_asks_for_people_of_the_team_and_learns_nothing_of_others(office: Office) -> None:
    query = {"action": "s3:GetObject", "resource": LEDGER}
    own = office.lead.get(ASK, query | {"principal": office.arn("maya.okafor")}).content.decode()
    assert "Nothing that they hold allows it" in own
    other = office.lead.get(ASK, query | {"principal": office.arn("tomas.lind")}).content.decode()
    nobody = office.lead.get(ASK, query | {"principal": "ghost"}).content.decode()
    assert "No one in your teams matches." in other
    assert "No one in your teams matches." in nobody


def test_an_administrator_asks_for_the_role_behind_a_session(office: Office) -> None:
    form = {
        "do": "ask",
        "action": "s3:GetObject",
        "resource": LEDGER,
        "principal": f"arn:aws:sts::{NUMBER}:assumed-role/app/i-1",
        "ends": "1h",
        "why": "x",
    }
    assert office.asker.post(ASK, form).status_code == 302
    assert GrantDraft.objects.get().body["who"] == {"role": {"arns": [office.arn("app")]}}


def test_a_deny_says_that_no_grant_lifts_it(office: Office) -> None:
    make.inline(
        office.of["maya.okafor"],
        "NoLedger",
        body={"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]},
    )
    page = office.member.get(ASK, {"action": "s3:GetObject", "resource": LEDGER}).content.decode()
    assert "A grant can’t solve this" in page
    assert "NoLedger" not in page
    assert "The smallest permission that helps" not in page


def test_an_auditor_looks_and_cannot_ask(office: Office) -> None:
    page = office.auditor.get(ASK, {"action": "s3:GetObject", "resource": LEDGER})
    assert "You have no AWS user yet." in page.content.decode()


def test_a_call_of_many_services_is_chosen_from_their_actions(office: Office) -> None:
    text = "An error occurred (AccessDenied) when calling the TagResource operation: Access Denied"
    answer = office.member.post(ASK, {"message": text})
    assert answer.status_code == 200
    page = " ".join(answer.content.decode().split())
    assert "The message doesn’t name the service. Choose the action:" in page
    assert len(re.findall(r"<code>[\w-]+:TagResource</code>", page)) == 20
    assert re.search(r"and \d+ more. If yours isn’t listed, enter it below.", page)


@pytest.mark.parametrize("text", ["", "hello", "<script>alert(1)</script>", "x" * 50_000])
def test_what_is_no_message_is_answered_with_what_to_paste(office: Office, text: str) -> None:
    answer = office.member.post(ASK, {"message": text})
    assert answer.status_code == 422
    assert "<script>alert" not in answer.content.decode()


def test_choosing_from_a_list_begins_with_oneself(office: Office) -> None:
    answer = office.member.post(reverse("access:ask-from-template"), {"user": "999"})
    draft = GrantDraft.objects.get()
    assert answer["Location"] == reverse("access:grant-what", args=[draft.pk])
    page = office.member.get(answer["Location"])
    assert page.status_code == 200
    assert "Request access" in page.content.decode()
    assert office.member.get(reverse("access:grant-who", args=[draft.pk])).status_code == 404


def test_what_is_asked_for_most_is_a_click_away(office: Office) -> None:
    person = office.people["asker"].person
    for slug, times in (("read-bucket", 2), ("on-call", 1), ("gone-long-ago", 5)):
        for _ in range(times):
            made.grant(office.account, office.of["maya.okafor"], asked_by=person, template=slug)
    page = office.member.get("/ask/")
    assert [offer.slug for offer, _ in page.context["often"]] == ["read-bucket", "on-call"]
    assert "Up to 90 days." in page.content.decode()
    answer = office.member.post("/ask/choose/", {"template": "read-bucket"})
    shown = office.member.get(answer["Location"]).content.decode()
    assert re.search(r'value="read-bucket"[^>]* checked', shown)
    plain = office.member.post("/ask/choose/", {"template": "no-such-template"})
    assert not re.search(
        r'name="what-template"[^>]* checked', office.member.get(plain["Location"]).content.decode()
    )


def test_my_access_tells_what_was_declined_of_late(office: Office) -> None:
    user, person = office.of["maya.okafor"], office.people["member"].person
    made.grant(office.account, user, asked_by=person, state=GrantState.REJECTED, title="Read the ledger")
    old = made.grant(office.account, user, asked_by=person, state=GrantState.EXPIRED, title="Long ago")
    Grant.objects.filter(pk=old.pk).update(created_at=old.created_at - timedelta(days=20))
    page = office.member.get("/my-access/").content.decode()
    asked = page.partition("My requests</h2>")[2].partition("</section>")[0]
    assert "Read the ledger" in asked
    assert "Rejected" in asked
    assert "Long ago" not in page


@pytest.mark.parametrize(
    ("tab", "says"), [("failed", "No failed grants."), ("soon", "No grants end within a week.")]
)
def test_an_empty_tab_says_what_is_not_there(office: Office, tab: str, says: str) -> None:
    assert says in office.asker.get("/grants/", {"tab": tab}).content.decode()
