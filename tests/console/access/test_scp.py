"""The page "SCP preview"."""

from __future__ import annotations

from html import unescape

import pytest
from django.test import Client
from django.urls import reverse

from iam.directory.models import Role
from iam.mirror.models import Account
from tests import factories
from tests.iam.access.test_scp_replay import DENY_READS, member

pytestmark = pytest.mark.django_db
__all__ = ["member"]


def client_of(role: Role) -> Client:
    client = Client()
    client.force_login(factories.operator(role))
    return client


def test_the_calls_that_would_be_denied_are_shown(member: Account) -> None:
    form = {"account": member.account_id, "document": DENY_READS}
    page = client_of(Role.AUDITOR).post(reverse("access:scp-preview"), form)
    assert page.status_code == 200
    text = unescape(page.content.decode())
    assert "<strong>6 calls</strong>" in text
    assert "s3:GetObject" in text


def test_a_misspelled_action_is_named_and_not_taken_for_one_that_denies_nothing(member: Account) -> None:
    document = DENY_READS.replace("s3:GetObject", "s3:GetObjcet")
    assert document != DENY_READS
    form = {"account": member.account_id, "document": document}
    text = unescape(client_of(Role.AUDITOR).post(reverse("access:scp-preview"), form).content.decode())
    assert "AWS lists no such actions, so they deny nothing. Are they misspelled? s3:GetObjcet" in text


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"document": "{"}, "isn’t a valid policy"),
        ({"document": ""}, "Paste a policy in JSON."),
        ({"account": "111111111111"}, "management account"),
        ({"account": "000000000000"}, "Choose an account from the list."),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_kept(
    member: Account, form: dict[str, str], words: str
) -> None:
    sent = {"account": member.account_id, "document": DENY_READS} | form
    page = client_of(Role.ADMINISTRATOR).post(reverse("access:scp-preview"), sent)
    assert page.status_code == 422
    text = unescape(page.content.decode())
    assert words in text
    assert 'aria-invalid="true"' in text
    assert sent["document"] in text
