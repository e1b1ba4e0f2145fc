"""The page that requests a fix: named as its request will be, and claiming nothing that was not analyzed."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from iam.audit.findings.calculation import calculate
from iam.audit.findings.models import AuditFinding
from iam.changes.models import Change
from iam.directory.models import Role
from iam.mirror.models import Account, EdgeKind
from tests import factories
from tests.journeys.pages import parse

pytestmark = pytest.mark.django_db
OUTSIDE = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::999999999999:root"},
            "Action": "sts:AssumeRole",
        }
    ],
}


@pytest.fixture
def account() -> Account:
    account = factories.account(write_role_arn="arn:aws:iam::111111111111:role/gatehouse-writer")
    factories.synced(account)
    return account


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(factories.operator(Role.ADMINISTRATOR, name="Ines Duarte"))
    return client


def words(client: Client, address: str) -> str:
    answer = client.get(address, follow=True)
    assert answer.status_code == 200
    return " ".join(re.sub("<[^>]*>", " ", answer.content.decode()).split())


def test_a_trust_policy_is_said_to_be_outside_of_the_analysis(account: Account, client: Client) -> None:
    factories.role(account, "reports", trust=OUTSIDE)
    factories.operator(Role.APPROVER, name="Hana Sato")
    calculate(account)
    finding = AuditFinding.objects.get(kind="trust-outside-account-without-external-id")
    address = reverse("findings:fix", args=[finding.pk])
    page = words(client, address)
    assert "As far as this could be analyzed, no one’s permissions change." in page
    assert "Who can assume reports is not analyzed." in page
    assert "The same principals can assume the role, under stricter conditions." in page
    forms = parse(client.get(address).content.decode()).forms
    form = next(form for form in forms if "reason" in dict(form.fields))
    body = dict(form.fields) | {"reason": "The vendor sends it now."}
    answer = client.post(address, body)
    assert answer.status_code == 302
    change = Change.objects.get()
    assert f"{change.title} · Gatehouse" in page
    assert "No known change in permissions" in words(client, answer["Location"])


def test_the_mfa_of_a_finding_is_that_of_its_user(account: Account, client: Client) -> None:
    factories.user(account, "tomas.lind", credentials={"mfa": "none"})
    calculate(account)
    finding = AuditFinding.objects.get(kind="password-without-mfa")
    page = client.get(reverse("findings:finding", args=[finding.pk])).content.decode()
    assert f'href="{reverse("mfa:fleet")}?q=tomas.lind"' in page


def test_the_lint_of_a_new_policy_text_is_shown_once(account: Account, client: Client) -> None:
    body = {
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": "Queues", "Effect": "Allow", "Action": "sqs:*", "Resource": "*"},
            {"Sid": "Pass", "Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"},
        ],
    }
    user = factories.user(account, "tomas.lind")
    factories.edge(EdgeKind.ATTACHED, user, factories.policy(account, "BatchSubmit", body=body))
    calculate(account)
    finding = AuditFinding.objects.get(kind="pass-role-on-everything")
    page = words(client, reverse("findings:fix", args=[finding.pk]))
    assert "Update policy BatchSubmit" in page
    assert page.count("Lint of the new text") == 1
