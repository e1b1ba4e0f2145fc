"""Without any account, no page claims anything about AWS, and each that is about AWS leads an administrator
to the first account.
"""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from iam.directory.models import Role
from tests import factories

pytestmark = pytest.mark.django_db

ABOUT_AWS = (
    "access:compare", "access:escalation", "access:grant-new", "access:scp-preview", "access:services",
    "access:simulate", "access:who-can", "activity:coverage", "findings:list",
    "identities:groups", "identities:instance-profiles", "identities:people", "identities:policies",
    "identities:providers", "identities:roles", "keys:keys", "keys:root-keys", "linking:links",
    "linking:owners", "mfa:enforcement", "mfa:fleet", "mfa:root-users", "setup:accounts",
)  # fmt: skip
CLAIMS = re.compile(
    r"No root user has|Every (IAM|machine) user .*(is|has)|No one has|No one can|0 safe|As of the latest|"
    r"\b0 (open|fixed|failed|critical)"
)


def main_of(client: Client, address: str) -> str:
    body = client.get(address, follow=True).content.decode()
    return " ".join(body.partition("<main")[2].split())


def signed_in(role: Role) -> Client:
    client = Client()
    client.force_login(factories.operator(role))
    return client


@pytest.mark.parametrize("name", ABOUT_AWS)
def test_a_page_about_aws_claims_nothing_and_leads_to_the_first_account(name: str) -> None:
    body = main_of(signed_in(Role.ADMINISTRATOR), reverse(name))
    assert "No account is connected" in body
    assert f'href="{reverse("setup:connect")}"' in body
    assert not CLAIMS.search(re.sub("<[^>]*>", " ", body).partition("No account is connected")[2])


@pytest.mark.parametrize(
    "name", sorted(set(ABOUT_AWS) - {"access:grant-new", "linking:owners", "mfa:enforcement"})
)
def test_nothing_that_an_auditor_cannot_do_is_offered_there(name: str) -> None:
    answer = signed_in(Role.AUDITOR).get(reverse(name))
    if answer.status_code == 200:
        assert reverse("setup:connect") not in answer.content.decode()
        assert reverse("setup:upload") not in answer.content.decode()
