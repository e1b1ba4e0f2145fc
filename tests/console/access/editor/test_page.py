"""The editor of a policy: who gets it, what it says while one types, and what asking does."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from iam.changes.models import Change, ChangeState
from iam.directory.models import Role, Team
from iam.mirror.models import EdgeKind, Entity, PolicyVersion, TagSet
from tests import factories
from tests.console.access.editor.conftest import HTMX, Desk, signed_in, text


def page(answer: Any) -> str:
    """What was answered."""
    return answer.content.decode()


def test_the_editor_opens_with_the_current_policy_laid_out_and_numbered(desk: Desk) -> None:
    answer = desk.asker.get(desk.url)
    shown = page(answer)

    assert answer.status_code == 200
    assert "&quot;Action&quot;: [\n        &quot;s3:GetObject&quot;" in shown
    assert shown.count("<li>1</li>") == 1
    assert "of 6,144 characters" in shown
    assert "PaymentsDeploy already has this text." in shown
    assert "Checked: " in shown


@pytest.mark.parametrize(
    ("tags", "sentence"),
    [
        ({"ManagedBy": "terraform"}, "managed by terraform"),
        ({"managed-by": "Pulumi"}, "managed by Pulumi"),
        ({"aws:cloudformation:stack-name": "pay"}, "the CloudFormation stack pay"),
        ({"Owner": "terraform"}, ""),
    ],
)
def test_who_else_writes_the_policy_is_said(desk: Desk, tags: dict[str, str], sentence: str) -> None:
    TagSet.objects.create(
        account=desk.account,
        entity=desk.policy,
        tags=tags,
        valid_from=factories.FIRST_READ,
        observed_at=factories.FIRST_READ,
    )
    shown = page(desk.asker.get(desk.url))
    assert sentence in shown
    assert ("Another tool manages this policy" in shown) == bool(sentence)


def test_the_policy_page_leads_to_it(desk: Desk) -> None:
    policy = reverse("identities:policy", args=[desk.policy.pk])
    assert desk.url in page(desk.asker.get(policy))
    assert desk.url not in page(desk.asker.get(f"{policy}?as-of=2026-01-06T00:00:00"))
    auditor = signed_in(Role.AUDITOR, "Noor Haddad")
    assert desk.url not in page(auditor.get(policy))


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.MEMBER, Role.TEAM_LEAD, None])
def test_who_may_not_ask_finds_no_editor(desk: Desk, role: Role | None) -> None:
    team = Team.objects.create(slug="t", name="T") if role == Role.TEAM_LEAD else None
    client = signed_in(role, "Somebody Else", **({"team": team} if team else {}))
    assert client.get(desk.url).status_code == 404
    assert desk.post(text("s3:PutObject"), do="ask", client=client).status_code == 404
    assert not Change.objects.exists()


def test_an_auditor_who_leads_a_team_does_not_edit_policies_of_the_account(desk: Desk) -> None:
    operator = factories.operator(Role.AUDITOR, name="Noor Haddad")
    team = Team.objects.create(slug="t", name="T")
    factories.assign(operator.person, Role.TEAM_LEAD, team=team)
    client = Client()
    client.force_login(operator)

    assert client.get(reverse("identities:policy", args=[desk.policy.pk])).status_code == 200
    assert client.get(desk.url).status_code == 404


def test_nobody_gets_there_without_signing_in(desk: Desk) -> None:
    assert Client().get(desk.url)["Location"].startswith("/sign-in/")
    assert desk.post(text("s3:PutObject"), client=Client())["Location"].startswith("/sign-in/")


def test_what_is_no_policy_has_no_editor(desk: Desk) -> None:
    user = factories.user(desk.account, "not.a.policy")
    for pk in (user.pk, 10**12):
        assert desk.asker.get(reverse("access:policy-edit", args=[pk])).status_code == 404


@pytest.mark.parametrize(
    ("arrange", "why"),
    [
        (lambda desk: None, "a past moment"),
        (lambda desk: setattr(desk.account, "write_role_arn", ""), "read-only"),
        (lambda desk: setattr(desk.policy, "arn", "arn:aws:iam::aws:policy/X"), "AWS manages"),
    ],
)
def test_what_cannot_be_changed_says_why_and_has_no_form(desk: Desk, arrange: Any, why: str) -> None:
    arrange(desk)
    desk.account.save()
    desk.policy.save()
    address = f"{desk.url}?as-of=2026-01-06T00:00:00" if "moment" in why else desk.url

    answer = desk.asker.get(address)

    assert (answer.status_code, why in page(answer)) == (200, True)
    assert "<textarea" not in page(answer)
    assert "Ask for approval" not in page(answer)


def test_typing_is_answered_with_the_findings_and_with_whom_it_concerns(desk: Desk) -> None:
    answer = desk.post(text("s3:GetObject", "iam:PassRole"), headers=HTMX)
    shown = page(answer)

    assert answer.status_code == 200
    assert "<html" not in shown
    assert "<textarea" not in shown
    assert "Line 8, column 9" in shown
    assert '<li data-tone="warn">8</li>' in shown
    assert "iam:PassRole" in shown
    assert "2 IAM users through deployers" in shown
    assert "kwame.boateng" in shown
    assert "1 role directly" in shown
    assert "Gained, risky" in shown
    assert "Nobody loses" not in shown
    assert "iam:CreatePolicyVersion" in shown
    assert not Change.objects.exists()


def test_what_people_already_have_is_said_and_not_called_gained(desk: Desk) -> None:
    both = json.loads(text("s3:GetObject", "s3:PutObject", "s3:ListBucket"))
    readers = factories.policy(desk.account, "LedgerWrite", body=both)
    maya = Entity.objects.get(name="maya.okafor")
    factories.edge(EdgeKind.ATTACHED, maya, readers)
    shown = page(desk.post(text("s3:GetObject", "s3:PutObject", "s3:DeleteObject"), headers=HTMX))
    assert "Part of it changes nothing for 1 IAM user" in shown
    assert "lready has 1 of 2 actions, through LedgerWrite" in shown

    same = page(desk.post(text("s3:GetObject", "s3:PutObject"), headers=HTMX))
    assert "Keeps" not in shown
    assert "No change for 1 IAM user" in same
    assert "lready has the action, through LedgerWrite" in same
    assert "1 IAM user and 1 role affected, of 2 IAM users and 1 role with this policy." in same


def test_a_broken_text_is_told_by_line_and_column_and_concerns_nobody_yet(desk: Desk) -> None:
    broken = text("s3:GetObject").replace('"Allow",', '"Allow"')
    shown = page(desk.post(broken, headers=HTMX))

    assert "Line 6, column 7" in shown
    assert '<li data-tone="bad">6</li>' in shown
    assert "Fix the errors to see who is affected" in shown
    assert "Fix line 6 first" in shown


def test_without_scripts_checking_gives_the_whole_page_with_what_was_typed(desk: Desk) -> None:
    answer = desk.post(text("s3:Objekt*"), reason="Half a reason")
    shown = page(answer)
    assert answer.status_code == 200
    assert "<html" in shown
    assert "s3:Objekt*" in shown
    assert ">Half a reason</textarea>" in shown
    assert "s3:Objekt* matches no known action" in shown

    wrong = desk.post("{")
    assert (wrong.status_code, ">\n{</textarea>" in page(wrong)) == (422, True)


def test_formatting_lays_the_text_out_and_loses_nothing(desk: Desk) -> None:
    dense = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'
    shown = page(desk.post(dense, do="format"))
    assert "&quot;Statement&quot;: [\n    {\n      &quot;Effect&quot;" in shown

    twice = '{"Version": "2012-10-17", "Version": "2008-10-17"}'
    assert "&quot;2012-10-17&quot;, &quot;Version&quot;" in page(desk.post(twice, do="format"))


def test_asking_makes_a_change_that_waits(desk: Desk) -> None:
    new = text("s3:GetObject", "s3:PutObject")
    answer = desk.post(new.replace("\n", "\r\n"), do="ask")

    change = Change.objects.get()
    assert answer["Location"] == reverse("changes:change", args=[change.pk])
    assert (change.state, change.operation, change.reason) == (
        ChangeState.AWAITING,
        "policy.create_version",
        "A release",
    )
    assert change.params["document"] == new
    assert change.receipt["effect"]["access"]["affected"] == 3
    # Without a refresh of what the mirror has read, the same form is the same change.
    assert change.reference in page(desk.post(text("s3:ListBucket"), headers=HTMX))


def test_a_form_sent_twice_is_one_change(desk: Desk) -> None:
    key, new = str(uuid.uuid4()), text("s3:PutObject")
    first, second = (desk.post(new, do="ask", key=key)["Location"] for _ in range(2))
    assert first == second
    assert Change.objects.count() == 1


@pytest.mark.parametrize(
    ("document", "fields", "why"),
    [
        (text("s3:PutObject"), {"reason": " "}, "Enter a reason"),
        (text("s3:PutObject"), {"key": "x"}, "This form is damaged"),
        (
            text("s3:PutObject"),
            {"base": "0" * 32},
            "has changed since you opened it: the default version is now v1",
        ),
        (text("s3:GetObject"), {}, "already has this text"),
        ("", {}, "Fix line 1 first"),
        ("[]", {}, "Fix line 1 first"),
        (text("s3:PutObject").replace('"Effect"', '"Efect"'), {}, "Fix line"),
        (text("s3:PutObject\u0416"), {}, "U+0416"),
        (text("s3:PutObject\u202e"), {}, "U+202E"),
        (text(*(f"s3:{'x' * 60}{n}" for n in range(95))), {}, "6,144"),
        ("[" * 20_000, {}, "Fix line 1 first"),
    ],
)
def test_what_cannot_be_asked_for_comes_back_with_the_text_and_the_reason(
    desk: Desk, document: str, fields: dict[str, str], why: str
) -> None:
    answer = desk.post(document, do="ask", **fields)
    assert answer.status_code == 422
    assert why in page(answer)
    assert "<textarea" in page(answer)
    assert not Change.objects.exists()


def test_hostile_words_are_shown_as_text(desk: Desk) -> None:
    shown = page(desk.post(text("s3:</textarea><script>alert(1)</script>"), headers={}))
    assert "<script>alert" not in shown
    assert "</textarea><script" not in shown


def test_a_text_that_changed_meanwhile_is_not_overwritten(desk: Desk) -> None:
    version = PolicyVersion.objects.get(policy=desk.policy)
    base = version.document_id
    factories.becomes(
        version,
        at=factories.FIRST_READ.replace(day=6),
        version_id="v2",
        document=factories.document(text("s3:ListBucket")),
    )

    answer = desk.post(text("s3:PutObject"), do="ask", base=base)

    assert answer.status_code == 422
    assert "the default version is now v2" in page(answer)


def test_the_change_shows_approvers_whom_it_concerns_and_both_texts(desk: Desk) -> None:
    desk.post(text("s3:GetObject", "iam:PassRole"), do="ask")
    change = Change.objects.get()
    shown = page(desk.approver.get(reverse("changes:change", args=[change.pk])))

    assert "Update policy PaymentsDeploy" in shown
    assert "2 IAM users through deployers" in shown
    assert 'class="sr">Added: ' in shown
    assert "Sensitive" in shown or "Can change IAM" in shown
    assert "Your decision" in shown
    assert "Lint of the new text" in shown
    assert "Line 8, column 9" in shown
    inbox = page(desk.approver.get(reverse("changes:approvals")))
    assert "+1 action" in inbox
    assert "2 IAM users and 1 role affected" in inbox


def test_who_no_longer_sees_the_account_finds_their_request_without_names(desk: Desk) -> None:
    operator = factories.operator(Role.ADMINISTRATOR, name="Ada Moved")
    client = Client()
    client.force_login(operator)
    desk.post(text("s3:GetObject", "s3:PutObject"), do="ask", client=client)
    change = Change.objects.get()
    assert "kwame.boateng" in page(client.get(reverse("changes:change", args=[change.pk])))

    operator.person.assignments.all().delete()
    factories.assign(operator.person, Role.TEAM_LEAD, team=Team.objects.create(slug="t", name="T"))
    shown = page(client.get(reverse("changes:change", args=[change.pk])))

    assert "2 IAM users through deployers" in shown
    for name in ("kwame.boateng", "maya.okafor", "kwame.boateng", ">pay-deploy<"):
        assert name not in shown


def test_a_receipt_that_concerns_more_by_now_is_shown_before_it_is_approved(desk: Desk) -> None:
    desk.post(text("s3:GetObject", "s3:PutObject"), do="ask")
    change = Change.objects.get()
    seen = change.change_set.receipt_digest
    newcomer = factories.user(desk.account, "new.comer")
    factories.edge(EdgeKind.ATTACHED, newcomer, desk.policy)
    bump(desk, newcomer.pk)

    answer = desk.approver.post(
        reverse("changes:decide", args=[change.pk]), {"decision": "approve", "comment": "", "seen": seen}
    )

    assert answer.status_code == 422
    assert "has changed since you opened the page" in page(answer)
    assert "1 IAM user and 1 role directly" in page(answer)


def bump(desk: Desk, *pks: int) -> None:
    """What a pull does for those who keep something made of the rows."""
    from django.db import transaction

    from iam.mirror.pull import revisions

    with transaction.atomic():
        revisions.note_written(desk.account.pk, set(pks))


def test_the_number_of_queries_does_not_grow_with_those_it_concerns(desk: Desk) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert desk.post(text("s3:PutObject"), headers=HTMX).status_code == 200
        return len(captured)

    desk.post(text("s3:PutObject"), headers=HTMX)
    few = queries()
    group = desk.account.entities.get(name="deployers")
    made = [factories.user(desk.account, f"user.number{n}") for n in range(60)]
    for user in made:
        factories.edge(EdgeKind.MEMBER, user, group)
    bump(desk, *(user.pk for user in made))
    assert "62 IAM users through deployers" in page(desk.post(text("s3:PutObject"), headers=HTMX))
    assert queries() == few
    assert few <= 45
