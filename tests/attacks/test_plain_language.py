"""Words for people: what is known of an account that was only uploaded, and plain ones for who does not see
accounts.
"""

from __future__ import annotations

from html import unescape

import pytest
from django.test import Client

from iam.directory.models import Role
from iam.mirror.models import Account, EdgeKind, Entity
from tests import factories as make
from tests.console.access.who_can.conftest import SignIn, auditor, say, sign_in

__all__ = ["auditor", "sign_in"]
LEDGER = ["arn:aws:s3:::pay-ledger", "arn:aws:s3:::pay-ledger/*"]
UNREAD = "Some policies couldn’t be read. What they allow or deny isn’t part of the answer."

pytestmark = pytest.mark.usefixtures("prompt_worker")


def uploaded() -> tuple[Account, Entity, Entity]:
    """An account known from a file, with a person who has a policy that nobody can read, and the policy."""
    account = make.account(source="upload", name="uploaded", role_arn="")
    maya, policy = make.user(account, "maya"), make.policy(account, "Broken", body="{oops")  # type: ignore[arg-type]
    make.edge(EdgeKind.ATTACHED, maya, policy)
    make.inline(maya, "Ledger", body=say("Allow", ["s3:GetObject", "s3:ListBucket"], LEDGER))
    return account, maya, policy


def page(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200, (response.status_code, url)
    return response.content.decode()


def test_a_policy_that_cannot_be_read_is_told_wherever_it_may_matter(auditor: Client) -> None:
    _, maya, _ = uploaded()
    assert UNREAD in unescape(page(auditor, "/escalation/"))
    assert "couldn’t be read" in unescape(page(auditor, "/access/who-can/?action=s3:GetObject&resource=*"))
    shown = page(auditor, f"/people/{maya.pk}/access/")
    assert "Broken can’t be evaluated completely" in shown
    assert ".. " not in shown


def test_an_account_of_a_file_says_that_it_is_read_only_and_who_can_help(sign_in: SignIn) -> None:
    _, _, policy = uploaded()
    shown = page(sign_in(Role.APPROVER), f"/policies/{policy.pk}/edit/")
    assert "This account is read-only" in shown
    assert "<textarea" not in shown


def test_why_asks_about_something_that_the_action_works_on(auditor: Client) -> None:
    _, maya, _ = uploaded()
    assert "pay-ledger/*" in page(auditor, f"/people/{maya.pk}/access/why/?action=s3:GetObject")
    assert (
        "pay-ledger/*"
        not in page(auditor, f"/people/{maya.pk}/access/why/?action=s3:ListBucket").split("How this is")[0]
    )


def test_who_sees_themselves_only_is_not_told_of_identity_policies(db: None) -> None:
    _, maya, _ = uploaded()
    client = Client()
    client.force_login(make.operator(Role.MEMBER, name="Maya", arns=(maya.arn,)))
    shown = page(client, f"/people/{maya.pk}/access/why/?action=ec2:RunInstances&resource=*")
    assert "No policy allows it" in shown
    assert "dentity policies" not in shown


def test_a_single_allowed_principal_is_counted_in_the_singular(auditor: Client) -> None:
    uploaded()
    shown = page(auditor, "/access/who-can/reach/?action=s3:GetObject&resource=arn:aws:s3:::pay-ledger/x")
    assert "No one else can become the principal that can" in shown


@pytest.mark.parametrize("path", ["/access/who-can/?", "/access/simulate/?principal=maya&"])
def test_a_resource_is_in_one_account_only(auditor: Client, path: str) -> None:
    uploaded()
    response = auditor.get(
        f"{path}action=sqs:SendMessage&resource=arn:aws:sqs:eu-west-1:111111111111:q&owner=222222222222"
    )
    assert response.status_code == 422
    assert "The ARN says that the resource is in account 111111111111." in response.content.decode()


def test_why_does_not_propose_to_ask_about_a_whole_service(auditor: Client) -> None:
    _, maya, _ = uploaded()
    response = auditor.get(f"/people/{maya.pk}/access/why/?action=zz")
    assert response.status_code == 422
    assert "such as s3:GetObject." in response.content.decode()
    assert "whole service" not in response.content.decode()
