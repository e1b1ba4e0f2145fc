"""The pages of assertions: who sees which, the form, and approval by another person."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from iam.audit.assertions.checks import check_due
from iam.audit.assertions.models import AssertionProposal, AssertionStatus, StandingAssertion
from iam.changes.operations import ATTACH_POLICY, Attachment
from iam.changes.services.requests import request_operation
from iam.directory.models import Role, Team
from iam.journal.models import Entry
from iam.mirror.models import Account
from tests import factories
from tests.console.findings.test_pages import signed_in, text
from tests.iam.audit.assertions.test_checks import ALLOW, assertion_of, give

pytestmark = pytest.mark.django_db
LIST = "/findings/assertions/"
NEW = "/findings/assertions/new/"
FILLED = {
    "name": "Only BreakGlass creates users",
    "actions": "iam:CreateUser\niam:CreateLoginProfile",
    "resources": "*",
    "allowed_role": "BreakGlass",
    "counts_conditional": "on",
    "reason": "Audit 12",
}


@pytest.fixture
def account() -> Account:
    account = factories.account()
    factories.synced(account)
    return account


def page_of(assertion: StandingAssertion, act: str = "") -> str:
    return reverse(f"findings:assertion{act}", args=[assertion.pk])


def test_a_broken_one_names_who_breaks_it_and_the_statement(account: Account) -> None:
    assertion = assertion_of()
    tomas = factories.user(account, "tomas")
    give(tomas)
    check_due()
    client = signed_in(Role.AUDITOR)
    assert "Broken" in text(client, LIST)
    page = text(client, page_of(assertion))
    assert "create, statement 1" in page
    assert "/access/who-can/?action=iam%3ACreateUser" in page
    assert "Request a change" not in page


def test_an_unknown_one_says_why_and_shows_no_green(account: Account) -> None:
    assertion = assertion_of()
    account.sections.filter(name="roles").update(state="denied")
    check_due()
    page = text(signed_in(Role.AUDITOR), page_of(assertion))
    assert "In production, roles weren’t fully synced." in page
    assert 'data-tone="ok"' not in page


def test_it_is_created_by_two_people(account: Account) -> None:
    requester = signed_in(Role.ADMINISTRATOR)
    assert requester.post(NEW, FILLED).status_code == 302
    assertion = StandingAssertion.objects.get()
    assert assertion.status == AssertionStatus.REQUESTED
    assert check_due() == 0
    assert "has to decide" in text(requester, page_of(assertion))
    answer = requester.post(page_of(assertion, "-decide"), {"decision": "approve"})
    assert answer.status_code == 422
    other = signed_in(Role.APPROVER, name="Hana Sato")
    assert other.post(page_of(assertion, "-decide"), {"decision": "approve"}).status_code == 302
    assertion.refresh_from_db()
    assert assertion.status == AssertionStatus.ACTIVE
    assert check_due() == 1
    assert f"Hana Sato, about the request: “{FILLED['reason']}”" in text(other, page_of(assertion))
    kinds = set(Entry.objects.values_list("kind", flat=True))
    assert {"assertion.requested", "assertion.approved"} <= kinds


def test_a_change_counts_only_when_it_is_approved(account: Account) -> None:
    assertion = assertion_of()
    requester, other = signed_in(Role.APPROVER), signed_in(Role.ADMINISTRATOR, name="Hana Sato")
    assert "BreakGlass" in text(requester, page_of(assertion, "-edit"))
    values = FILLED | {"allowed_role": "BreakGlass\nOnCall"}
    assert requester.post(page_of(assertion, "-edit"), values).status_code == 302
    page = text(other, page_of(assertion))
    assert "Now: Role BreakGlass" in page
    assert "Then: Roles BreakGlass, OnCall" in page
    assertion.refresh_from_db()
    assert assertion.version == 1
    assert requester.post(page_of(assertion, "-edit"), values).status_code == 422
    other.post(page_of(assertion, "-decide"), {"decision": "approve"})
    assertion.refresh_from_db()
    assert (assertion.version, assertion.checked_at) == (2, None)
    assert [each["value"] for each in assertion.terms["allowed"]] == ["BreakGlass", "OnCall"]


@pytest.mark.parametrize(("decision", "status"), [("approve", "retired"), ("decline", "active")])
def test_retiring_needs_a_reason_and_another_person(decision: str, status: str, account: Account) -> None:
    assertion = assertion_of()
    requester, other = signed_in(Role.ADMINISTRATOR), signed_in(Role.APPROVER, name="Hana Sato")
    refused = requester.post(page_of(assertion, "-retire"), {"reason": " "})
    assert refused.status_code == 422
    assert "Give a reason" in refused.content.decode()
    assert requester.post(page_of(assertion, "-retire"), {"reason": "Old"}).status_code == 302
    other.post(page_of(assertion, "-decide"), {"decision": decision})
    assertion.refresh_from_db()
    assert assertion.status == status
    assert ("Users" in text(other, f"{LIST}?tab=ended")) is (status == "retired")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"name": ""}, "Enter a name."),
        ({"actions": ""}, "Enter at least one action."),
        ({"actions": "iam:CreateUsr"}, "Did you mean iam:CreateUser?"),
        ({"resources": "vault"}, "isn’t an ARN"),
        ({"reason": ""}, "Approvers and auditors read it"),
        ({"allowed_account": "12"}, "isn’t an account ID"),
        ({"allowed_tag": "team"}, "Write it as key=value"),
        ({"accounts": "999999999999"}, "not one of the available choices"),
        ({"name": "x\x00y"}, "Null characters"),
    ],
)
def test_bad_input_is_refused_at_its_field(changes: dict[str, Any], says: str, account: Account) -> None:
    client = signed_in(Role.ADMINISTRATOR)
    answer = client.post(NEW, FILLED | changes)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert says in page
    assert 'aria-invalid="true"' in page or "accounts" in changes
    assert not AssertionProposal.objects.exists()


def test_all_that_is_wrong_is_refused_at_once(account: Account) -> None:
    wrong = {"actions": "iam:CreateUsr", "resources": "vault", "allowed_account": "12"}
    answer = signed_in(Role.ADMINISTRATOR).post(NEW, FILLED | wrong)
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == set(wrong)
    page = answer.content.decode()
    assert page.count('aria-invalid="true"') == len(wrong)
    for entered in wrong.values():
        assert entered in page, "what was entered stays"


def test_a_name_is_used_once(account: Account) -> None:
    assertion_of(name=FILLED["name"])
    answer = signed_in(Role.ADMINISTRATOR).post(NEW, FILLED)
    assert answer.status_code == 422
    assert "already" in answer.content.decode()


@pytest.mark.parametrize("role", [Role.MEMBER, Role.TEAM_LEAD])
def test_who_looks_after_people_sees_none(role: Role, account: Account) -> None:
    assertion = assertion_of()
    team = Team.objects.create(name="Payments", slug="payments") if role is Role.TEAM_LEAD else None
    client = signed_in(role, team=team)
    for address in (LIST, NEW, page_of(assertion), page_of(assertion, "-edit")):
        assert client.get(address).status_code == 404


def test_who_sees_one_account_is_told_of_that_one(account: Account) -> None:
    other = factories.account("222222222222", name="data")
    factories.synced(other)
    both = assertion_of(name="Both")
    theirs = assertion_of(name="Theirs")
    theirs.terms["accounts"] = [other.account_id]
    theirs.save()
    user = factories.user(other, "secret.name")
    give(user)
    check_due()
    operator = factories.operator(None)
    factories.assign(operator.person, Role.AUDITOR, account_id=account.account_id)
    client = Client()
    client.force_login(operator)
    listed = text(client, LIST)
    assert "Both" in listed
    assert "Theirs" not in listed
    assert client.get(page_of(theirs)).status_code == 404
    page = text(client, page_of(both))
    assert "It’s broken there." in page
    assert "secret.name" not in page


def test_the_requester_and_the_approver_are_warned(account: Account) -> None:
    Account.objects.update(write_role_arn=f"arn:aws:iam::{account.account_id}:role/gatehouse-writer")
    account.refresh_from_db()
    assertion_of(name="Only BreakGlass creates users")
    tomas = factories.user(account, "tomas")
    policy = factories.policy(account, "UserAdmin", body=ALLOW)
    client = signed_in(Role.ADMINISTRATOR)
    address = f"{reverse('changes:act', args=['attach'])}?on={tomas.pk}"
    words = "breaks the assertion"
    fields = {"policy": policy.arn, "reason": "On call", "key": str(uuid.uuid4())}
    answer = client.post(address, fields | {"look": "1"})
    preview = " ".join(answer.content.decode().split())
    assert words in preview
    assert "Only BreakGlass creates users" in preview
    operation = Attachment.of(ATTACH_POLICY, tomas, policy=policy)
    factories.operator(Role.APPROVER, name="Elif Kaya")
    requested = request_operation(
        factories.viewer(Role.ADMINISTRATOR, name="Jonas Berg"),
        operation=operation,
        reason="On call",
        idempotency_key="one",
    )
    assert requested.change_set.receipt["impact"]["risk"] == "critical"
    approver = signed_in(Role.APPROVER, name="Hana Sato")
    page = " ".join(text(approver, f"/changes/{requested.pk}/").split())
    assert words in page
    assert "This request breaks the assertion “Only BreakGlass creates users”." in page
